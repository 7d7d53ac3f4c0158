//! A token for the proof of it: nothing is locked, stored or noted.

use std::path::PathBuf;

use super::Broker;
use crate::cache::{Entry, Slot};
use crate::error::Error;
use crate::text::clock::UnixTime;
use crate::token::{Freshness, Token};
use crate::url::Endpoints;

impl Broker<'_> {
    /// A new token and its end, which the cache does not hear of.
    ///
    /// # Errors
    /// As [`Broker::token`].
    pub fn trial(&self, known: &Endpoints) -> Result<(Token, Option<UnixTime>), Error> {
        let minted = self
            .mint(Some(known), self.request.deadline)
            .map_err(|error| self.about(error))?;
        Ok((minted.token, minted.lifespan.map(|span| span.expires_at)))
    }

    /// The lock file of this grant's entry, where there is a cache.
    pub fn lock_path(&self) -> Option<PathBuf> {
        self.slot.as_ref().map(Slot::lock_path)
    }

    /// The token that the cache holds and that is good by our clock.
    pub fn held(&self) -> Option<Entry> {
        let entry = self.slot.as_ref().and_then(Slot::read)?;
        (self.freshness(&entry) != Freshness::Unusable).then_some(entry)
    }
}
