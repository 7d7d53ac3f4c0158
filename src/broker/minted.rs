//! A token that was just minted.

use crate::token::{Lifespan, Token};
use crate::url::Endpoints;

/// A token from the issuer.
pub(super) struct Minted {
    pub(super) token: Token,
    /// `None` if the issuer gave no lifetime: the token is used once.
    pub(super) lifespan: Option<Lifespan>,
    pub(super) endpoints: Endpoints,
}
