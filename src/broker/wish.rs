//! A request to the shared cache, and its outcome.

use super::minted::Minted;
use crate::cache::Entry;
use crate::error::Error;
use crate::token::Token;

/// The token that a request needs.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish<'t> {
    /// The token that is not wanted.
    pub(super) other_than: Option<&'t Token>,
    /// True if the issuer refused that token: older ones may be refused too.
    pub(super) is_refused: bool,
    /// The current token, which is still valid.
    pub(super) held: Option<&'t Entry>,
}

/// The result of one step of the test.
pub enum Step {
    /// Success.
    Done(String),
    /// A remark, and its remedy.
    Remark(String, &'static str),
}

/// The outcome of a request.
pub(super) enum Got {
    /// A new token, from the source or the shared cache.
    Token(Minted),
    /// The reason why the current token stays in use.
    Keep(String),
}

/// The reason why there is no token.
pub(super) enum Trouble {
    /// The store is not available.
    Store(Error),
    /// Anything else.
    Call(Error),
}
