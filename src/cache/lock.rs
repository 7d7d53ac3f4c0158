//! The lock of an entry.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::sys::files::{open_or_create_private, open_private, read_at, write_at};
use crate::sys::lock;
use crate::sys::status::Status;
use crate::text::clock::UnixTime;

/// An entry's exclusive lock. It is released when it is dropped or when the process
/// exits, even if it is killed.
///
/// The lock file's first eight bytes are the time of the last renewal attempt; its
/// [`Note`]s follow.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock without waiting. Returns `None` if another process has it.
    ///
    /// # Errors
    /// The file cannot be opened, is not a regular file, or the file system has no
    /// locks.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = open_or_create_private(path)?;
        let opened = Status::of_open(&file)?;
        let lock = Self::try_on(file)?;
        Ok(lock.filter(|_| lock::is_in_place(path, &opened)))
    }

    fn try_on(file: File) -> io::Result<Option<Self>> {
        Ok(lock::try_lock(&file)?.then(|| Self(file)))
    }

    /// Returns true if another process has the lock; `None` if there is no lock
    /// file. Creates no file, and releases the lock at once.
    ///
    /// # Errors
    /// The file cannot be opened, or the file system has no locks.
    pub fn is_held(path: &Path) -> io::Result<Option<bool>> {
        let file = match open_private().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        Ok(Some(Self::try_on(file)?.is_none()))
    }

    /// Returns the time of the last renewal attempt; `None` if none was recorded.
    pub fn last_try(&self) -> Option<UnixTime> {
        let mut secs = [0; 8];
        let read = read_at(&self.0, &mut secs, 0).ok()?;
        (read == secs.len()).then_some(UnixTime::from_secs(u64::from_be_bytes(secs)))
    }

    /// Records a renewal attempt. The record comes before the attempt, so that a killed
    /// attempt counts too.
    ///
    /// # Errors
    /// The operating system's error, most likely a full disk.
    pub fn note_try(&self, now: UnixTime) -> io::Result<()> {
        write_at(&self.0, &now.as_secs().to_be_bytes(), 0)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        lock::unlock(&self.0);
    }
}

/// The times in a lock file that concern the shared cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The time up to which shared tokens are not used.
    Floor = 8,
    /// The time of the store's last failure.
    StoreTrouble = 16,
}

/// The valid sizes of a lock file, in bytes.
pub const SIZES: [usize; 4] = [0, 8, 16, 24];

/// Reads a note of a lock file; `None` if there is none. Needs no lock.
pub fn note(path: &Path, note: Note) -> Option<UnixTime> {
    let file = open_private().read(true).open(path).ok()?;
    let mut secs = [0; 8];
    let read = read_at(&file, &mut secs, note as u64).ok()?;
    let secs = u64::from_be_bytes(secs);
    (read == 8 && secs > 0).then_some(UnixTime::from_secs(secs))
}

/// Writes a note of a lock file. Needs no lock.
///
/// # Errors
/// The operating system's error.
pub fn write_note(path: &Path, note: Note, time: UnixTime) -> io::Result<()> {
    let file = open_or_create_private(path)?;
    write_at(&file, &time.as_secs().to_be_bytes(), note as u64)
}

/// The locks for processes that continue although another one has the entry's lock: one
/// process each, so that few do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The holder of the entry's lock makes no progress.
    Second,
    /// The holder of the second lock makes no progress either.
    Third,
}

impl Turn {
    /// All turns, in their order.
    pub const ALL: [Self; 2] = [Self::Second, Self::Third];

    /// Returns the extension of the lock file.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Second => "lock2",
            Self::Third => "lock3",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_has_the_lock() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("entry.lock");
        let take = || Lock::try_take(&path).expect("a lock file");
        let first = take().expect("free");
        assert!(take().is_none());
        // As a child has it, from its fork until it runs its program.
        let _inherited = first.0.try_clone().expect("a descriptor");
        drop(first);
        assert!(take().is_some());
        assert_eq!(Lock::is_held(&path).expect("a lock file"), Some(false));
    }

    #[test]
    fn a_renewal_attempt_is_recorded_in_the_lock_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("entry.lock");
        let take = || Lock::try_take(&path).expect("a lock file").expect("free");
        assert_eq!(take().last_try(), None);
        for secs in [1_000_000, 7] {
            let now = UnixTime::from_secs(secs);
            take().note_try(now).expect("written");
            assert_eq!(take().last_try(), Some(now));
        }
    }

    #[test]
    fn the_notes_of_a_lock_file_are_independent() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("entry.lock");
        assert_eq!(note(&path, Note::Floor), None);
        let at = UnixTime::from_secs;
        write_note(&path, Note::StoreTrouble, at(5)).expect("written");
        assert_eq!(note(&path, Note::Floor), None);
        assert_eq!(note(&path, Note::StoreTrouble), Some(at(5)));
        write_note(&path, Note::Floor, at(4)).expect("written");
        let lock = Lock::try_take(&path).expect("a lock file").expect("free");
        lock.note_try(at(3)).expect("written");
        assert_eq!(lock.last_try(), Some(at(3)));
        assert_eq!(note(&path, Note::Floor), Some(at(4)));
        assert_eq!(note(&path, Note::StoreTrouble), Some(at(5)));
        let size = path.metadata().expect("a file").len();
        assert_eq!(usize::try_from(size).ok(), SIZES.last().copied());
    }

    #[test]
    fn a_directory_is_not_a_lock_file() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(Lock::try_take(dir.path()).is_err());
    }

    /// On Windows, few users may create a link.
    #[cfg(unix)]
    #[test]
    fn a_link_is_not_a_lock_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let link = dir.path().join("link.lock");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("a link");
        assert!(Lock::try_take(&link).is_err());
    }
}
