//! Who may change the files: one setup at a time, and none while git or kubectl
//! changes its own.
//!
//! What is ours is held by the kernel, on the directory: it lets go however a
//! process ends, and nothing is left behind. git and kubectl know only a file
//! `FILE.lock` that is there: it is made for the moment of writing alone, and is
//! itself locked, so that one which a killed setup left is taken over.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use super::fresh::fresh_file;
use crate::cache::lock::{is_in_place, try_lock};
use crate::cache::may_make_below;
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::text::{input, quote};

/// How long another program that changes the same file is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(20);

/// What stands in a lock file of ours.
const MARK: &[u8] = b"zitadel-credential setup\n";

/// A directory whose files change, held against other setups.
pub(crate) struct Held {
    /// Which it is: device and inode.
    id: (u64, u64),
    /// None where the file system has no locks.
    _dir: Option<File>,
    /// The directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Held {
    /// Takes it, as soon as no other setup holds it.
    ///
    /// # Errors
    /// It cannot be made, or another holds it until the deadline.
    pub(crate) fn take(dir: &Path, deadline: &Deadline) -> Result<Self, Error> {
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(dir)));
        let unusable = |error: io::Error| {
            Error::Usage(failed(&system(&error)).hint("see who may read it and write in it"))
        };
        let mut made = Vec::new();
        loop {
            made.extend(make_directory(dir).map_err(unusable)?);
            let file = File::open(dir).map_err(unusable)?;
            let meta = file.metadata().map_err(unusable)?;
            match try_lock(&file) {
                Ok(true) if is_in_place(dir, &meta) || dir.is_symlink() => {
                    return Ok(Self {
                        id: (meta.dev(), meta.ino()),
                        _dir: Some(file),
                        made,
                    });
                }
                Ok(_) => {}
                // NFS lets nobody lock a directory. What was changed meanwhile is
                // still seen before it would be overwritten.
                Err(error) => {
                    log::debug!("{} is not locked: {error}", quote::path(dir));
                    return Ok(Self {
                        id: (meta.dev(), meta.ino()),
                        _dir: None,
                        made,
                    });
                }
            }
            if deadline.remaining().is_zero() {
                return Err(Error::Passing(failed("another setup is under way").hint(
                    "wait for it, or see what it waits for; --timeout waits longer",
                )));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether it is the directory at a path.
    pub(crate) fn is_of(&self, dir: &Path) -> bool {
        fs::metadata(dir).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.id)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for dir in &self.made {
            // Only one that nothing came to lie in goes.
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Looks whether what is missing of a path may be made: not by root in another
/// user's directory, as under `sudo -E`.
///
/// # Errors
/// It would lock that user out.
pub(crate) fn look_above(path: &Path) -> io::Result<()> {
    let mut above = path.ancestors().skip_while(|path| !path.exists());
    match above.next() {
        Some(dir) if dir != path && !may_make_below(dir)? => Err(io::Error::other(format!(
            "{} belongs to another user, who would be locked out of what root makes there (sudo -H has a home of its own)",
            quote::path(dir)
        ))),
        _ => Ok(()),
    }
}

/// Makes a directory and those above it, 0700 where they are missing: which.
pub(crate) fn make_directory(dir: &Path) -> io::Result<Vec<PathBuf>> {
    look_above(dir)?;
    let missing = dir.ancestors().take_while(|dir| !dir.exists());
    let missing = missing.map(Path::to_owned).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    Ok(missing)
}

/// The lock file `FILE.lock`, made only where there is none: the convention of
/// git and of kubectl.
pub(crate) struct Guard {
    lock: PathBuf,
    _locked: File,
}

impl Guard {
    /// Makes it, as soon as no other program has it.
    ///
    /// # Errors
    /// It cannot be made, or is still there after a while.
    pub(crate) fn take(file: &Path) -> Result<Self, Error> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(&lock)));
        let patience = Deadline::after(PATIENCE);
        loop {
            let locked = match make(&lock) {
                Ok(Some(locked)) => Some(locked),
                Ok(None) => take_over(&lock),
                Err(error) => {
                    return Err(Error::Usage(
                        failed(&system(&error)).hint("see who may write in its directory"),
                    ));
                }
            };
            if let Some(locked) = locked {
                return Ok(Self {
                    lock,
                    _locked: locked,
                });
            }
            if patience.remaining().is_zero() {
                return Err(Error::Passing(failed("another program is changing the file").hint(
                    "wait for it; remove the .lock file if none is: one that was killed leaves it behind",
                )));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It is ours, and nobody else removes it.
        let _ = fs::remove_file(&self.lock);
    }
}

/// Puts a lock file in place that is locked before anybody sees it; none where
/// there is one.
fn make(lock: &Path) -> io::Result<Option<File>> {
    let dir = lock.parent().unwrap_or(Path::new("."));
    let file = fresh_file(dir, MARK)?;
    // One that cannot be locked is left to a person, should this be killed.
    if let Err(error) = try_lock(file.as_file()) {
        log::debug!("{} is not locked: {error}", quote::path(lock));
    }
    match file.persist_noclobber(lock) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error.error),
    }
}

