//! The host that a question names.

use crate::text::quote::is_unprintable;
use crate::url::{Origin, Scheme};

/// Whom a tool wants to log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The host, and how it is reached.
    pub origin: Origin,
    /// The username that the tool asks for, if any.
    pub username: Option<String>,
}

impl Ask {
    /// Reads a URL, or `host[:port]` with any path, which is reached by https.
    /// `None` if the text does not plainly name a host.
    pub fn of(text: &str) -> Option<Self> {
        // A fragment is no part of a question, and readers differ on where it
        // begins.
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

    /// Reads `[https://][user@]host[:port][/path]`, as a person types it.
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
