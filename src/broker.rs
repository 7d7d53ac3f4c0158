//! Gets tokens: fresh? → lock → read again → get → store.
//!
//! 1. A fresh entry is returned without lock, network or key.
//! 2. An entry in its refresh window is renewed by the process that gets the lock at
//!    once. All others keep using the entry, even while the renewal fails. An attempt is
//!    short, and the lock file records it: the next attempt follows half a minute later,
//!    so that a failing issuer delays no call.
//! 3. Without a usable entry, or with `--refresh`, one process mints. The others
//!    wait, and read the new entry (`obtain.rs`).
//! 4. A token of the cache or the issuer is never returned past its margin (`token.rs`). A
//!    supplier's token (`token-file`, `token-command`) is returned until it expires.
//! 5. An entry that a server refused is checked with the issuer, and replaced only if
//!    the issuer refuses it too, or cannot check it (`userinfo.rs`).
//! 6. A broken cache never blocks a call: it is a warning, and the call gets a
//!    fresh token.

pub(crate) mod diagnosis;
mod fleet;
mod fleet_trial;
mod jwt;
mod mint;
mod minted;
mod obtain;
mod renew;
mod request;
pub(crate) mod secrets;
mod trial;
mod turn;
mod userinfo;
pub(crate) mod wish;

use std::cell::Cell;
use std::time::Duration;

use minted::Minted;
pub use request::{FailedRenewal, KeyRead, Loaded, Request};
use wish::{Got, Wish};

use crate::cache::shared::Use;
use crate::cache::{Entry, Slot};
use crate::error::{Error, Report};
use crate::grant::{Grant, KeyId, UserId};
use crate::secret::Secret;
use crate::source::Source;
use crate::source::client::Client;
use crate::source::issuer::Issuer;
use crate::source::key::Key;
use crate::source::supplier::Supplier;
use crate::text::clock::{Clock, Deadline, UnixTime};
use crate::text::quote::system;
use crate::token::{Freshness, Token};

/// Time limit for renewing or checking a token that is still valid: enough for a vault's
/// key-command and one request.
const AHEAD: Duration = Duration::from_secs(3);

/// Minimum time between two attempts to replace a token that is still valid.
const PAUSE: Duration = Duration::from_secs(30);

/// Gets the tokens of one request.
pub struct Broker<'a> {
    request: &'a Request<'a>,
    clock: &'a Clock,
    grant: Grant,
    /// The key or secret that was read for the grant, until its use.
    loaded: Cell<Option<Loaded>>,
    /// The key that was read last, if any.
    key_read: Cell<Option<KeyRead>>,
    /// `None` for `--no-cache`, or if the cache cannot be trusted.
    slot: Option<Slot>,
    /// The last failed renewal of a token that was still valid.
    failed_renewal: Cell<Option<FailedRenewal>>,
    /// The shared cache's result for the last token.
    shared_use: Cell<Option<Use>>,
    /// True if the issuer was asked for the last token.
    has_asked: Cell<bool>,
    /// True if the issuer was asked about the token, and accepts it.
    is_accepted: Cell<bool>,
    /// The issuer's clock and ours, at its last token.
    issuer_clock: Cell<Option<(UnixTime, UnixTime)>>,
}

impl<'a> Broker<'a> {
    /// Creates a broker. Reads the source, unless the grant is known without it.
    ///
    /// # Errors
    /// The key or the client secret cannot be read.
    pub fn new(request: &'a Request<'a>, clock: &'a Clock) -> Result<Self, Error> {
        let environment = request.network.environment;
        let deadline = &request.deadline;
        Ok(match &request.source {
            Source::Key(key) | Source::SelfSigned(key) => {
                if let Some((id, user)) = key.ids() {
                    Self::of(request, clock, id, user, None)
                } else {
                    Self::of_key(request, clock, key.load(environment, deadline)?)
                }
            }
            Source::Signer(signer) => {
                Self::of(request, clock, signer.id.clone(), signer.user.clone(), None)
            }
            Source::Client(client) => {
                let secret = client.load(environment, deadline)?;
                Self::of_client(request, clock, client, secret)
            }
            Source::Supplier(supplier) => {
                let (id, user) = supplier.ids(environment);
                Self::of(request, clock, id, user, None)
            }
        })
    }

