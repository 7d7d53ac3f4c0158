//! The key's expiry, of which the agent warns once a day while it is near.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;

use crate::broker::secrets::EXPIRY_NOTICE;
use crate::broker::{Broker, Request};
use crate::config::{Asker, Config};
use crate::error::Error;
use crate::source::key::spec::KeySpec;
use crate::sys::Environment;
use crate::sys::status::Stamp;
use crate::text::clock::UnixTime;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The expiry of the last key that was read.
#[derive(Default)]
pub(super) struct KeyEnd {
    expires_at: Cell<Option<UnixTime>>,
    source: RefCell<String>,
    /// The call that replaces the key.
    rotation: RefCell<String>,
    /// The key file, and its state when it was read.
    file: RefCell<Option<(PathBuf, Option<Stamp>)>>,
    told: Cell<Option<UnixTime>>,
}

impl KeyEnd {
    /// Returns the key's expiry; `None` if it is unknown.
    pub(super) fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at.get()
    }

    /// Records the key that a broker read. If both its IDs are known, the broker reads
    /// the key only to sign.
    pub(super) fn note(&self, request: &Request<'_>, broker: &Broker<'_>) {
        let Some(read) = broker.key_read() else {
            return;
        };
        self.expires_at.set(read.expires_at);
        *self.source.borrow_mut() = request.source.to_string();
        let rotation = request.source.key().map(KeySpec::rotation);
        *self.rotation.borrow_mut() = rotation.unwrap_or_default();
        let file = request.source.file();
        *self.file.borrow_mut() = file.map(|path| (path.to_owned(), Stamp::of(path)));
    }

    /// Reads the key again if its file was replaced: the next token, and its signature,
    /// may be hours away.
    pub(super) fn look_again<'c>(
        &self,
        load: &dyn Fn(bool) -> Result<Config<'c>, Error>,
        environment: &Environment,
    ) {
        let seen = self.file.borrow().clone();
        let Some((path, stamp)) = seen else {
            return;
        };
        let now = Stamp::of(&path);
        if now == stamp {
            return;
        }
        *self.file.borrow_mut() = Some((path, now));
        let key = load(false).and_then(|config| {
            let request = config.request(Asker::default())?;
            let key = request.source.key();
            key.map(|key| key.load(environment, &request.deadline))
                .transpose()
        });
        match key {
            Ok(key) => self.expires_at.set(key.and_then(|key| key.expires_at)),
            // The next renewal reports the error.
            Err(error) => log::info!("{}", error.report().headline()),
        }
    }

    /// Warns once a day of a near expiry.
    pub(super) fn tell(&self, now: UnixTime) {
        let Some(end) = self.due(now) else {
            return;
        };
        let source = self.source.borrow();
        if end <= now {
            log::warn!("{source}: the key expired at {end}: create a new one in ZITADEL");
        } else {
            let rotation = self.rotation.borrow();
            log::warn!("{source}: the key expires at {end}: run {rotation} before then");
        }
    }

    /// Returns the expiry if a warning is due now.
    fn due(&self, now: UnixTime) -> Option<UnixTime> {
        let near = |end: &UnixTime| end.since(now) < EXPIRY_NOTICE;
        let Some(end) = self.expires_at.get().filter(near) else {
            // Allows a warning about the next key.
            self.told.set(None);
            return None;
        };
        let is_recent = |told: UnixTime| told <= now && now.since(told) < DAY;
        if self.told.get().is_some_and(is_recent) {
            return None;
        }
        self.told.set(Some(now));
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_expiry_is_reported_daily_in_its_last_two_weeks() {
        let day = |n: u64| UnixTime::from_secs(n * 24 * 3600);
        let key_end = KeyEnd::default();
        assert_eq!(key_end.due(day(0)), None);
        key_end.expires_at.set(Some(day(30)));
        let hours = 24 * 40;
        let told = (0..hours).filter(|hour| {
            let now = UnixTime::from_secs(hour * 3600 + 1);
            key_end.due(now).is_some()
        });
        let told: Vec<_> = told.map(|hour| hour / 24).collect();
        let days: Vec<_> = (16..40).collect();
        assert_eq!(told, days);
        // Another key, and a clock that was set back.
        key_end.expires_at.set(Some(day(90)));
        assert_eq!(key_end.due(day(40)), None);
        key_end.expires_at.set(Some(day(41)));
        assert_eq!(
            [40, 40, 38].map(|n| key_end.due(day(n)).is_some()),
            [true, false, true]
        );
    }
}
