//! A call's way through the shared cache: an entry, a turn to mint, or a wait for the
//! machine whose turn it is.

use std::thread;
use std::time::Duration;

use super::Broker;
use super::minted::Minted;
use super::wish::{Got, Trouble, Wish};
use crate::cache::Slot;
use crate::cache::shared::entry::{self, Shared};
use crate::cache::shared::pauses::LONGEST_BAN;
use crate::cache::shared::store::{LEASE, Limits, Look, Store};
use crate::cache::shared::{OnFailure, Use};
use crate::error::{Error, Report};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::system;
use crate::text::waiting::Wait;
use crate::token::{Freshness, Token};
use crate::url::Endpoints;

/// The longest wait for another machine.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The first and the longest pause between two reads.
const PAUSES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

/// The growth of these pauses. With 2, a machine can wait twice as long as it needs to.
const GROWTH: f64 = 1.4;

/// The pause between two reads during a ban.
const BANNED: Duration = Duration::from_secs(1);

/// The issuer's ban of an address, if it names no time.
const BAN: Duration = Duration::from_secs(60);

/// Maximum random addition to a ban, so that not all machines return at once.
const JITTER: f64 = 10.0;

/// The limits for publishing a new token.
const PUBLISHING: Limits = Limits {
    step: Duration::from_millis(500),
    all: Duration::from_secs(1),
};

/// One call's turn.
pub(super) struct Turn<'t> {
    broker: &'t Broker<'t>,
    store: Store<'t>,
    known: Option<&'t Endpoints>,
    deadline: Deadline,
    wish: Wish<'t>,
    slot: Option<&'t Slot>,
    /// Entries up to this time are not used.
    floor: Option<UnixTime>,
    /// With `--refresh`, the generation at the start, and its time.
    replaced: Option<(String, UnixTime)>,
}

