//! What all helpers share. Each helper is its tool's protocol and nothing else:
//! bytes into a question, a token into bytes. It knows no key, no cache and no
//! network.

pub mod docker;
pub mod git;
pub mod kubectl;

use crate::token::Token;
use crate::url::Origin;

/// Whom a tool wants to log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The host, and how it is reached.
    pub origin: Origin,
    /// The username it asks for, where it does.
    pub username: Option<String>,
}

/// What a tool logs in with.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The username to show.
    pub username: &'a str,
    /// The token.
    pub token: &'a Token,
}
