//! The lock files by which git and kubectl change their own files: `FILE.lock`.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use super::directory::real_place;
use crate::error::{Error, Report};
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::waiting::Wait;

/// How long another program that changes the same file is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(20);

/// What ours contain. One of a setup that was killed is known by it.
const OURS: &str = "zitadel-credential setup\n";

/// The lock on a file of git's or kubectl's, held until it is dropped.
pub(super) struct FileLock(Vec<PathBuf>);

impl FileLock {
    /// Takes the lock as soon as no other program holds it.
    ///
    /// # Errors
    /// [`Error::Passing`]: another program still does.
    pub(super) fn take(file: &Path, real: &Path) -> Result<Self, Error> {
        let patience = Deadline::after(PATIENCE);
        loop {
            wait(file, real, &patience)?;
            let mut lock = Self(Vec::new());
            if locks(file, real).into_iter().all(|path| lock.create(path)) {
                return Ok(lock);
            }
        }
    }

    /// Returns false if another program was faster.
    fn create(&mut self, path: PathBuf) -> bool {
        match replace::create_new(&path, OURS.as_bytes()) {
            Ok(()) => self.0.push(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return false,
            // Where no file can be created, git and kubectl change none either.
            Err(error) => log::debug!("{} is not locked: {error}", quote::path(&path)),
        }
        true
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Waits until no program changes a file of git's or kubectl's.
///
/// # Errors
/// [`Error::Passing`]: another program still does.
pub(super) fn wait(file: &Path, real: &Path, patience: &Deadline) -> Result<(), Error> {
    let mut wait = None;
    while let Some(lock) = held(file, real) {
        if patience.remaining().is_zero() {
            let lock = quote::path(&lock);
            let what = format!("{lock}: another program is changing the file");
            return Err(Error::Passing(Report::new(what).hint(
                "wait for it, or remove the .lock file if no program runs: a killed one leaves it behind",
            )));
        }
        wait.get_or_insert_with(|| {
            Wait::of(|| format!("another program's {}", quote::path(&lock)))
        });
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Removes the lock files that a killed setup left. The caller holds the setups' lock on
/// the directory: no other setup is at work.
pub(super) fn sweep(file: &Path, real: &Path) {
    for lock in locks(file, real) {
        let there = Status::of_link(&lock);
        let is_file = there.is_ok_and(|there| there.is_file() && there.is_ours());
        if is_file && fs::read(&lock).is_ok_and(|text| text == OURS.as_bytes()) {
            let _ = fs::remove_file(lock);
        }
    }
}

/// Returns the lock file of a file, if there is one.
pub(super) fn held(file: &Path, real: &Path) -> Option<PathBuf> {
    let mut locks = locks(file, real).into_iter();
    locks.find(|lock| lock.symlink_metadata().is_ok())
}

/// Returns where the lock files lie: git locks the file that a link leads to, kubectl
/// the link.
fn locks(file: &Path, real: &Path) -> Vec<PathBuf> {
    let mut locks = [real.to_owned(), real_place(file)].map(|file| {
        let mut name = file.into_os_string();
        name.push(".lock");
        name.into()
    });
    locks.sort();
    let mut locks = locks.to_vec();
    locks.dedup();
    locks
}
