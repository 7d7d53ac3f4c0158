//! The host that a request names.

use crate::text::quote::is_unprintable;
use crate::url::{Origin, Scheme};

/// The host, and perhaps the username, that a tool requests a login for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The host's origin.
    pub origin: Origin,
    /// The username that the tool requests, if any.
    pub username: Option<String>,
}

impl Ask {
    /// Parses a URL, or `host[:port]` with any path, which means https. `None` if
    /// the text does not clearly name a host.
    pub fn of(text: &str) -> Option<Self> {
        // No request has a fragment, and parsers differ on where one begins.
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
