//! Finds the parts of a text that may belong to a secret.

/// Returns the length of the run of base64 at the start of a text, in both alphabets,
/// including escapes as in URLs (`%41`), JSON (`\u0041`, `\/`) and programs (`\x41`,
/// `\101`).
pub(in crate::text) fn run(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        end += match byte {
            b'\\' => match escape(&bytes[end + 1..]) {
                Some(length) => 1 + length,
                None => break,
            },
            byte if byte.is_ascii_alphanumeric() || b"-_+/=%".contains(byte) => 1,
            _ => break,
        };
    }
    end
}

/// Returns the length of an escape after its backslash; `None` if it is not one.
fn escape(after: &[u8]) -> Option<usize> {
    let are = |length: usize, is: fn(&u8) -> bool| {
        let digits = after.get(1..length);
        digits.is_some_and(|digits| digits.iter().all(is))
    };
    match after.first()? {
        b'/' => Some(1),
        b'u' if are(5, u8::is_ascii_hexdigit) => Some(5),
        b'x' if are(3, u8::is_ascii_hexdigit) => Some(3),
        b'0'..=b'3' if are(3, |byte| (b'0'..=b'7').contains(byte)) => Some(3),
        _ => None,
    }
}

/// Length from which a run counts as secret: the parts of an assertion and ZITADEL's
/// opaque tokens are longer; IDs, words and host labels that help a reader are shorter.
const SECRET: usize = 32;

/// Returns true if a run in untrusted text may belong to a secret.
pub(in crate::text) fn is_secret(piece: &str) -> bool {
    const LINE: usize = 24;
    // Base64 with slashes looks like a path, except for its capitals and digits.
    let longest = piece.split(['+', '/', '=']).map(str::len).max();
    let is_random = || is_mixed(piece) || has_random_case(piece);
    longest >= Some(SECRET) || ((piece.len() >= SECRET || longest >= Some(LINE)) && is_random())
}

/// Returns true if small letters and capitals are as frequent as in random text: a
/// name in camel case has fewer capitals.
fn has_random_case(text: &str) -> bool {
    let count = |kind: fn(&u8) -> bool| text.bytes().filter(kind).count();
    let fifth = text.len() / 5;
    count(u8::is_ascii_uppercase) > fifth && count(u8::is_ascii_lowercase) > fifth
}

fn is_mixed(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.as_bytes().iter().any(kind);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Returns true if a path, a name or a scope may contain a secret. Line ends in it do not
/// count: a key that was pasted in its place has some.
pub fn holds_secret(text: &str) -> bool {
    let is_run = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let joined = text.replace(char::is_control, "");
    let mut runs = joined.split(|c| !is_run(c)).map(str::as_bytes);
    joined.contains("-----BEGIN") || runs.any(|run| run.windows(SECRET).any(looks_random))
}

/// Returns true if capitals, small letters and changes between kinds are as frequent as
/// in random base64: names in camel case have fewer, and digests and UUIDs have letters
/// of only one kind.
fn looks_random(run: &[u8]) -> bool {
    // Random base64 has 13 capitals, 13 small letters, 13 changes, and 9 from or to
    // a small letter.
    const FEW: usize = 7;
    const FEW_SMALL: usize = 4;
    let count = |kind: fn(&u8) -> bool| run.iter().filter(|byte| kind(byte)).count();
    let changes = |kind: fn(&[u8]) -> bool| {
        let pairs = run.windows(2).filter(|pair| is_change(pair[0], pair[1]));
        pairs.filter(|pair| kind(pair)).count()
    };
    count(u8::is_ascii_uppercase) >= FEW
        && count(u8::is_ascii_lowercase) >= FEW
        && changes(|_| true) >= FEW
        && changes(|pair| pair.iter().any(u8::is_ascii_lowercase)) >= FEW_SMALL
}

/// Returns true if a letter or digit is of another kind than the one before it. A
/// capital before small letters is of their kind.
const fn is_change(before: u8, after: u8) -> bool {
    if !before.is_ascii_alphanumeric() || !after.is_ascii_alphanumeric() {
        return false;
    }
    let is_word = before.is_ascii_uppercase() && after.is_ascii_lowercase();
    !is_word
        && (before.is_ascii_uppercase() != after.is_ascii_uppercase()
            || before.is_ascii_digit() != after.is_ascii_digit())
}
