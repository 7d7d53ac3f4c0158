//! Requests of `doctor` and others: test tokens without lock and cache write, and the
//! known facts about the source.

use std::path::PathBuf;

use super::Broker;
use super::diagnosis::{is_believed, is_off};
use crate::cache::{Entry, Slot};
use crate::error::Error;
use crate::source::Source;
use crate::source::supplier::Supplier;
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

    /// Returns the time by the issuer's clock, if it differs from ours and is accepted:
    /// for dates that the issuer checks.
    pub fn issuer_time(&self) -> UnixTime {
        let now = (self.clock)();
        match self.issuer_clock.get() {
            Some((theirs, ours)) if is_off(theirs, ours) && is_believed(theirs, ours) => {
                theirs.plus(now.since(ours))
            }
            _ => now,
        }
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

    /// True if only the issuer issues the tokens.
    pub const fn needs_issuer(&self) -> bool {
        self.request.source.is_exchanged()
    }

    /// True if the token is an assertion of a system user.
    pub const fn is_self_signed(&self) -> bool {
        matches!(self.request.source, Source::SelfSigned(_))
    }

    /// Returns the reason why the issuer cannot be asked about a token; `None` if it can.
    pub const fn no_userinfo(&self) -> Option<&'static str> {
        match self.request.source {
            Source::SelfSigned(_) => Some("a system user has none"),
            _ if self.request.issuer.is_none() => Some("no issuer is configured"),
            _ => None,
        }
    }

    /// Returns the supplier; `None` for tokens that we or the issuer make.
    pub const fn supplier(&self) -> Option<&Supplier> {
        match &self.request.source {
            Source::Supplier(supplier) => Some(supplier),
            _ => None,
        }
    }

    /// Returns the ID of the user whose key signs; `None` for another source.
    pub fn user_id(&self) -> Option<&str> {
        let signs =
            self.request.source.key().is_some() || matches!(self.request.source, Source::Signer(_));
        signs.then(|| self.grant.user_id.as_str())
    }

    /// Returns the ID of the signing key; `None` for another source.
    pub fn key_id(&self) -> Option<&str> {
        let is_known = matches!(self.request.source, Source::Key(_) | Source::Signer(_));
        is_known.then(|| self.grant.key_id.as_str())
    }
}
