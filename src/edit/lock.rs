//! One setup or key rotation at a time: the lock on a directory whose files change.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use super::directory;
use crate::error::{Error, Report};
use crate::sys::{lock, temporary};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote;
use crate::text::quote::system;
use crate::text::waiting::Wait;

const PAUSE: Duration = Duration::from_millis(20);

/// The lock on a directory, held until it is dropped or the process exits.
pub(crate) struct DirLock {
    lock: lock::DirLock,
    /// Directories created for the lock, the innermost first.
    created: Vec<PathBuf>,
}

impl DirLock {
    /// Takes the lock as soon as no other call holds it, and removes the leftovers of
    /// killed calls from the directory. Creates the directory if it is missing.
    ///
    /// # Errors
    /// The directory cannot be created, or another call holds the lock until the
    /// deadline.
    pub(crate) fn take(dir: &Path, deadline: &Deadline, now: UnixTime) -> Result<Self, Error> {
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(dir)));
        let unusable = |error: io::Error| {
            Error::Usage(failed(&system(&error)).hint("make it readable and writable for you"))
        };
        let mut created = Vec::new();
        let mut wait = None;
        loop {
            let new = directory::create(dir).map_err(unusable)?;
            new.iter().rev().for_each(|dir| temporary::will_remove(dir));
            created.extend(new);
            if let Some(lock) = lock::DirLock::try_take(dir).map_err(unusable)? {
                if let Err(error) = temporary::sweep_by_setup(dir, now, lock.is_locked()) {
                    log::debug!("{} is not swept: {error}", quote::path(dir));
                }
                return Ok(Self { lock, created });
            }
            if deadline.remaining().is_zero() {
                return Err(Error::Passing(
                    failed("another setup or key rotation is under way")
                        .hint("try again later; --timeout extends the wait"),
                ));
            }
            wait.get_or_insert_with(|| Wait::of(|| "the lock of another call".to_owned()));
            thread::sleep(PAUSE);
        }
    }

    /// Returns the directories created for the lock, the innermost first.
    pub(super) fn created(&self) -> &[PathBuf] {
        &self.created
    }

    /// Allows the removal of the directory if it is empty.
    pub(super) fn allow_removal(&mut self) {
        self.lock.allow_removal();
    }

    /// True if this is the lock on the directory at this path.
    pub(crate) fn is_of(&self, dir: &Path) -> bool {
        self.lock.is_of(dir)
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        self.allow_removal();
        for dir in &self.created {
            // Fails, as it should, if the directory has a file by now.
            let _ = fs::remove_dir(dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_waits_for_another_and_leaves_no_empty_directory() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("a/b");
        let at_once = Deadline::after(Duration::ZERO);
        let held = DirLock::take(&dir, &at_once, UnixTime::from_secs(0)).expect("free");
        let error = DirLock::take(&dir, &at_once, UnixTime::from_secs(0))
            .err()
            .expect("refused");
        assert!(matches!(error, Error::Passing(_)), "{error}");
        drop(held);
        assert!(!home.path().join("a").exists());
        let held = DirLock::take(&dir, &at_once, UnixTime::from_secs(0)).expect("free");
        fs::write(dir.join("file"), "").expect("written");
        drop(held);
        assert!(dir.join("file").exists());
    }
}
