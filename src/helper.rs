//! What all helpers share. Each helper is its tool's protocol and nothing else:
//! bytes into a question, a token into bytes. It knows no key, no cache and no
//! network.

pub mod bazel;
pub mod cargo;
pub mod docker;
pub mod gcp;
pub mod git;
pub mod go;
pub mod keyring;
pub mod kubectl;
pub mod kubelet;
pub mod terraform;

use crate::quote::is_unprintable;
use crate::token::Token;
use crate::url::{Origin, Scheme};

/// Whom a tool wants to log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The host, and how it is reached.
    pub origin: Origin,
    /// The username it asks for, where it does.
    pub username: Option<String>,
}

impl Ask {
    /// Whoever serves what a text names: a URL, or `host[:port]` with any path,
    /// which is reached by https. None for what names no host plainly.
    pub fn of(text: &str) -> Option<Self> {
        // A fragment is no part of any question, and readers differ on where it
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
}

/// What a tool logs in with.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The username to show.
    pub username: &'a str,
    /// The token.
    pub token: &'a Token,
}
