//! Mints a token, or waits for the one that another process is getting.

use std::time::Duration;
use std::{io, thread};

use super::wish::Wish;
use super::{Broker, token_of};
use crate::cache::Slot;
use crate::cache::lock::{Lock, Turn};
use crate::error::{Error, Report};
use crate::text::clock::{RAISE_TIMEOUT, shown_secs};
use crate::text::quote;
use crate::text::quote::system;
use crate::text::waiting::Wait;
use crate::token::Token;

/// The longest pause between two reads of the cache, at first.
const SHORT: Duration = Duration::from_millis(25);

/// The longest pause after [`LONG_WAIT`], so that many waiting processes cost little.
const LONG: Duration = Duration::from_millis(100);

/// The usual upper limit of a mint's duration.
const LONG_WAIT: Duration = Duration::from_secs(2);

/// The result of waiting.
enum Waited {
    /// This process mints, and its lock makes the others wait.
    Locked(Lock),
    /// Another process stored a token.
    Served(Token),
    /// There are no locks here, and this process mints.
    Unlocked,
}

impl Broker<'_> {
    /// Rule 3: returns a token for this wish, minted by this process or by another one
    /// while this one waited.
    pub(super) fn obtain(&self, slot: &Slot, wish: Wish<'_>) -> Result<Token, Error> {
        let unwanted = wish.other_than;
        let lock = match self.wait_for_lock(slot, unwanted)? {
            Waited::Locked(lock) => Some(lock),
            Waited::Served(token) => return Ok(token),
            Waited::Unlocked => None,
        };
        let cached = slot.read();
        if let Some(token) = cached.as_ref().and_then(|e| self.wanted(e, unwanted)) {
            return Ok(token);
        }
        let endpoints = cached.as_ref().and_then(|entry| entry.endpoints.as_ref());
        let fetched = self.fetch(Some(slot), endpoints, self.request.deadline, wish);
        match fetched.and_then(token_of) {
            Ok(minted) => Ok(self.store(slot, minted, lock)),
            // Another process may have stored a token meanwhile.
            Err(error) => slot
                .read()
                .and_then(|entry| self.wanted(&entry, unwanted))
                .ok_or(error),
        }
    }

    /// Waits for the lock, or for a token that another process stores, until the
    /// deadline. The lock's holder may be suspended, or its request may hang. So one
    /// process continues beside it after half of its time, and another one after three
    /// quarters.
    fn wait_for_lock(&self, slot: &Slot, unwanted: Option<&Token>) -> Result<Waited, Error> {
        if let Err(error) = slot.make_directories() {
            log::warn!("continuing without the cache: {}", system(&error));
            return Ok(Waited::Unlocked);
        }
        let served = || {
            let token = slot
                .read()
                .and_then(|entry| self.wanted(&entry, unwanted))?;
            log::info!("using the token that another process has just stored");
            Some(token)
        };
        let whole = self.request.deadline.remaining();
        let mut pause = Duration::from_millis(1);
        let mut wait = None;
        loop {
            let left = self.request.deadline.remaining();
            let waited = whole.saturating_sub(left);
            let lock = slot.try_lock();
            if !matches!(lock, Ok(Some(_)))
                && let Some(token) = served()
            {
                return Ok(Waited::Served(token));
            }
            match lock {
                Ok(Some(lock)) => return Ok(Waited::Locked(lock)),
                Ok(None) if left.is_zero() => return Err(in_vain(slot, whole)),
                Ok(None) => self.drop_key(),
                // The directory was removed meanwhile.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && !left.is_zero()
                        && slot.make_directories().is_ok() => {}
                Err(error) => return Ok(unlocked(slot, &error)),
            }
            match turn_after(slot, waited, whole) {
                Ok(Some(lock)) => {
                    // The last holder may have stored a token meanwhile.
                    if let Some(token) = served() {
                        return Ok(Waited::Served(token));
                    }
                    log::warn!(
                        "continuing without the lock {}: another process has held it for {} s",
                        quote::path(&slot.lock_path()),
                        shown_secs(waited)
                    );
                    return Ok(Waited::Locked(lock));
                }
                Ok(None) => {}
                Err(error) => return Ok(unlocked(slot, &error)),
            }
            let what = || "the lock of another process".to_owned();
            wait.get_or_insert_with(|| Wait::of(what));
            thread::sleep(pause.min(left));
            let longest = if waited < LONG_WAIT { SHORT } else { LONG };
            pause = (pause * 2).min(longest);
        }
    }
}

fn unlocked(slot: &Slot, error: &io::Error) -> Waited {
    let path = slot.lock_path();
    let (path, reason) = (quote::path(&path), system(error));
    log::warn!("continuing without the lock {path}: {reason}");
    Waited::Unlocked
}

fn in_vain(slot: &Slot, waited: Duration) -> Error {
    let path = slot.lock_path();
    let what = format!(
        "no token within {} s: another process has the lock {} and has stored none",
        shown_secs(waited),
        quote::path(&path)
    );
    let report = Report::new(what)
        .hint("try again: its request to the issuer may take long")
        .hint(RAISE_TIMEOUT)
        .hint("if the lock stays, end the process that has it (lslocks, fuser)");
    Error::Passing(report)
}

/// Takes the lock of a turn whose time has come, if it is free.
fn turn_after(slot: &Slot, waited: Duration, whole: Duration) -> io::Result<Option<Lock>> {
    let parts = [whole / 2, whole / 4 * 3];
    for (turn, part) in Turn::ALL.into_iter().zip(parts) {
        if waited < part {
            break;
        }
        if let Some(lock) = slot.try_turn(turn)? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}
