//! The only caller of file locks.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::{fs, io};

use crate::sys::limit;
use crate::text::clock::UnixTime;
use crate::text::input;

/// An entry's exclusive lock, held until dropped or until the process ends,
/// however it ends.
///
/// Its file holds a note for the next holder: eight bytes, when a renewal was
/// last tried.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock, or none if another process holds it.
    ///
    /// # Errors
    /// The file cannot be opened, is none, or the file system has no locks.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = super::open_or_make(path)?;
        let held = file.metadata()?;
        if !try_lock(&file)? {
            return Ok(None);
        }
        // A lock on a file that was unlinked meanwhile guards nothing: whoever
        // comes next opens another.
        Ok(is_in_place(path, &held).then_some(Self(file)))
    }

    /// Whether another process holds the lock; none where there is no file to
    /// lock. Makes none, and holds the lock no longer than it looks.
    ///
    /// # Errors
    /// The file cannot be opened, or the file system has no locks.
    pub fn is_held(path: &Path) -> io::Result<Option<bool>> {
        let file = match input::private_file().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        Ok(Some(!try_lock(&file)?))
    }

    /// When a renewal was last tried, where that was noted.
    pub fn last_try(&self) -> Option<UnixTime> {
        let mut secs = [0; 8];
        self.0.read_exact_at(&mut secs, 0).ok()?;
        Some(UnixTime::from_secs(u64::from_be_bytes(secs)))
    }

    /// Notes that a renewal is tried now: before it is, so that a try that is
    /// killed counts.
    ///
    /// # Errors
    /// The system's own reason: no room, most likely.
    pub fn note_try(&self, now: UnixTime) -> io::Result<()> {
        limit::write_at(&self.0, &now.as_secs().to_be_bytes(), 0)
    }
}

/// Locks an open file, or a directory, until it is closed, however this process
/// ends; not where another holds it.
///
/// # Errors
/// The file system has no locks.
pub fn try_lock(file: &File) -> io::Result<bool> {
    // Fully qualified: std's File has a method of the same name.
    match fs2::FileExt::try_lock_exclusive(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether what was opened still lies at the path.
pub fn is_in_place(path: &Path, opened: &Metadata) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_next_after_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("entry.lock");
        let first = Lock::try_take(&path).expect("a lock file");
        assert!(first.is_some());
        assert!(Lock::try_take(&path).expect("a lock file").is_none());
        drop(first);
        assert!(Lock::try_take(&path).expect("a lock file").is_some());
    }

    #[test]
    fn a_try_is_noted_for_the_next_holder() {
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
    fn a_link_or_a_directory_is_no_lock_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let link = dir.path().join("link.lock");
        std::os::unix::fs::symlink("/etc/passwd", &link).expect("a link");
        assert!(Lock::try_take(&link).is_err());
        assert!(Lock::try_take(dir.path()).is_err());
    }
}
