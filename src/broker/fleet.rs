//! Gets a new token through the shared cache, if the profile has one: what another machine
//! has published is used, and one machine at a time mints.
//!
//! A store in trouble costs a bounded time, and then no call reaches for it for half a
//! minute. While a token is at hand, that one is used; else `on-failure` decides.

use std::time::Duration;

use super::Broker;
use super::turn::Turn;
use super::wish::{Got, Trouble, Wish};
use crate::cache::Slot;
use crate::cache::shared::seal::{Seal, message};
use crate::cache::shared::store::{Limits, Store};
use crate::cache::shared::{OnFailure, Settings, Use};
use crate::error::{Error, Report};
use crate::net::wire::Patience;
use crate::source::{Source, assertion};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::system;
use crate::token::Token;
use crate::url::Endpoints;

/// For how long a store that was not available is left alone.
const SKIPPED: Duration = Duration::from_secs(30);

impl Broker<'_> {
    /// Gets a new token from the shared cache, or else from the source.
    pub(super) fn fetch(
        &self,
        slot: Option<&Slot>,
        known: Option<&Endpoints>,
        deadline: Deadline,
        wish: Wish<'_>,
    ) -> Result<Got, Error> {
        let Some(settings) = &self.request.shared else {
            return self.mint(known, deadline).map(Got::Token);
        };
        let reason = if slot.is_some_and(|slot| self.is_skipped(slot)) {
            log::info!("without the shared cache: it was not available less than 30 s ago");
            Report::new("not available less than 30 s ago")
        } else {
            let limits = match wish.held {
                Some(_) => Limits::HELD,
                None => Limits::NEEDED,
            };
            let store = self.store_of(settings, limits)?;
            let floor = Self::floor(slot, wish);
            let turn = Turn::new(self, store, (known, deadline), wish, (slot, floor));
            match turn.run() {
                Ok(got) => return Ok(got),
                Err(Trouble::Call(error)) => return Err(error),
                Err(Trouble::Store(error)) => {
                    let headline = error.report().headline();
                    log::warn!("continuing without the shared cache: {headline}");
                    self.skip(slot);
                    error.into_report()
                }
            }
        };
        self.shared_use.set(Some(Use::Failure));
        match (wish.held, settings.on_failure) {
            (Some(_), _) => Ok(Got::Keep("the shared cache is not available".to_owned())),
            (None, OnFailure::Mint) => self.mint(known, deadline).map(Got::Token),
            (None, OnFailure::Fail) => Err(Error::Passing(
                reason
                    .about(&format!("shared cache {}", settings.address))
                    .hint("set on-failure = \"mint\" in the profile's table shared to request a token without it"),
            )),
        }
    }

    /// Returns what the last token had of the shared cache; `None` if it was not asked.
    pub fn shared_use(&self) -> Option<Use> {
        self.shared_use.get()
    }

    /// Returns the store, whose names come from the key.
    pub(super) fn store_of<'s>(
        &'s self,
        settings: &'s Settings,
        limits: Limits,
    ) -> Result<Store<'s>, Error> {
        let deadline = self.request.deadline;
        let seal = self.seal(settings, deadline)?;
        let environment = self.request.network.environment;
        let terms = (limits, deadline);
        Ok(Store::new(settings, environment, seal, &self.grant, terms))
    }

    /// Derives the seal: from the file, or else from a signature of the key.
    fn seal(&self, settings: &Settings, deadline: Deadline) -> Result<Seal, Error> {
        let patience = Patience {
            step: deadline.remaining(),
            deadline,
        };
        let secret = match (settings.seal_key(patience)?, &self.request.source) {
            (Some(secret), _) => secret,
            (None, Source::Key(spec)) => {
                let key = self.take_key(spec, deadline)?;
                let signature = assertion::signature_of(&key, &message(&self.grant))
                    .map_err(|report| self.bad_key(report))?;
                // It signs the assertion too: a key-command may ask for a touch each time.
                self.loaded.set(Some(super::Loaded::Key(key)));
                signature
            }
            // What a configuration never has.
            (None, source) => {
                let what = format!("{source} has no key to seal shared tokens with");
                return Err(Error::Usage(Report::new(what).hint("set seal-key-file")));
            }
        };
        Seal::derive(&secret, &self.grant).map_err(Error::Final)
    }

    /// Returns the time up to which entries of the store are not used, by the issuer's
    /// clock: that of a token which was refused.
    fn floor(slot: Option<&Slot>, wish: Wish<'_>) -> Option<UnixTime> {
        let noted = slot.and_then(Slot::floor);
        let refused = wish.other_than.filter(|_| wish.is_refused);
        let refused = refused.and_then(Token::lifespan);
        noted.max(refused.map(|lifespan| lifespan.obtained_at))
    }

    fn is_skipped(&self, slot: &Slot) -> bool {
        let now = (self.clock)();
        let since = slot.store_trouble();
        since.is_some_and(|since| since <= now && now.since(since) < SKIPPED)
    }

    fn skip(&self, slot: Option<&Slot>) {
        let noted = slot.map(|slot| slot.note_store_trouble((self.clock)()));
        if let Some(Err(error)) = noted {
            log::debug!(
                "cannot note the failure of the shared cache: {}",
                system(&error)
            );
        }
    }
}
