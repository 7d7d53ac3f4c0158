//! Fresh? → lock → read again → mint → store: how every token is got.
//!
//! 1. A fresh entry is returned: no lock, no network, no key parsed.
//! 2. An entry in its refresh window is renewed by whoever gets the lock at
//!    once; everybody else uses it, and so does everybody while it cannot be
//!    renewed. A try is short, and noted in the lock file: the next one follows
//!    half a minute later, so that an issuer that is down or hangs is not felt.
//! 3. Without a usable entry, or with `--refresh`, one process mints while the
//!    others wait for the lock and then find the entry.
//! 4. A token past its margin is never handed out (`token.rs`).
//! 5. The cache never stands in the way: whatever is wrong with it is a warning,
//!    and a fresh token is handed out all the same.

pub(crate) mod diagnosis;
mod jwt;
pub(crate) mod mint;
mod minted;
mod trial;
mod userinfo;

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;
use std::{io, thread};

use log::Level;
use minted::Minted;

use crate::cache::lock::Lock;
use crate::cache::{Entry, Slot};
use crate::error::{Error, Report};
use crate::grant::{Grant, KeyId, UserId};
use crate::scope::Scopes;
use crate::secret::Secret;
use crate::source::issuer::{Issuer, Network};
use crate::source::key::Key;
use crate::source::key::spec::KeySpec;
use crate::text::clock::{Clock, Deadline};
use crate::text::quote;
use crate::text::quote::system;
use crate::token::{Freshness, Token};
use crate::url::IssuerUrl;

/// How long a call that holds a good token may spend on getting a newer one, or
/// on asking whether it still is good: enough for a vault's key-command and a
/// request.
const AHEAD: Duration = Duration::from_secs(3);

/// How long after one try to get another token in a good one's place the next
/// may follow.
const PAUSE: Duration = Duration::from_secs(30);

/// Everything that a token depends on, checked.
pub struct Request<'a> {
    /// Who issues it.
    pub issuer: IssuerUrl,
    /// The key, yet to be read.
    pub key: KeySpec,
    /// What it may do.
    pub scopes: Scopes,
    /// How the issuer is reached.
    pub network: Network<'a>,
    /// Where entries lie; none for `--no-cache`.
    pub cache_dir: Option<PathBuf>,
    /// `--refresh`: a token that is minted now.
    pub refresh: bool,
    /// The bound on all waiting.
    pub deadline: Deadline,
}

/// Gets the tokens of one request.
pub struct Broker<'a> {
    request: &'a Request<'a>,
    clock: &'a Clock,
    grant: Grant,
    /// The key, where it was read for its ids, until it has signed.
    key: Cell<Option<Key>>,
    /// None where there is to be no cache, or it cannot be trusted.
    slot: Option<Slot>,
    /// Why a token that is good was not renewed now, where that was tried.
    put_off: Cell<Option<PutOff>>,
}

/// A renewal that was tried in vain, while the token is still good.
#[derive(Debug)]
pub struct PutOff {
    /// Why, on one line.
    pub why: String,
    /// How long not to try again, where the issuer asked for that.
    pub wait: Option<Duration>,
}

