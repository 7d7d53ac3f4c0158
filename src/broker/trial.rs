//! Test tokens for `doctor`: no lock, no cache write.

use std::path::PathBuf;

use super::Broker;
use crate::cache::{Entry, Slot};
use crate::error::Error;
use crate::text::clock::UnixTime;
use crate::token::{Freshness, Token};
use crate::url::Endpoints;

impl Broker<'_> {
    /// Returns a new token and its expiry, without caching it. Asks the issuer for its
    /// endpoints unless they are known.
    ///
    /// # Errors
    /// As [`Broker::token`].
    pub fn trial(&self, known: Option<&Endpoints>) -> Result<(Token, Option<UnixTime>), Error> {
        let minted = self
            .mint(known, self.request.deadline)
            .map_err(|error| self.about(error))?;
        Ok((minted.token, minted.lifespan.map(|span| span.expires_at)))
    }

    /// Returns the path of the entry's lock file; `None` without a cache.
    pub fn lock_path(&self) -> Option<PathBuf> {
        self.slot.as_ref().map(Slot::lock_path)
    }

    /// Returns the cached entry, if it is valid by the local clock.
    pub fn cached(&self) -> Option<Entry> {
        let entry = self.slot.as_ref().and_then(Slot::read)?;
        (self.freshness(&entry) != Freshness::Unusable).then_some(entry)
    }
}
