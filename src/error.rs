//! What went wrong, what was found out about it, and what to do.

use std::fmt;
use std::io;

use thiserror::Error;

/// Every failure, cut by what the caller does next.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line, the environment or the config file must change first.
    #[error("{0}")]
    Usage(Report),
    /// It failed and will fail again: refused, a bad key, a bad answer.
    #[error("{0}")]
    Final(Report),
    /// It failed for now; the same call may succeed later, and a token that is
    /// still good may be used meanwhile.
    #[error("{0}")]
    Passing(Report),
}

impl Error {
    /// The process's exit code (DESIGN part 2; 75 is `EX_TEMPFAIL` of sysexits).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Final(_) => 1,
            Self::Passing(_) => 75,
        }
    }

    /// The report inside.
    pub const fn report(&self) -> &Report {
        match self {
            Self::Usage(report) | Self::Final(report) | Self::Passing(report) => report,
        }
    }

    /// The same error with its report changed.
    pub fn map(self, change: impl FnOnce(Report) -> Report) -> Self {
        match self {
            Self::Usage(report) => Self::Usage(change(report)),
            Self::Final(report) => Self::Final(change(report)),
            Self::Passing(report) => Self::Passing(change(report)),
        }
    }
}

/// An error as a person reads it: what failed, with what, what was found out,
/// what to do.
#[derive(Debug)]
pub struct Report {
    what: String,
    with: Option<String>,
    facts: Vec<String>,
    hint: Option<String>,
}

impl Report {
    /// What failed, in lower case and without a trailing dot.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            with: None,
            facts: Vec::new(),
            hint: None,
        }
    }

    /// Says with what it failed: the key, the user, the issuer.
    pub fn with(mut self, with: impl Into<String>) -> Self {
        self.with = Some(with.into());
        self
    }

    /// Adds a fact that was found out on this side.
    pub fn found(mut self, fact: impl Into<String>) -> Self {
        self.facts.push(fact.into());
        self
    }

    /// Says what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts the thing that it is about before what failed.
    pub fn about(mut self, thing: &impl fmt::Display) -> Self {
        self.what = format!("{thing}: {}", self.what);
        self
    }

    /// What failed, on one line and fit for a terminal.
    pub fn headline(&self) -> String {
        printable(&self.what)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        if let Some(with) = &self.with {
            write!(f, "\n  with: {}", printable(with))?;
        }
        for fact in &self.facts {
            write!(f, "\n  found: {}", printable(fact))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", printable(hint)),
            None => Ok(()),
        }
    }
}

/// One line that no control character can leave: what a terminal would act on
/// (C0, DEL, C1, the Unicode line separators and the bidirectional overrides)
/// is shown escaped (CVE-2024-50349).
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Whether a terminal, or a reader of lines, would act on this character.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An I/O error in the system's words, without its number.
pub fn system(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error ").next().unwrap_or_default();
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

/// A text from outside, fit to be quoted in an error: one line of at most 200
/// characters, in which whatever could be a piece of a key, an assertion or a
/// token is left out.
pub fn quoted(text: &str) -> String {
    const LINE: usize = 200;
    let mut line = String::new();
    for piece in pieces(text.trim()) {
        if line.len() + piece.len() > LINE {
            line.push('…');
            break;
        }
        line.push_str(piece);
    }
    printable(&line)
}

/// A text of any length, with what could be a piece of a secret left out.
pub fn redacted(text: &str) -> String {
    pieces(text).collect()
}

/// The pieces of a text, cut at the borders of what could be base64.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    const LEFT_OUT: &str = "[…]";
    // What follows the head of a PEM is its secret, however it is broken up.
    let (mut rest, end) = match text.find("-----BEGIN") {
        Some(start) => (&text[..start], Some(LEFT_OUT)),
        None => (text, None),
    };
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if is_base64(first) {
            rest.find(|c| !is_base64(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(if is_secret(piece) { LEFT_OUT } else { piece })
    })
    .chain(end)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_+/=".contains(c)
}

/// Whether a piece could be of a secret: a long run of the base64url of tokens
/// and assertions, or of a PEM's base64, which a path would look like if it had
/// capitals and digits.
fn is_secret(piece: &str) -> bool {
    // An assertion's parts and ZITADEL's opaque tokens are longer than this;
    // the ids, words and host labels that help a reader are shorter.
    const SECRET: usize = 32;
    let is_mixed = || {
        piece.contains(|c: char| c.is_ascii_uppercase())
            && piece.contains(|c: char| c.is_ascii_lowercase())
            && piece.contains(|c: char| c.is_ascii_digit())
    };
    let longest = piece.split(['+', '/', '=']).map(str::len).max();
    longest >= Some(SECRET) || (piece.len() >= SECRET && is_mixed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_what_then_facts_then_hint() {
        let report = Report::new("it broke")
            .hint("mend it")
            .found("one")
            .found("two")
            .with("a key");
        assert_eq!(
            report.to_string(),
            "it broke\n  with: a key\n  found: one\n  found: two\n  hint: mend it"
        );
    }

    #[test]
    fn nothing_quoted_can_leave_its_line_or_steer_a_terminal() {
        let report = Report::new("host \u{1b}[31m\u{7}").found("a\nb\r\u{9b}\u{2028}");
        let text = report.to_string();
        assert_eq!(
            text,
            "host \\u{1b}[31m\\u{7}\n  found: a\\nb\\r\\u{9b}\\u{2028}"
        );
    }

    #[test]
    fn a_quoted_answer_shows_words_but_no_assertion() {
        let assertion = format!("{}.{}.{}", "e".repeat(60), "y".repeat(200), "s".repeat(342));
        let text = quoted(&format!("issuedAt of token is in the future: {assertion}!"));
        assert_eq!(text, "issuedAt of token is in the future: […].[…].[…]!");
    }

    #[test]
    fn the_system_speaks_in_words() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(system(&error), "no such file or directory");
        assert_eq!(system(&io::Error::other("Its own")), "its own");
    }

    #[test]
    fn a_quoted_setting_shows_a_path_but_no_key() {
        let path = "https://id.acme.dev/a/long/path-of/words/and-a-1/more";
        assert_eq!(quoted(path), path);
        let base64 = "MIIEowIBAAKCAQEAqtpH/VgD08YUPmtBrhkM+YJc6nkkIaRVKHqMDSn23eqoL==";
        assert_eq!(quoted(&format!("a {base64} b")), "a […] b");
        assert_eq!(
            quoted("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nMIIE"),
            "a […]"
        );
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert!(quoted(&"so long ".repeat(1000)).chars().count() <= 201);
        assert!(quoted(&"ü ".repeat(1000)).len() <= 210);
    }
}
