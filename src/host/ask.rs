//! The host of a tool's request.

use crate::text::quote::is_unprintable;
use crate::url::{Origin, Scheme};

/// The host, and perhaps the username, of a tool's request for a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The host's origin.
    pub origin: Origin,
    /// The username that the tool requests, if any.
    pub username: Option<String>,
}

impl Ask {
    /// Parses a URL, or `host[:port]` with any path, which means https. `None` if the
    /// host is not clear.
    pub fn of(text: &str) -> Option<Self> {
        // No request has a fragment, and parsers disagree on its start.
        if text.contains('#') || text.contains(is_unprintable) {
            return None;
        }
        let origin = if text.contains("://") {
            Origin::parse_url(text)?.0
        } else {
            let end = text.find('/').unwrap_or(text.len());
            Origin::new(Scheme::Https, &text[..end])?
        };
        Some(Self {
            origin,
            username: None,
        })
    }

    /// Parses a URL with an optional username, `https://user@host/path`. `None` as for
    /// [`Ask::of`], and if the URL has a password.
    pub fn of_url_with_user(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let Some((encoded, _)) = authority.split_once('@') else {
            return Self::of(url);
        };
        let host = &rest[encoded.len() + 1..];
        let username = decoded(encoded)?;
        Some(Self {
            username: Some(username).filter(|name| !name.is_empty()),
            ..Self::of(&format!("{scheme}://{host}"))?
        })
    }

    /// Parses a typed `[https://][user@]host[:port][/path]`.
    pub fn typed(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Scheme::parse(scheme)?, rest),
            None => (Scheme::Https, text),
        };
        let authority = rest.split('/').next()?;
        let (username, authority) = match authority.rsplit_once('@') {
            Some((username, authority)) => (Some(username.to_owned()), authority),
            None => (None, authority),
        };
        Some(Self {
            origin: Origin::new(scheme, authority)?,
            username,
        })
    }
}

/// Decodes a URL's username, in which all but the unreserved characters are
/// percent-encoded (RFC 3986, section 2.3). `None` if the encoding is invalid, or if the
/// username is not printable on one line.
fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first.is_ascii_alphanumeric() || b"-._~".contains(&first) {
            bytes.push(first);
            continue;
        }
        if first != b'%' {
            return None;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    let name = String::from_utf8(bytes).ok()?;
    (!name.contains(is_unprintable)).then_some(name)
}
