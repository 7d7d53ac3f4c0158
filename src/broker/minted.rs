//! A token that was just obtained.

use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::Endpoints;

/// A token from the source.
pub(super) struct Minted {
    pub(super) token: Token,
    /// `None` if its lifetime is not known: the token is used once.
    pub(super) lifespan: Option<Lifespan>,
    /// `None` if no discovery was needed.
    pub(super) endpoints: Option<Endpoints>,
    /// When it was asked for by the issuer's clock, if that is known.
    pub(super) issued_at: Option<UnixTime>,
}