impl<'a> Broker<'a> {
    /// Reads the key, unless both its ids are known without.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn new(request: &'a Request<'a>, clock: &'a Clock) -> Result<Self, Error> {
        if let Some((id, user)) = request.key.ids() {
            return Ok(Self::of(request, clock, id, user, None));
        }
        let key = request
            .key
            .load(request.network.environment, &request.deadline)?;
        let (id, user) = (key.id.clone(), key.user.clone());
        Ok(Self::of(request, clock, id, user, Some(key)))
    }

    /// With ids that are known; a key that is not given is read to sign.
    pub fn of(
        request: &'a Request<'a>,
        clock: &'a Clock,
        key_id: KeyId,
        user_id: UserId,
        key: Option<Key>,
    ) -> Self {
        let grant = Grant {
            issuer: request.issuer.clone(),
            key_id,
            user_id,
            scopes: request.scopes.clone(),
        };
        let slot = request.cache_dir.as_ref().and_then(|root| {
            Slot::new(root, grant.clone())
                .inspect_err(|error| log::warn!("going on without the cache: {}", system(error)))
                .ok()
        });
        Self {
            request,
            clock,
            grant,
            key: Cell::new(key),
            slot,
            put_off: Cell::default(),
        }
    }

    /// What tokens are got for.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// A token that is good now.
    ///
    /// # Errors
    /// None can be had; the error says for which key, user and issuer.
    pub fn token(&self) -> Result<Token, Error> {
        self.any_token().map_err(|error| self.about(error))
    }

    /// Why the last token that was handed out was not renewed, where that was
    /// tried in vain.
    pub fn put_off(&self) -> Option<PutOff> {
        self.put_off.take()
    }

    /// Forgets this token, or whichever is held where none is named. Returns
    /// whether it was held.
    pub fn forget(&self, token: Option<&Secret>) -> bool {
        let removed = self.slot.as_ref().map(|slot| match token {
            Some(token) => slot.remove(token),
            None => slot.clear(),
        });
        match removed {
            Some(Ok(removed)) => removed,
            Some(Err(error)) => {
                log::warn!("the cache keeps its entry: {}", system(&error));
                false
            }
            None => false,
        }
    }

    fn any_token(&self) -> Result<Token, Error> {
        let Some(slot) = &self.slot else {
            return Ok(self.mint(None, self.request.deadline)?.token);
        };
        let held = slot.read();
        match &held {
            Some(entry) if !self.request.refresh => match self.freshness(entry) {
                Freshness::Fresh => {
                    log::info!(
                        "a good token from the cache, until {}",
                        entry.lifespan.expires_at
                    );
                    Ok(entry.token.clone())
                }
                Freshness::Refresh => self.renew(slot, entry),
                Freshness::Unusable => self.obtain(slot, None),
            },
            _ => self.obtain(slot, held.as_ref().map(|entry| &entry.token)),
        }
    }

    /// Rule 2: a newer token if it can be had at once, else the one held, unless
    /// it ended meanwhile.
    fn renew(&self, slot: &Slot, held: &Entry) -> Result<Token, Error> {
        self.newer(slot, held).or_else(|reason| {
            log::info!("the token is not renewed yet: {reason}");
            match self.freshness(held) {
                Freshness::Unusable => self.obtain(slot, None),
                Freshness::Fresh | Freshness::Refresh => Ok(held.token.clone()),
            }
        })
    }

    fn newer(&self, slot: &Slot, held: &Entry) -> Result<Token, String> {
        let lock = slot.try_lock().map_err(|error| error.to_string())?;
        let lock = lock.ok_or("another process is at it")?;
        if let Some(entry) = slot.read()
            && self.freshness(&entry) == Freshness::Fresh
        {
            return Ok(entry.token);
        }
        if self.was_tried(&lock, held) {
            return Err("that was tried a moment ago".to_owned());
        }
        // What cannot be noted is not tried: on a full disk each call would.
        lock.note_try((self.clock)())
            .map_err(|error| error.to_string())?;
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        match self.mint(Some(&held.endpoints), ahead) {
            Ok(minted) => Ok(self.store(slot, minted, Some(lock))),
            Err(error) => {
                let headline = error.report().headline();
                self.put_off.set(Some(PutOff {
                    why: headline.clone(),
                    wait: error.report().asked_wait(),
                }));
                if !matches!(error, Error::Passing(_)) {
                    // Time to act, while the one that is held still works.
                    log::warn!("the token cannot be renewed: {headline}");
                }
                Err(headline)
            }
        }
    }

    /// Whether that was tried in vain within [`PAUSE`]: since the entry is there.
    /// A note from the future is one of a clock that was set back.
    fn was_tried(&self, lock: &Lock, held: &Entry) -> bool {
        let now = (self.clock)();
        let is_recent = |last| last <= now && now.since(last) < PAUSE;
        lock.last_try()
            .is_some_and(|last| is_recent(last) && last > held.lifespan.obtained_at)
    }

    /// Rule 3: a token other than `unwanted`, minted by this process or, while
    /// it waited, by another.
    fn obtain(&self, slot: &Slot, unwanted: Option<&Token>) -> Result<Token, Error> {
        let lock = match self.wait_for_lock(slot, unwanted) {
            Waited::Locked(lock) => Some(lock),
            Waited::Served(token) => return Ok(token),
            Waited::InVain => None,
        };
        let held = slot.read();
        if let Some(token) = held.as_ref().and_then(|e| self.wanted(e, unwanted)) {
            return Ok(token);
        }
        let endpoints = held.as_ref().map(|entry| &entry.endpoints);
        let minted = self.mint(endpoints, self.request.deadline)?;
        Ok(self.store(slot, minted, lock))
    }

    /// Half of the time that is left goes to waiting; the rest is for a mint of
    /// our own, should the holder have been stopped.
    fn wait_for_lock(&self, slot: &Slot, unwanted: Option<&Token>) -> Waited {
        if let Err(error) = slot.make_directories() {
            log::warn!("going on without the cache: {}", system(&error));
            return Waited::InVain;
        }
        let patience = Deadline::after(self.request.deadline.remaining() / 2);
        let mut pause = Duration::from_millis(1);
        loop {
            match slot.try_lock() {
                Ok(Some(lock)) => return Waited::Locked(lock),
                Ok(None) => {}
                // Somebody has removed the directory meanwhile.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && !patience.remaining().is_zero()
                        && slot.make_directories().is_ok() => {}
                Err(error) => {
                    let path = slot.lock_path();
                    let (path, reason) = (quote::path(&path), system(&error));
                    log::warn!("going on without the lock {path}: {reason}");
                    return Waited::InVain;
                }
            }
            if let Some(token) = slot.read().and_then(|e| self.wanted(&e, unwanted)) {
                log::info!("a fresh token that another process has just stored");
                return Waited::Served(token);
            }
            if patience.remaining().is_zero() {
                log::warn!(
                    "going on without the lock {}: another process has held it for {} s",
                    quote::path(&slot.lock_path()),
                    patience.budget_secs()
                );
                return Waited::InVain;
            }
            thread::sleep(pause.min(patience.remaining()));
            pause = (pause * 2).min(Duration::from_millis(25));
        }
    }

    /// Rule 5: stored if it can be, handed out in any case.
    fn store(&self, slot: &Slot, minted: Minted, lock: Option<Lock>) -> Token {
        let Minted {
            token,
            lifespan,
            endpoints,
        } = minted;
        match lifespan {
            Some(lifespan) => {
                let entry = Entry {
                    token: token.clone(),
                    lifespan,
                    endpoints,
                };
                if let Err(error) = slot.replace(&entry) {
                    // Without the lock there was a warning already.
                    let level = if lock.is_some() {
                        Level::Warn
                    } else {
                        Level::Info
                    };
                    log::log!(level, "the token is not cached: {}", system(&error));
                }
            }
            None => log::info!("the token is not cached: the issuer gave no lifetime"),
        }
        if lock.is_some()
            && let Err(error) = slot.sweep((self.clock)())
        {
            log::debug!("nothing is swept: {}", system(&error));
        }
        drop(lock);
        token
    }

    fn wanted(&self, entry: &Entry, unwanted: Option<&Token>) -> Option<Token> {
        let usable = self.freshness(entry) != Freshness::Unusable;
        let same = unwanted.is_some_and(|token| token.expose() == entry.token.expose());
        (usable && !same).then(|| entry.token.clone())
    }

    fn freshness(&self, entry: &Entry) -> Freshness {
        entry.lifespan.freshness((self.clock)())
    }

    /// The issuer by what we remember of it: a quarter of the time is kept for
    /// asking it anew.
    fn with_known(&self, deadline: Deadline) -> Issuer<'_> {
        let most = Deadline::after(deadline.remaining() * 3 / 4);
        Issuer::new(&self.request.issuer, &self.request.network, most)
    }

    /// The error, with the key, user and issuer that it is about.
    pub fn about(&self, error: Error) -> Error {
        let Grant {
            issuer,
            key_id,
            user_id,
            scopes: _,
        } = &self.grant;
        let with = format!(
            "key ID {}, user ID {}, issuer {}",
            key_id.as_str(),
            user_id.as_str(),
            issuer.as_str()
        );
        error.map(|report: Report| report.with(with))
    }
}

/// How waiting for the lock ended.
enum Waited {
    Locked(Lock),
    Served(Token),
    InVain,
}
