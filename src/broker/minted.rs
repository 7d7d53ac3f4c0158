//! A new token.

use crate::cache::Entry;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::Endpoints;

/// A token from the source.
pub(super) struct Minted {
    pub(super) token: Token,
    /// `None` if the token's lifetime is not known: it is used once.
    pub(super) lifespan: Option<Lifespan>,
    /// `None` if no discovery was needed.
    pub(super) endpoints: Option<Endpoints>,
    /// The time of the request by the issuer's clock, if it is known.
    pub(super) issued_at: Option<UnixTime>,
}

impl Minted {
    /// Returns the entry for the local cache; `None` if the token is used once.
    pub(super) fn entry(&self) -> Option<Entry> {
        Some(Entry {
            token: self.token.clone(),
            lifespan: self.lifespan?,
            endpoints: self.endpoints.clone(),
            is_doubted: false,
        })
    }
}
