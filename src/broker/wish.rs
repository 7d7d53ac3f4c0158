//! What is wanted of the shared cache, and what comes of it.

use super::minted::Minted;
use crate::cache::Entry;
use crate::error::Error;
use crate::token::Token;

/// Which token is wanted.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish<'t> {
    /// Not this one.
    pub(super) other_than: Option<&'t Token>,
    /// True if the issuer refused that one: older ones may be refused too.
    pub(super) is_refused: bool,
    /// The one at hand, which is still valid.
    pub(super) held: Option<&'t Entry>,
}

/// What a step of the way to the shared cache found.
pub enum Step {
    /// It is in order.
    Done(String),
    /// A remark, and its remedy.
    Remark(String, &'static str),
}

/// What came of it.
pub(super) enum Got {
    /// A new token, of the source or of the shared cache.
    Token(Minted),
    /// Why the one at hand stays in use.
    Keep(String),
}

/// Why there is no token.
pub(super) enum Trouble {
    /// The store is not available.
    Store(Error),
    /// Anything else.
    Call(Error),
}
