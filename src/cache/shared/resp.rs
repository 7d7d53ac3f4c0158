//! The store's protocol, RESP: commands, and replies with limits on all lengths. Pure.
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>
//!
//! The parser of `redis-protocol` 6.0 has no limits: it waits for a value of 1 GiB, and
//! 100,000 nested arrays overflow its stack. It would also add 13 kB.

/// Size limit of all replies to one request, in bytes: twice the largest content that is
/// published (`store.rs`).
pub const LIMIT: usize = 1024 * 1024 + 64 * 1024;

/// The longest line, in bytes: an error's text.
const LINE: usize = 512;

/// Maximum number of elements of an array: that of our longest MGET, which reads the entry,
/// the pause and the lock.
const ELEMENTS: usize = 3;

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// A simple string, such as `OK`.
    Status(String),
    /// An error, by its first word.
    Error(String),
    /// A number.
    Number(i64),
    /// A value.
    Value(Vec<u8>),
    /// Null.
    Nothing,
    /// The values of several names.
    Values(Vec<Option<Vec<u8>>>),
}

/// A reply that is too large, or that our commands never get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Parses the reply at the start of the received bytes, and returns it with its length;
/// `None` if it is incomplete.
///
/// # Errors
/// [`Malformed`] as soon as it is known: a length is checked before its bytes arrive.
pub fn parse(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
    let Some((kind, text, mut at)) = line(bytes)? else {
        return Ok(None);
    };
    if kind != b'*' {
        return scalar(bytes);
    }
    let Some(count) = length(text, ELEMENTS)? else {
        return Ok(Some((Reply::Nothing, at)));
    };
    let mut values = Vec::new();
    for _ in 0..count {
        match scalar(&bytes[at..])? {
            None => return Ok(None),
            Some((Reply::Value(value), size)) => {
                values.push(Some(value));
                at += size;
            }
            Some((Reply::Nothing, size)) => {
                values.push(None);
                at += size;
            }
            // Nested arrays, and elements that MGET never returns.
            Some(_) => return Err(Malformed),
        }
    }
    Ok(Some((Reply::Values(values), at)))
}

/// Parses a reply that is not an array.
fn scalar(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
    let Some((kind, text, at)) = line(bytes)? else {
        return Ok(None);
    };
    let reply = match kind {
        b'+' => Reply::Status(plain(text)?),
        b'-' => Reply::Error(plain(
            text.split(|b| *b == b' ').next().unwrap_or_default(),
        )?),
        b':' => Reply::Number(number(text)?),
        // RESP3's null; a server sends it only to clients that asked for RESP3.
        b'_' if text.is_empty() => Reply::Nothing,
        b'$' => {
            let Some(length) = length(text, LIMIT)? else {
                return Ok(Some((Reply::Nothing, at)));
            };
            let end = at + length;
            let ending = bytes.get(end..).unwrap_or_default();
            if !b"\r\n".starts_with(&ending[..ending.len().min(2)]) {
                return Err(Malformed);
            }
            if ending.len() < 2 {
                return Ok(None);
            }
            return Ok(Some((Reply::Value(bytes[at..end].to_vec()), end + 2)));
        }
        _ => return Err(Malformed),
    };
    Ok(Some((reply, at)))
}

/// A line's type, its text and its length with the line break.
type Line<'b> = (u8, &'b [u8], usize);

/// Returns the first line's type, its text and its length with the line break.
fn line(bytes: &[u8]) -> Result<Option<Line<'_>>, Malformed> {
    let known = &bytes[..bytes.len().min(LINE)];
    let Some((kind, rest)) = known.split_first() else {
        return Ok(None);
    };
    if !b"+-:_$*".contains(kind) {
        return Err(Malformed);
    }
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
        return if known.len() < LINE {
            Ok(None)
        } else {
            Err(Malformed)
        };
    };
    let text = rest[..end].strip_suffix(b"\r").ok_or(Malformed)?;
    Ok(Some((*kind, text, end + 2)))
}