    /// Creates a broker with a key that is already read.
    pub fn of_key(request: &'a Request<'a>, clock: &'a Clock, key: Key) -> Self {
        let (id, user) = (key.id.clone(), key.user.clone());
        Self::of(request, clock, id, user, Some(Loaded::Key(key)))
    }

    /// Creates a broker with a client secret that is already read.
    pub fn of_client(
        request: &'a Request<'a>,
        clock: &'a Clock,
        client: &Client,
        secret: Secret,
    ) -> Self {
        let (id, user) = (client.key_id(&secret), client.id.clone());
        Self::of(request, clock, id, user, Some(Loaded::ClientSecret(secret)))
    }

    /// Creates a broker from known IDs. Without `loaded`, the source is read when it is
    /// used.
    pub fn of(
        request: &'a Request<'a>,
        clock: &'a Clock,
        key_id: KeyId,
        user_id: UserId,
        loaded: Option<Loaded>,
    ) -> Self {
        let key_id = named(&request.source, key_id);
        let grant = Grant {
            issuer: request.issuer.clone(),
            key_id,
            user_id,
            scopes: request.scopes.clone(),
        };
        // A file is always available.
        let is_file = matches!(&request.source, Source::Supplier(Supplier::File(_)));
        let root = request.cache_dir.as_ref().filter(|_| !is_file);
        let slot = root.and_then(|root| {
            Slot::new(root, grant.clone())
                .inspect_err(|error| log::warn!("continuing without the cache: {}", system(error)))
                .ok()
        });
        Self {
            request,
            clock,
            grant,
            key_read: Cell::new(match &loaded {
                Some(Loaded::Key(key)) => Some(KeyRead::of(key)),
                _ => None,
            }),
            loaded: Cell::new(loaded),
            slot,
            failed_renewal: Cell::default(),
            shared_use: Cell::default(),
            has_asked: Cell::default(),
            is_accepted: Cell::default(),
            issuer_clock: Cell::default(),
        }
    }

    /// Returns the grant of the tokens.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Returns the facts about the key; `None` if it was not read yet.
    pub const fn key_read(&self) -> Option<KeyRead> {
        self.key_read.get()
    }

    /// Returns the username for a tool whose host rule has none: the user ID or client
    /// ID; for a supplier's token, its subject if it has one, else `token`.
    pub fn username(&self, token: &Token) -> String {
        let subject = match &self.request.source {
            Source::Supplier(_) => token.subject(),
            _ => None,
        };
        let user = subject.as_ref().unwrap_or(&self.grant.user_id);
        user.as_str().to_owned()
    }

    /// Returns the username, as far as it is known without a token.
    pub fn known_username(&self) -> String {
        let token = match &self.request.source {
            Source::Supplier(Supplier::File(_)) => self.token().ok(),
            Source::Supplier(_) => {
                let entry = self.slot.as_ref().and_then(Slot::read);
                entry.map(|entry| entry.token)
            }
            _ => None,
        };
        match token {
            Some(token) => self.username(&token),
            None => self.grant.user_id.as_str().to_owned(),
        }
    }

    /// Returns a valid token.
    ///
    /// # Errors
    /// No token is available; the error names the key, the user and the issuer.
    pub fn token(&self) -> Result<Token, Error> {
        self.any_token().map_err(|error| self.about(error))
    }

    /// Returns the renewal that failed before the last token was returned, if any.
    pub fn failed_renewal(&self) -> Option<FailedRenewal> {
        self.failed_renewal.take()
    }

    /// Records that a server refused this token: the next call asks the issuer about it.
    /// Returns true if the token is cached.
    pub fn doubt(&self, token: &Secret) -> bool {
        let doubted = self.slot.as_ref().map(|slot| slot.set_doubt(token, true));
        doubted.is_some_and(|doubted| {
            doubted.unwrap_or_else(|error| {
                log::warn!("cannot change the cache entry: {}", system(&error));
                false
            })
        })
    }