/// Takes a lock file over that a killed setup left behind; none where it is
/// another program's, or still held.
fn take_over(lock: &Path) -> Option<File> {
    let mut options: OpenOptions = input::private_file();
    let mut file = options.read(true).write(true).open(lock).ok()?;
    let meta = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let mut mark = Vec::new();
    let longest = MARK.len() as u64 + 1;
    Read::take(&mut file, longest).read_to_end(&mut mark).ok()?;
    let is_left = mark == MARK && try_lock(&file).ok()? && is_in_place(lock, &meta);
    is_left.then_some(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::edit::target::Target;

    #[test]
    fn a_setup_waits_for_another_and_leaves_no_directory_of_its_own() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("a/b");
        let at_once = Deadline::after(Duration::ZERO);
        let held = Held::take(&dir, &at_once).expect("held");
        let error = Held::take(&dir, &at_once).err().expect("refused");
        assert!(matches!(error, Error::Passing(_)), "{error}");
        drop(held);
        assert!(!home.path().join("a").exists());
        let held = Held::take(&dir, &at_once).expect("held");
        fs::write(dir.join("file"), "").expect("written");
        drop(held);
        assert!(dir.join("file").exists());
    }

    #[test]
    fn a_lock_file_is_another_programs_or_held_or_taken_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, lock) = (dir.path().join("file"), dir.path().join("file.lock"));
        let guard = Guard::take(&file).expect("taken");
        assert!(lock.exists());
        let error = Guard::take(&file).err().expect("held");
        assert!(matches!(error, Error::Passing(_)), "{error}");
        drop(guard);
        assert!(!lock.exists());
        // As a killed setup leaves it; as git and kubectl would.
        fs::write(&lock, MARK).expect("written");
        drop(Guard::take(&file).expect("taken over"));
        assert!(!lock.exists());
        fs::write(&lock, "").expect("written");
        assert!(Guard::take(&file).is_err());
        assert!(lock.exists(), "it is not ours");
    }

    #[test]
    fn a_file_that_a_link_leads_to_is_held_by_both_names_and_by_one_name_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("real")).expect("a directory");
        fs::write(at("real/file"), "").expect("written");
        symlink("real", at("beside")).expect("a link");
        symlink("real/file", at("link")).expect("a link");
        let guards = |name: &str| {
            let mut target = Target::open(&at(name)).unwrap_or_else(|report| panic!("{report}"));
            target.has_lock_file = true;
            target.guards().expect("held")
        };
        let held = guards("link");
        assert!(at("link.lock").exists() && at("real/file.lock").exists());
        drop(held);
        assert!(!at("link.lock").exists() && !at("real/file.lock").exists());
        assert_eq!(guards("beside/file").len(), 1);
        assert_eq!(guards("real/file").len(), 1);
    }
}