/// Returns a text of printable ASCII.
fn plain(text: &[u8]) -> Result<String, Malformed> {
    let is_plain = text.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
    is_plain.then(|| text.to_owned()).ok_or(Malformed)
}

fn number(text: &[u8]) -> Result<i64, Malformed> {
    let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_plain);
    number.ok_or(Malformed)
}

/// Returns a length within a limit; `None` for -1, which means no value.
fn length(text: &[u8], limit: usize) -> Result<Option<usize>, Malformed> {
    match number(text)? {
        -1 => Ok(None),
        length => match usize::try_from(length) {
            Ok(length) if length <= limit => Ok(Some(length)),
            _ => Err(Malformed),
        },
    }
}

/// Writes a command's bytes after those of other commands.
pub fn write(out: &mut Vec<u8>, words: &[&[u8]]) {
    let head = |sign: char, count: usize| format!("{sign}{count}\r\n").into_bytes();
    let size: usize = words.iter().map(|word| word.len() + 16).sum();
    out.reserve(size + 16);
    out.extend(head('*', words.len()));
    for word in words {
        out.extend(head('$', word.len()));
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> Option<Reply> {
        let (reply, length) = parse(text.as_bytes()).ok()??;
        assert_eq!(length, text.len());
        Some(reply)
    }

    #[test]
    fn each_reply_of_our_commands_is_read() {
        let value = |text: &str| text.as_bytes().to_vec();
        for (text, reply) in [
            ("+OK\r\n", Reply::Status("OK".into())),
            ("+PONG\r\n", Reply::Status("PONG".into())),
            ("-NOPERM No permissions\r\n", Reply::Error("NOPERM".into())),
            (":1\r\n", Reply::Number(1)),
            (":-1\r\n", Reply::Number(-1)),
            ("$-1\r\n", Reply::Nothing),
            ("*-1\r\n", Reply::Nothing),
            ("_\r\n", Reply::Nothing),
            ("$0\r\n\r\n", Reply::Value(Vec::new())),
            ("$4\r\na\r\nb\r\n", Reply::Value(value("a\r\nb"))),
            ("*0\r\n", Reply::Values(Vec::new())),
            (
                "*2\r\n$1\r\nx\r\n$-1\r\n",
                Reply::Values(vec![Some(value("x")), None]),
            ),
        ] {
            assert_eq!(whole(text), Some(reply), "{text:?}");
            for end in 0..text.len() {
                assert_eq!(parse(&text.as_bytes()[..end]), Ok(None), "{text:?} {end}");
            }
        }
    }

    #[test]
    fn a_too_large_or_nested_reply_is_refused_at_its_first_line() {
        for text in [
            "$1073741824\r\n",
            "$1179649\r\n",
            "$99999999999999999999\r\n",
            "$-2\r\n",
            "$+1\r\n",
            "$ 1\r\n",
            "*4\r\n",
            "*1000000000\r\n",
            "*1\r\n*1\r\n",
            "*1\r\n:1\r\n",
            "*1\r\n-ERR\r\n",
            "%1\r\n",
            ">1\r\n",
            "~1\r\n",
            "=3\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "$1\r\nab",
            "$1\r\na\n",
            "+OK\n",
            "+\u{1b}[2J\r\n",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Malformed), "{text:?}");
        }
        let long = format!("+{}", "a".repeat(600));
        assert_eq!(parse(long.as_bytes()), Err(Malformed));
    }

    #[test]
    fn a_command_is_an_array_of_its_words() {
        let mut out = Vec::new();
        write(&mut out, &[b"PING"]);
        write(&mut out, &[b"GET", b"a\r\n"]);
        assert_eq!(
            out.as_slice(),
            b"*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn more_bytes_change_no_reply(bytes: Vec<u8>, more: Vec<u8>) {
            if let Ok(Some(read)) = parse(&bytes) {
                prop_assert_eq!(parse(&[bytes, more].concat()), Ok(Some(read)));
            }
        }
    }
}
