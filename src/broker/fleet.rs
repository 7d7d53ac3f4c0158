//! Gets a new token through the shared cache, if the profile has one: a call uses another
//! machine's token, and one machine at a time mints.
//!
//! A failing store costs a limited time, and then no call uses it for half a minute. A
//! token that is still valid is used meanwhile; without one, `on-failure` decides.

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

/// Pause after a failure of the store.
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
            let store = self.store_of(settings, limits, deadline)?;
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

    /// Returns the shared cache's result for the last token; `None` if it was not asked.
    pub fn shared_use(&self) -> Option<Use> {
        self.shared_use.get()
    }

    /// Returns the store, whose names come from the key. The deadline is that of reading
    /// the key; the store's own limits are shorter, and after a mint that took until the
    /// deadline, the lock must still be released.
    pub(super) fn store_of<'s>(
        &'s self,
        settings: &'s Settings,
        limits: Limits,
        deadline: Deadline,
    ) -> Result<Store<'s>, Error> {
        let seal = self.seal(settings, deadline)?;
        let environment = self.request.network.environment;
        let terms = (limits, self.request.deadline);
        Store::new(settings, environment, seal, &self.grant, terms)
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
                // The key signs the assertion too: a key-command may need a touch each
                // time.
                self.loaded.set(Some(super::Loaded::Key(key)));
                signature
            }
            // The configuration excludes the others.
            (None, source) => {
                let what = format!("{source} has no key to seal shared tokens with");
                return Err(Error::Usage(Report::new(what).hint("set seal-key-file")));
            }
        };
        Seal::derive(&secret, &self.grant).map_err(Error::Final)
    }

    /// Returns the time up to which entries of the store are not used: that of a refused
    /// token. It is by the local clock, and entries have the issuer's: if the local clock is
    /// ahead, a newer entry may be ignored, which costs a token request; if it is behind,
    /// an older one may be used, which is refused in its turn.
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

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn a_seal_key_that_does_not_come_ends_with_the_short_limit_of_a_held_token() {
        use std::io;
        use std::os::fd::AsRawFd;
        use std::time::Instant;

        use super::*;
        use crate::broker::request::Request;
        use crate::cache::Entry;
        use crate::cache::shared::address::Address;
        use crate::grant::{KeyId, UserId};
        use crate::net::http::Network;
        use crate::scope::Scopes;
        use crate::source::supplier::Supplier;
        use crate::token::Lifespan;

        let (reader, writer) = io::pipe().expect("a pipe");
        let request = Request {
            issuer: None,
            source: Source::Supplier(Supplier::File("token".into())),
            token_endpoint: None,
            scopes: Scopes::new(["openid"]).expect("scopes"),
            network: Network {
                ca_file: None,
                allow_http: false,
                environment: &|_| None,
            },
            cache_dir: None,
            shared: Some(Settings {
                address: Address::Local("/absent".into()),
                username: None,
                password: None,
                ca_file: None,
                pool: String::new(),
                seal_key_file: Some(format!("/dev/fd/{}", reader.as_raw_fd()).into()),
                on_failure: OnFailure::Mint,
                max_age: None,
            }),
            refresh: false,
            deadline: Deadline::after(Duration::from_secs(30)),
        };
        let (key, user) = (KeyId::derived("test", []), UserId::of_token());
        let broker = Broker::of(&request, &UnixTime::now, key, user, None);
        let lifespan = Lifespan {
            obtained_at: UnixTime::now(),
            expires_at: UnixTime::now().plus(Duration::from_secs(60)),
        };
        let held = Entry {
            token: Token::new("abc".into(), Some(lifespan)).expect("a b64token"),
            lifespan,
            endpoints: None,
            is_doubted: false,
        };
        let wish = Wish {
            held: Some(&held),
            ..Wish::default()
        };
        let start = Instant::now();
        let ahead = Deadline::after(Duration::from_millis(20));
        let error = broker.fetch(None, None, ahead, wish).err().expect("none");
        assert!(start.elapsed() < Duration::from_secs(10));
        let said = error.report().headline();
        assert!(said.contains("not complete within 1 s"), "{said}");
        drop(writer);
    }
}
