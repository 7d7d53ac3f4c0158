//! The lock files by which git and kubectl change their own files: `FILE.lock`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use super::directory::real_place;
use crate::error::{Error, Report};
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::input::read_all;
use crate::text::quote;
use crate::text::waiting::Wait;

/// Time limit for waiting for another program that changes the same file.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two looks at a lock file.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// Content of our lock files, which identifies one of a killed setup.
const OURS: &str = "zitadel-credential setup\n";

/// The lock on git's or kubectl's file, held until it is dropped.
pub(super) struct FileLock(Vec<PathBuf>);

impl FileLock {
    /// Takes the lock as soon as no other program holds it.
    ///
    /// # Errors
    /// [`Error::Passing`]: another program still holds it.
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
            // If no file can be created there, git and kubectl change none either.
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

/// Waits until no program changes git's or kubectl's file.
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

/// Removes the lock files of a killed setup. The caller holds the setups' lock on the
/// directory: no other setup is running.
pub(super) fn sweep(file: &Path, real: &Path) {
    for lock in locks(file, real) {
        let there = Status::of_link(&lock);
        let is_file = there.is_ok_and(|there| there.is_file() && there.is_ours());
        if is_file && File::open(&lock).is_ok_and(is_of_setup) {
            let _ = fs::remove_file(lock);
        }
    }
}

/// True for the content of our lock files. Another program's may be a large file: reads
/// no more of it than is needed.
fn is_of_setup(lock: impl Read) -> bool {
    read_all(lock, OURS.len()).is_ok_and(|text| text == OURS.as_bytes())
}

/// Returns the lock file of a file, if there is one.
pub(super) fn held(file: &Path, real: &Path) -> Option<PathBuf> {
    let mut locks = locks(file, real).into_iter();
    locks.find(|lock| lock.symlink_metadata().is_ok())
}

/// Returns the paths of the lock files: git locks the target of a link, kubectl the link.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_programs_lock_file_is_not_read_to_its_end() {
        assert!(is_of_setup(OURS.as_bytes()));
        assert!(!is_of_setup(&OURS.as_bytes()[1..]));
        let mut rest = io::repeat(b'\n').take(1024 * 1024);
        assert!(!is_of_setup(OURS.as_bytes().chain(&mut rest)));
        assert!(rest.limit() > 1024 * 1024 - 100, "{}", rest.limit());
    }
}
