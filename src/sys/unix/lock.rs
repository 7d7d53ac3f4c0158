//! The only caller of file locks (flock(2)).

use std::fs::File;
use std::io;
use std::path::Path;

use super::status::{Identity, Status};

/// Locks an open file or directory until [`unlock`], or until it is closed, however this
/// process ends. Returns false if another process holds the lock.
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

/// Releases the lock on an open file. Closing the file can release it later: a child that
/// another thread has just started has it open too, until it runs its program.
pub fn unlock(file: &File) {
    // Fails only if the file is not open.
    let _ = fs2::FileExt::unlock(file);
}

/// Returns true if the opened file is still at the path. A lock on a removed file is
/// useless: the next process opens another file.
pub fn is_in_place(path: &Path, opened: &Status) -> bool {
    Status::of_link(path).is_ok_and(|now| now.identity() == opened.identity())
}

/// The lock on a directory, released when dropped or when the process ends, however it
/// ends. It leaves nothing in the directory.
#[derive(Debug)]
pub struct DirLock {
    dir: File,
    identity: Identity,
    is_locked: bool,
}

impl DirLock {
    /// Takes the lock, without waiting. `None` if another process holds it, or if the
    /// directory was replaced meanwhile.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn try_take(dir: &Path) -> io::Result<Option<Self>> {
        let opened = File::open(dir)?;
        let status = Status::of_open(&opened)?;
        let is_locked = match try_lock(&opened) {
            Ok(true) => true,
            Ok(false) => return Ok(None),
            // NFS cannot lock a directory.
            Err(error) => {
                log::debug!("a directory cannot be locked: {error}");
                false
            }
        };
        let lock = Self {
            dir: opened,
            identity: status.identity(),
            is_locked,
        };
        Ok(lock.is_of(dir).then_some(lock))
    }

    /// Returns false if the file system has no locks on directories.
    pub const fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Returns true if this is the lock on the directory at the path.
    pub fn is_of(&self, dir: &Path) -> bool {
        Status::of(dir).is_ok_and(|status| status.identity() == self.identity)
    }

    /// Does nothing: the lock does not prevent the removal of the directory.
    pub const fn allow_removal(&mut self) {}

    /// Fsyncs the directory.
    ///
    /// # Errors
    /// The operating system's error; some file systems cannot do it.
    pub fn fsync(&self) -> io::Result<()> {
        self.dir.sync_all()
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        unlock(&self.dir);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let root = tempfile::tempdir().expect("a directory");
        let [dir, other] = ["dir", "other"].map(|name| root.path().join(name));
        assert!(DirLock::try_take(&dir).is_err(), "it is not there");
        fs::create_dir(&dir).expect("created");
        fs::create_dir(&other).expect("created");
        let take = |dir| DirLock::try_take(dir).expect("a directory");
        let first = take(&dir).expect("free");
        assert!(first.is_locked() && first.is_of(&dir) && !first.is_of(&other));
        assert!(take(&dir).is_none(), "held");
        assert!(take(&other).is_some());
        first.fsync().expect("synced");
        // As a child has it, from its fork until it runs its program.
        let _inherited = first.dir.try_clone().expect("a descriptor");
        drop(first);
        assert!(take(&dir).is_some());
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_in_place() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let opened = Status::of_open(&File::create(&path).expect("created")).expect("a file");
        assert!(is_in_place(&path, &opened));
        fs::rename(&path, dir.path().join("old")).expect("moved");
        assert!(!is_in_place(&path, &opened));
        File::create(&path).expect("created");
        assert!(!is_in_place(&path, &opened));
    }
}