    /// Removes this token from the cache, or the cached one if `None`. Returns true if it
    /// was removed.
    pub fn forget(&self, token: Option<&Secret>) -> bool {
        let removed = self.slot.as_ref().map(|slot| match token {
            Some(token) => slot.remove(token),
            None => slot.clear(),
        });
        match removed {
            Some(Ok(removed)) => removed,
            Some(Err(error)) => {
                log::warn!("cannot remove the cache entry: {}", system(&error));
                false
            }
            None => false,
        }
    }

    fn any_token(&self) -> Result<Token, Error> {
        let Some(slot) = &self.slot else {
            let got = self.fetch(None, None, self.request.deadline, Wish::default())?;
            return token_of(got).map(|minted| minted.token);
        };
        let cached = slot.read();
        let Some(entry) = cached.as_ref().filter(|_| !self.request.refresh) else {
            let other_than = cached.as_ref().map(|entry| &entry.token);
            return self.obtain(
                slot,
                Wish {
                    other_than,
                    ..Wish::default()
                },
            );
        };
        let freshness = self.freshness(entry);
        if entry.is_doubted
            && freshness != Freshness::Unusable
            && let Some(token) = self.settle(slot, entry)?
        {
            return Ok(token);
        }
        match freshness {
            Freshness::Fresh => {
                log::info!(
                    "using the cached token, valid until {}",
                    entry.lifespan.expires_at
                );
                Ok(entry.token.clone())
            }
            Freshness::Refresh => self.renew(slot, entry),
            Freshness::Unusable => self.obtain(slot, Wish::default()),
        }
    }

    fn wanted(&self, entry: &Entry, unwanted: Option<&Token>) -> Option<Token> {
        let usable = self.freshness(entry) != Freshness::Unusable;
        let same = unwanted.is_some_and(|token| token.expose() == entry.token.expose());
        (usable && !same).then(|| entry.token.clone())
    }

    fn freshness(&self, entry: &Entry) -> Freshness {
        entry.lifespan.freshness((self.clock)())
    }

    /// Returns the issuer's client.
    fn issuer(&self, deadline: Deadline) -> Result<Issuer<'_>, Error> {
        let url = self.request.issuer.as_ref().ok_or_else(|| {
            let what = "no issuer is configured, so the token cannot be checked";
            Error::Usage(Report::new(what).hint("set issuer in the profile, or give --issuer"))
        })?;
        Ok(Issuer::new(url, &self.request.network, deadline))
    }

    /// Returns the issuer's client for a request to a remembered endpoint, with three
    /// quarters of the time: the rest is for another discovery.
    fn with_known(&self, deadline: Deadline) -> Result<Issuer<'_>, Error> {
        self.issuer(Deadline::after(deadline.remaining() * 3 / 4))
    }

    /// Returns the error with the source's IDs and the issuer added.
    pub fn about(&self, error: Error) -> Error {
        let (id, user) = (self.grant.key_id.as_str(), self.grant.user_id.as_str());
        let of_source = match &self.request.source {
            Source::Key(_) | Source::Signer(_) => Some(format!("key ID {id}, user ID {user}")),
            Source::SelfSigned(_) => Some(format!("user ID {user}")),
            Source::Client(_) => Some(format!("client ID {user}")),
            // A supplier's errors begin with its name.
            Source::Supplier(_) => None,
        };
        let issuer = self.grant.issuer.as_ref();
        let issuer = issuer.map(|url| format!("issuer {}", url.as_str()));
        let with: Vec<_> = of_source.into_iter().chain(issuer).collect();
        if with.is_empty() {
            return error;
        }
        error.map(|report: Report| report.with(with.join(", ")))
    }
}

/// Returns the token; without an existing one there always is a new one.
fn token_of(got: Got) -> Result<Minted, Error> {
    match got {
        Got::Token(minted) => Ok(minted),
        Got::Keep(reason) => Err(Error::Passing(Report::new(reason))),
    }
}

/// Returns the key ID of a grant. With the same key, an issuer's token and a self-signed
/// one get different IDs.
fn named(source: &Source, key_id: KeyId) -> KeyId {
    match source {
        Source::SelfSigned(_) => KeyId::derived("self", [key_id.as_str()]),
        _ => key_id,
    }
}
