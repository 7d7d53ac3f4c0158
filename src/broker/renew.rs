//! Renews a token that is still valid, and stores a new one: rules 2 and 6 of the broker.

use log::Level;

use super::minted::Minted;
use super::request::FailedRenewal;
use super::wish::{Got, Wish};
use super::{AHEAD, Broker, PAUSE};
use crate::cache::lock::Lock;
use crate::cache::{Entry, Slot};
use crate::error::Error;
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::token::{Freshness, Token};

impl Broker<'_> {
    /// Rule 2: returns a newer token if it is available at once, else the cached
    /// one, unless that expired meanwhile.
    pub(super) fn renew(&self, slot: &Slot, cached: &Entry) -> Result<Token, Error> {
        self.newer(slot, cached).or_else(|reason| {
            log::info!("token not renewed yet: {reason}");
            match self.freshness(cached) {
                Freshness::Unusable => self.obtain(slot, Wish::default()),
                Freshness::Fresh | Freshness::Refresh => Ok(cached.token.clone()),
            }
        })
    }

    fn newer(&self, slot: &Slot, cached: &Entry) -> Result<Token, String> {
        let lock = slot.try_lock().map_err(|error| error.to_string())?;
        let lock = lock.ok_or("another process is renewing it")?;
        if let Some(entry) = slot.read()
            && self.freshness(&entry) == Freshness::Fresh
        {
            return Ok(entry.token);
        }
        if self.was_tried(&lock, cached) {
            return Err("the last attempt was less than 30 s ago".to_owned());
        }
        // Without the record there is no attempt: on a full disk, every call would make
        // one.
        lock.note_try((self.clock)())
            .map_err(|error| error.to_string())?;
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        let wish = Wish {
            held: Some(cached),
            ..Wish::default()
        };
        match self.fetch(Some(slot), cached.endpoints.as_ref(), ahead, wish) {
            Ok(Got::Token(minted)) => Ok(self.store(slot, minted, Some(lock))),
            Ok(Got::Keep(reason)) => Err(reason),
            Err(error) => {
                let failed = FailedRenewal {
                    why: error.report().headline(),
                    wait: error.report().retry_after(),
                    kind: error.kind(),
                };
                if !matches!(error, Error::Passing(_)) {
                    // The user can still act while the cached token is valid.
                    log::warn!("{failed}");
                }
                let why = failed.why.clone();
                self.failed_renewal.set(Some(failed));
                Err(why)
            }
        }
    }

    /// True if a renewal of this entry failed within the last [`PAUSE`]. A record from
    /// the future is ignored: the clock was set back.
    fn was_tried(&self, lock: &Lock, cached: &Entry) -> bool {
        let now = (self.clock)();
        let is_recent = |last| last <= now && now.since(last) < PAUSE;
        lock.last_try()
            .is_some_and(|last| is_recent(last) && last > cached.lifespan.obtained_at)
    }

    /// Rule 6: stores the token if possible, and always returns it.
    pub(super) fn store(&self, slot: &Slot, minted: Minted, lock: Option<Lock>) -> Token {
        match minted.entry() {
            Some(entry) => {
                if let Err(error) = slot.replace(&entry) {
                    // A missing lock already caused a warning.
                    let level = if lock.is_some() {
                        Level::Warn
                    } else {
                        Level::Info
                    };
                    log::log!(level, "token not cached: {}", system(&error));
                }
            }
            None => log::info!("token not cached: the issuer sent no expires_in"),
        }
        if lock.is_some()
            && let Err(error) = slot.sweep((self.clock)())
        {
            log::debug!("cannot remove abandoned files: {}", system(&error));
        }
        drop(lock);
        minted.token
    }
}
