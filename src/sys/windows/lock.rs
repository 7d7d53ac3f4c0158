//! The only caller of file locks (`LockFileEx`).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use super::status::{Identity, Status};

/// The file whose presence is the lock on its directory.
const OF_DIRECTORY: &str = ".zitadel-credential.lock";

/// Locks an open file until [`unlock`], or until it is closed, however this process ends.
/// Returns false if another process holds the lock.
///
/// # Errors
/// The file system has no locks.
pub fn try_lock(file: &File) -> io::Result<bool> {
    // Fully qualified: std's File has a method of the same name.
    match fs2::FileExt::try_lock_exclusive(file) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Releases the lock on an open file. Windows may release a closed file's lock later.
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
/// ends. Directories cannot be locked here: the lock is a file that no other process can
/// open, and that the system removes when it is closed.
#[derive(Debug)]
pub struct DirLock {
    file: Option<File>,
    identity: Identity,
}

impl DirLock {
    /// Takes the lock, without waiting. `None` if another process holds it.
    ///
    /// # Errors
    /// No file can be created in the directory.
    pub fn try_take(dir: &Path) -> io::Result<Option<Self>> {
        const DELETE_ON_CLOSE: u32 = 0x0400_0000;
        /// A sharing violation, and a file that is being removed.
        const HELD: [i32; 2] = [32, 303];
        let identity = Status::of(dir)?.identity();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .share_mode(0)
            .custom_flags(DELETE_ON_CLOSE)
            .open(dir.join(OF_DIRECTORY));
        match file {
            Ok(file) => Ok(Some(Self {
                file: Some(file),
                identity,
            })),
            Err(error)
                if error
                    .raw_os_error()
                    .is_some_and(|code| HELD.contains(&code)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns true: every file system supports it.
    pub const fn is_locked(&self) -> bool {
        true
    }

    /// Returns true if this is the lock on the directory at the path.
    pub fn is_of(&self, dir: &Path) -> bool {
        Status::of(dir).is_ok_and(|status| status.identity() == self.identity)
    }

    /// Releases the lock, whose file would prevent the removal of the directory.
    pub fn allow_removal(&mut self) {
        self.file = None;
    }

    /// Does nothing: the system writes directories itself, in order.
    ///
    /// # Errors
    /// Never fails.
    #[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub const fn fsync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_directory_has_one_lock_holder_and_no_lock_file() {
        let root = tempfile::tempdir().expect("a directory");
        let [dir, other] = ["dir", "other"].map(|name| root.path().join(name));
        assert!(DirLock::try_take(&dir).is_err(), "it is not there");
        fs::create_dir(&dir).expect("created");
        fs::create_dir(&other).expect("created");
        let take = |dir| DirLock::try_take(dir).expect("a directory");
        let first = take(&dir).expect("free");
        assert!(first.is_of(&dir) && !first.is_of(&other));
        assert!(take(&dir).is_none(), "held");
        assert!(take(&other).is_some());
        drop(first);
        assert_eq!(fs::read_dir(&dir).expect("a directory").count(), 0);
        let mut last = take(&dir).expect("free");
        last.allow_removal();
        fs::remove_dir(&dir).expect("removed");
    }

    #[test]
    fn a_file_has_one_lock_holder_and_replacement_is_detected() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let open = || {
            File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
        };
        let [first, second] = [open().expect("opened"), open().expect("opened")];
        assert!(try_lock(&first).expect("a lock"));
        assert!(!try_lock(&second).expect("no lock"));
        let opened = Status::of_open(&first).expect("a file");
        assert!(is_in_place(&path, &opened));
        drop(first);
        assert!(try_lock(&second).expect("a lock"));
        drop(second);
        fs::rename(&path, dir.path().join("old")).expect("moved");
        assert!(!is_in_place(&path, &opened));
        File::create(&path).expect("created");
        assert!(!is_in_place(&path, &opened));
    }
}
