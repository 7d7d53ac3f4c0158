//! Simple, literal parsers by bytes, which do not use the parsers under test. A parser
//! under test may refuse more than these do, but must never interpret an input
//! differently.

use std::net::Ipv6Addr;

use zitadel_credential::error::Report;
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential::token::{Lifespan, Token};
use zitadel_credential::url::{Origin, Scheme};

/// Returns the full `scheme://host:port` of a plain `host[:port]`; `None` if anything in
/// it is unusual.
pub fn origin(scheme: &str, authority: &str) -> Option<String> {
    let (host, port) = host_and_port(authority)?;
    let scheme = scheme.to_ascii_lowercase();
    let port = match (port, scheme.as_str()) {
        (Some(port), _) => port,
        (None, "https") => 443,
        (None, "http") => 80,
        _ => return None,
    };
    Some(format!("{scheme}://{host}:{port}"))
}

/// Returns the host in lower case, and the port if there is one.
pub fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let bytes = authority.as_bytes();
    if bytes.first() == Some(&b'[') {
        let end = bytes.iter().position(|b| *b == b']')?;
        let address: Ipv6Addr = authority[1..end].parse().ok()?;
        return Some((format!("[{address}]"), port(&authority[end + 1..])?));
    }
    let end = bytes.iter().position(|b| *b == b':').unwrap_or(bytes.len());
    let plain = |b: &u8| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    let host = &authority[..end];
    let dotted = host.starts_with('.') || host.ends_with('.') || host.contains("..");
    let fits = !host.is_empty() && host.bytes().all(|b| plain(&b)) && !dotted;
    fits.then_some((host.to_ascii_lowercase(), port(&authority[end..])?))
}

/// Parses an empty text, or a colon and a number from 1 to 65535 without leading zeros.
fn port(text: &str) -> Option<Option<u16>> {
    if text.is_empty() {
        return Some(None);
    }
    let mut number: u32 = 0;
    for byte in text.strip_prefix(':')?.bytes() {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    let port = u16::try_from(number).ok().filter(|port| *port != 0)?;
    (text == format!(":{port}")).then_some(Some(port))
}

/// Returns the scheme, the authority and the rest of `scheme://authority/rest`.
pub fn url(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("://")?;
    let after = &text[start + 3..];
    let end = after.bytes().position(|b| b"/?#".contains(&b));
    let end = end.unwrap_or(after.len());
    Some((&text[..start], &after[..end], &after[end..]))
}

/// True if a rule's text, compared label by label, is for this host and port over
/// https.
pub fn is_for(rule: &str, host: &str, port: u16) -> bool {
    let (any, authority) = match rule.as_bytes() {
        [b'*', b'.', ..] => (true, &rule[2..]),
        _ => (false, rule),
    };
    let Some((named, named_port)) = host_and_port(authority) else {
        return false;
    };
    let host: Vec<_> = host.split('.').collect();
    let named: Vec<_> = named.split('.').collect();
    let last = *host.last().unwrap_or(&"");
    let is_number = last.chars().all(|c| c.is_numeric())
        || last.starts_with("0x") && last.chars().skip(2).all(|c| c.is_ascii_hexdigit());
    let same = if any {
        // A number at the end makes it an address, which no wildcard matches.
        !is_number
            && host[0].as_bytes().first() != Some(&b'[')
            && host.len() > named.len()
            && host[host.len() - named.len()..] == named[..]
    } else {
        host == named
    };
    same && named_port.unwrap_or(443) == port
}

/// Returns a token that is valid for an hour.
pub fn token() -> Token {
    let obtained_at = UnixTime::from_secs(1_700_000_000);
    let lifespan = Lifespan {
        obtained_at,
        expires_at: UnixTime::from_secs(1_700_003_600),
    };
    Token::new("abc-._~+/==".to_owned(), Some(lifespan)).expect("a b64token")
}

/// Asserts that a message is safe for a terminal, and that it contains no part of a key,
/// an assertion or a token.
pub fn assert_shown(report: &Report) {
    let text = report.to_string();
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(steers), "{text:?} steers a terminal");
    for line in text.lines().skip(1) {
        let is_ours = ["  with: ", "  found: ", "  hint: "];
        assert!(
            is_ours.iter().any(|start| line.starts_with(start)),
            "{line:?}"
        );
    }
    // The letter of an escape is not part of the text.
    let unescaped = text
        .replace("\\n", " ")
        .replace("\\r", " ")
        .replace("\\t", " ");
    let is_run = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let longest = unescaped.as_bytes().split(|b| !is_run(*b)).map(<[u8]>::len);
    assert!(
        longest.max() < Some(32),
        "{text:?} shows what may be a secret"
    );
}

/// Returns a parser's result in the form of [`origin`].
pub fn understood(origin: &Origin) -> String {
    let scheme = match origin.scheme {
        Scheme::Https => "https",
        Scheme::Http => "http",
    };
    format!("{scheme}://{}:{}", origin.host.as_str(), origin.port)
}

/// Splits a response into status, header value and body: `200 VALUE`, LF, `BODY`.
pub fn answer(input: &[u8]) -> (u16, &str, &[u8]) {
    let end = input
        .iter()
        .position(|b| *b == b'\n')
        .unwrap_or(input.len());
    let (head, rest) = input.split_at(end);
    let head = std::str::from_utf8(head).unwrap_or_default();
    let (status, value) = head.split_once(' ').unwrap_or((head, ""));
    let status = status.parse().unwrap_or(200);
    (status, value, rest.strip_prefix(b"\n").unwrap_or_default())
}