impl<'t> Turn<'t> {
    pub(super) const fn new(
        broker: &'t Broker<'t>,
        store: Store<'t>,
        (known, deadline): (Option<&'t Endpoints>, Deadline),
        wish: Wish<'t>,
        (slot, floor): (Option<&'t Slot>, Option<UnixTime>),
    ) -> Self {
        Self {
            broker,
            store,
            known,
            deadline,
            wish,
            slot,
            floor,
            replaced: None,
        }
    }

    /// Returns an entry of the store, or a new token if it is this call's turn.
    pub(super) fn run(mut self) -> Result<Got, Trouble> {
        let longest = LONGEST_WAIT.min(self.deadline.remaining() * 2 / 3);
        let mut patience = Deadline::after(longest);
        let mut look = self.store.look(self.now()).map_err(Trouble::Store)?;
        self.begin(&look);
        // The generation whose lock this call has, and the end of a ban as first seen.
        let (mut taken, mut has_lost): (Option<String>, bool) = (None, false);
        let mut ban_end: Option<Deadline> = None;
        let (mut pause, longest_pause) = PAUSES;
        let mut wait = None;
        loop {
            let usable = self.usable(&look);
            let is_fresh =
                |shared: &Shared| shared.lifespan.freshness(self.now()) == Freshness::Fresh;
            let usable = match usable {
                Some(shared) if is_fresh(&shared) => return Ok(self.hit(shared)),
                usable => usable,
            };
            // The former holder of the lock may have failed just now.
            if let Some(why) = look.pause.take() {
                self.give_up(taken.take());
                if usable.is_some() || self.wish.held.is_some() {
                    return Ok(self.at_hand(usable, "another machine failed to renew it"));
                }
                return Err(Trouble::Call(paused(&why)));
            }
            if let Some(ban) = look.ban {
                let end = *ban_end.get_or_insert_with(|| Deadline::after(ban));
                if !end.remaining().is_zero() {
                    self.give_up(taken.take());
                }
                if usable.is_some() || self.wish.held.is_some() {
                    return Ok(self.at_hand(usable, BANNED_WHY));
                }
                let left = self.deadline.remaining();
                // If the ban lasts longer than the call, waiting would end in a timeout.
                if left <= BANNED * 2 || end.remaining() > left {
                    return Err(Trouble::Call(banned(ban)));
                }
                // A store could keep a ban forever.
                if !end.remaining().is_zero() {
                    wait.get_or_insert_with(|| Wait::of(|| BANNED_WHY.to_owned()));
                    self.broker.drop_key();
                    thread::sleep(BANNED.mul_f64(0.75 + fastrand::f64() / 2.0));
                    patience = Deadline::after(longest.min(self.deadline.remaining() * 2 / 3));
                    look = self.store.look(self.now()).map_err(Trouble::Store)?;
                    continue;
                }
            }
            if taken.is_some() && taken.as_deref() == Some(look.generation()) {
                return self.lead(taken, &look);
            }
            if has_lost {
                if usable.is_some() || self.wish.held.is_some() {
                    return Ok(self.at_hand(usable, "another machine is renewing it"));
                }
                if patience.remaining().is_zero() {
                    return self.take_over(&look);
                }
                wait.get_or_insert_with(|| Wait::of(|| "the token of another machine".to_owned()));
                self.broker.drop_key();
                thread::sleep(
                    pause
                        .mul_f64(0.5 + fastrand::f64() / 2.0)
                        .min(patience.remaining()),
                );
                pause = pause.mul_f64(GROWTH).min(longest_pause);
            }
            let generation = look.generation().to_owned();
            look = self
                .store
                .contend(&generation, self.now())
                .map_err(Trouble::Store)?;
            match std::mem::replace(&mut look.lock, Ok(false)) {
                Ok(true) => taken = Some(generation),
                Ok(false) => {}
                // A full store or a replica may still have a token.
                Err(error) => {
                    let usable = self.usable(&look);
                    return usable
                        .map(|shared| self.hit(shared))
                        .ok_or(Trouble::Store(error));
                }
            }
            has_lost = true;
        }
    }

    /// Releases a lock that this call does not need.
    fn give_up(&mut self, lock: Option<String>) {
        if let Some(lock) = lock
            && let Err(error) = self.store.unlock(&lock)
        {
            log::debug!("shared cache: {}", error.report().headline());
        }
    }

    /// Records from the entry at the start which tokens are unwanted.
    fn begin(&mut self, look: &Look) {
        let Some(opened) = &look.entry else { return };
        if self.broker.request.refresh {
            self.replaced = Some((opened.generation.clone(), opened.obtained_at));
        }
        if let (true, Some(refused)) = (self.wish.is_refused, self.wish.other_than) {
            let shared = entry::read(opened, self.now());
            if shared.is_some_and(|shared| shared.token.expose() == refused.expose()) {
                self.floor = self.floor.max(Some(opened.obtained_at));
            }
        }
        if let (true, Some(slot), Some(floor)) = (self.wish.is_refused, self.slot, self.floor)
            && let Err(error) = slot.note_floor(floor)
        {
            log::debug!("cannot note the refused token: {}", system(&error));
        }
    }

    /// Returns the entry, if the wish accepts it.
    fn usable(&self, look: &Look) -> Option<Shared> {
        let now = self.now();
        let shared = entry::read(look.entry.as_ref()?, now)?;
        let settings = self.broker.request.shared.as_ref()?;
        let age = now.since(shared.lifespan.obtained_at);
        let is_older = |token: &Token| {
            let lifespan = token.lifespan();
            lifespan.is_some_and(|lifespan| shared.obtained_at <= lifespan.obtained_at)
        };
        let is_unwanted = |token: &Token| token.expose() == shared.token.expose();
        let is_replaced = self.replaced.as_ref().is_some_and(|(generation, at)| {
            *generation == shared.generation || shared.obtained_at < *at
        });
        let is_no_newer = self.wish.held.is_some_and(|held| {
            is_unwanted(&held.token) || shared.lifespan.expires_at <= held.lifespan.expires_at
        });
        let is_out = shared.lifespan.freshness(now) == Freshness::Unusable
            || settings.max_age.is_some_and(|most| age > most)
            || self.floor.is_some_and(|floor| shared.obtained_at <= floor)
            || self
                .wish
                .other_than
                .is_some_and(|token| is_unwanted(token) || is_older(token))
            || is_replaced
            || is_no_newer;
        (!is_out).then_some(shared)
    }

    fn hit(&self, shared: Shared) -> Got {
        log::info!("using the token of the shared cache");
        self.broker.shared_use.set(Some(Use::Hit));
        Got::Token(Minted {
            token: shared.token,
            lifespan: Some(shared.lifespan),
            endpoints: shared.endpoints,
            issued_at: None,
        })
    }

    /// Returns the entry in its refresh window, or keeps the current token, with the
    /// reason.
    fn at_hand(&self, usable: Option<Shared>, reason: &str) -> Got {
        match usable {
            Some(shared) => self.hit(shared),
            None => Got::Keep(reason.to_owned()),
        }
    }

    /// Mints beside the machine whose turn it is, which makes no progress.
    fn take_over(self, look: &Look) -> Result<Got, Trouble> {
        let settings = self.broker.request.shared.as_ref();
        if settings.is_some_and(|settings| settings.on_failure == OnFailure::Fail) {
            let what =
                "no token of the shared cache: another machine has the lock and has published none";
            let report =
                Report::new(what).hint("try again: its request to the issuer may take long");
            return Err(Trouble::Call(Error::Passing(report)));
        }
        log::warn!(
            "continuing without the lock of the shared cache: another machine has held it for long"
        );
        self.lead(None, look)
    }

    /// Mints, and publishes the token, or the reason why there is none.
    fn lead(mut self, taken: Option<String>, look: &Look) -> Result<Got, Trouble> {
        let broker = self.broker;
        broker.shared_use.set(Some(Use::Miss));
        broker.has_asked.set(false);
        let lease = Deadline::after(LEASE);
        let shared = look
            .entry
            .as_ref()
            .and_then(|opened| entry::read(opened, self.now()));
        let endpoints = shared.and_then(|shared| shared.endpoints);
        let minted = broker.mint(self.known.or(endpoints.as_ref()), self.deadline);
        self.store.set_limits(PUBLISHING);
        // After its lease, the lock may be another machine's.
        let taken = taken.filter(|_| !lease.remaining().is_zero());
        let taken = taken.as_deref();
        let (noted, outcome) = match minted {
            Ok(minted) => {
                // If this call is ended while it publishes, the token is in the local cache.
                if let (Some(slot), Some(entry)) = (self.slot, minted.entry()) {
                    let _ = slot.replace(&entry);
                }
                (self.publish(&minted, taken), Ok(Got::Token(minted)))
            }
            Err(error) => {
                let noted = self.tell(&error, taken);
                // In its refresh window, the entry is still valid.
                let usable = self
                    .usable(look)
                    .filter(|_| matches!(error, Error::Passing(_)));
                let outcome = usable.map(|shared| self.hit(shared));
                (noted, outcome.ok_or(Trouble::Call(error)))
            }
        };
        if let Err(error) = noted {
            let headline = error.report().headline();
            log::warn!("cannot update the shared cache: {headline}");
        }
        outcome
    }

    fn publish(&mut self, minted: &Minted, lock: Option<&str>) -> Result<(), Error> {
        let settings = self.broker.request.shared.as_ref();
        let most = settings.and_then(|settings| settings.max_age);
        let lifespan = minted.lifespan.map(|lifespan| {
            let left = lifespan.usable_for(self.now());
            (lifespan, left.min(most.unwrap_or(left)))
        });
        let Some((lifespan, ttl)) = lifespan.filter(|(_, ttl)| !ttl.is_zero()) else {
            return lock.map_or(Ok(()), |lock| self.store.unlock(lock));
        };
        let obtained_at = minted.issued_at.unwrap_or(lifespan.obtained_at);
        let life = lifespan.expires_at.since(lifespan.obtained_at);
        let times = (obtained_at, obtained_at.plus(life));
        self.store
            .publish(&minted.token, minted.endpoints.as_ref(), times, (ttl, lock))
    }

    /// Makes the other machines wait after a temporary failure. A permanent one is not
    /// shared.
    fn tell(&mut self, error: &Error, lock: Option<&str>) -> Result<(), Error> {
        let report = error.report();
        match (error, lock) {
            (Error::Passing(_), _) if report.is_limited() => {
                let asked = report.retry_after().unwrap_or(BAN).min(LONGEST_BAN);
                let jitter = Duration::from_secs_f64(fastrand::f64() * JITTER);
                self.store.set_ban(asked + jitter, lock, self.now())
            }
            (Error::Passing(_), _) if self.broker.has_asked.get() => {
                self.store.pause(&report.headline(), lock, self.now())
            }
            (_, Some(lock)) => self.store.unlock(lock),
            (_, None) => Ok(()),
        }
    }

    fn now(&self) -> UnixTime {
        (self.broker.clock)()
    }
}

const BANNED_WHY: &str = "the issuer is refusing requests from this address";

fn paused(why: &str) -> Error {
    let what = format!("another machine failed to get a token less than 30 s ago: {why}");
    Error::Passing(Report::new(what).hint("try again in half a minute"))
}

fn banned(ban: Duration) -> Error {
    let secs = ban.as_secs();
    let what = format!("{BANNED_WHY}: too many requests");
    let report = Report::new(what).wait(Some(ban));
    Error::Passing(
        report
            .hint(format!("try again in {secs} s"))
            .hint("give the call more time with --timeout"),
    )
}
