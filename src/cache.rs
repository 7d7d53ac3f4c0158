//! The cache: reads and replaces entries on disk.
//!
//! An entry is `{root}/v1/{keyId}/{digest}.json`, with a lock file beside it. Directories
//! are 0700 and files 0600. Reading takes no lock and never sees a partial file.

pub mod listing;
pub mod lock;
pub mod parents;
pub mod record;
pub mod shared;
pub mod sweep;

use std::path::{Path, PathBuf};
use std::{fs, io, path};

use lock::{Lock, Note, Turn};
use parents::Parents;
pub use record::Entry;

use crate::grant::{Grant, digest};
use crate::secret::Secret;
use crate::sys::files::{create_private_dir, may_create_in, open_private};
use crate::sys::status::Status;
use crate::sys::{replace, temporary};
use crate::text::clock::UnixTime;
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::token::Token;
use crate::url::IssuerUrl;

/// Size limit of an entry in bytes: its token may be as large as a response.
const LIMIT: usize = 2 * 1024 * 1024;

/// The place of one grant's entry in the cache.
#[derive(Debug)]
pub struct Slot {
    grant: Grant,
    root: PathBuf,
    dir: PathBuf,
    digest: String,
}

impl Slot {
    /// Returns the slot of a grant below `root`. Creates nothing, and checks the
    /// directories that exist.
    ///
    /// # Errors
    /// Another user owns a directory or can write to it, or it is not a directory.
    pub fn new(root: &Path, grant: Grant) -> io::Result<Self> {
        let slot = Self {
            root: root.to_owned(),
            dir: root.join("v1").join(grant.key_id.as_str()),
            digest: digest_of(&grant),
            grant,
        };
        slot.check_directories()?;
        Ok(slot)
    }

    /// Returns the entry, if there is one and its fields match the grant. A truncated,
    /// foreign or oversized file and a link count as a miss.
    pub fn read(&self) -> Option<Entry> {
        let file = open_private().read(true).open(self.path("json")).ok()?;
        let is_ours = |status: &Status| status.is_file() && status.is_private();
        let status = Status::of_open(&file).ok().filter(is_ours)?;
        let bytes = input::read_sized(file, LIMIT, status.size()).ok()?;
        record::read(&self.grant, &bytes)
    }

    /// Replaces the entry atomically.
    ///
    /// # Errors
    /// The operating system's error: no directory, disk full, permission denied.
    pub fn replace(&self, entry: &Entry) -> io::Result<()> {
        let json = record::write(&self.grant, entry)?;
        replace::private(&self.path("json"), json.expose().as_bytes())
    }

    /// Writes the token to a file beside the entry, atomically, and returns the file's
    /// absolute path: for a command that reads the file again and again. Removing the
    /// entry keeps this file for that command; `cache clear` removes it.
    ///
    /// # Errors
    /// As [`Slot::replace`].
    pub fn write_token(&self, token: &Token) -> io::Result<PathBuf> {
        self.make_directories()?;
        let path = path::absolute(self.path("token"))?;
        replace::private(&path, token.expose().as_bytes())?;
        Ok(path)
    }

    /// Removes the entry if its token is this one, and if no other process is about to
    /// replace it. Returns true if it was removed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn remove(&self, token: &Secret) -> io::Result<bool> {
        // The lock keeps a newer entry from being stored between the two steps, and lost. A
        // file system without locks has no such guard.
        let lock = self.try_lock();
        if matches!(lock, Ok(None)) {
            return Ok(false);
        }
        match self.read() {
            Some(entry) if entry.token.is(token) => self.clear(),
            _ => Ok(false),
        }
    }

    /// Sets or clears the entry's doubt mark, if its token is this one. Returns true if
    /// it is this one.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn set_doubt(&self, token: &Secret, is_doubted: bool) -> io::Result<bool> {
        // A process with the lock is about to replace the entry.
        let Ok(Some(_lock)) = self.try_lock() else {
            return Ok(false);
        };
        match self.read() {
            Some(entry) if entry.token.is(token) => {
                if entry.is_doubted != is_doubted {
                    self.replace(&Entry {
                        is_doubted,
                        ..entry
                    })?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Removes the entry. Returns true if there was one.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn clear(&self) -> io::Result<bool> {
        match fs::remove_file(self.path("json")) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates the missing directories with mode 0700, independent of the umask.
    ///
    /// # Errors
    /// A directory cannot be created, or another user created it first.
    pub fn make_directories(&self) -> io::Result<()> {
        for dir in [&self.root, &self.root.join("v1"), &self.dir] {
            make_directory(dir)?;
        }
        self.check_directories()
    }

    /// Tries to take the entry's lock without waiting. Returns `None` if another
    /// process has it.
    ///
    /// # Errors
    /// The lock file cannot be opened or locked.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        Lock::try_take(&self.lock_path())
    }

    /// Tries to take one of the locks for a stalled holder of the entry's lock, as
    /// [`Slot::try_lock`].
    ///
    /// # Errors
    /// As [`Slot::try_lock`].
    pub fn try_turn(&self, turn: Turn) -> io::Result<Option<Lock>> {
        Lock::try_take(&self.path(turn.extension()))
    }

    /// Returns the lock file's path, for messages.
    pub fn lock_path(&self) -> PathBuf {
        self.path("lock")
    }

    /// Returns the time up to which tokens of the shared cache are not used; `None` if
    /// none was refused.
    pub fn floor(&self) -> Option<UnixTime> {
        lock::note(&self.lock_path(), Note::Floor)
    }

    /// Records that tokens of the shared cache up to this time are not used.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn note_floor(&self, floor: UnixTime) -> io::Result<()> {
        lock::write_note(&self.lock_path(), Note::Floor, floor)
    }

    /// Returns the time of the shared cache's last failure.
    pub fn store_trouble(&self) -> Option<UnixTime> {
        lock::note(&self.lock_path(), Note::StoreTrouble)
    }

    /// Records that the shared cache is not available.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn note_store_trouble(&self, now: UnixTime) -> io::Result<()> {
        lock::write_note(&self.lock_path(), Note::StoreTrouble, now)
    }

    /// Returns the record of the processes that got this entry's tokens.
    pub fn parents(&self) -> Parents {
        Parents::at(self.path("parents"))
    }

    /// Removes the temporary files of processes that were killed while writing.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sweep(&self, now: UnixTime) -> io::Result<()> {
        temporary::sweep(&self.dir, now)
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.digest))
    }

    fn check_directories(&self) -> io::Result<()> {
        check_directories(&self.root, &[&self.root.join("v1"), &self.dir])
    }
}

/// Checks that only this user can write to the cache directories that exist. Only the
/// root may be a symbolic link.
fn check_directories(root: &Path, below: &[&Path]) -> io::Result<()> {
    let below = below.iter().map(|dir| (*dir, Status::of_link(dir)));
    for (dir, look) in std::iter::once((root, Status::of(root))).chain(below) {
        match look {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(named(dir, &system(&error))),
            Ok(status) if !status.is_dir() => return Err(named(dir, "not a directory")),
            Ok(status) if !status.is_ours_to_write() => {
                return Err(named(dir, "another user owns it or can write to it"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn named(path: &Path, reason: &str) -> io::Error {
    io::Error::other(format!("{}: {reason}", quote::path(path)))
}

const ANOTHER_USERS: &str = "owned by another user, who could not use files that root creates there (use sudo -H, or --cache-dir)";

/// Creates a directory and its missing parents with mode 0700, independent of the
/// umask.
fn make_directory(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = match dir.parent() {
        Some(above) if !above.as_os_str().is_empty() => {
            make_directory(above)?;
            above
        }
        _ => Path::new("."),
    };
    if !may_create_in(above).map_err(|error| named(above, &system(&error)))? {
        return Err(named(above, ANOTHER_USERS));
    }
    create_private_dir(dir).map_err(|error| named(dir, &system(&error)))
}

/// Returns the grant's name in the cache: a digest of its parts, none of which is secret.
fn digest_of(grant: &Grant) -> String {
    let issuer = grant.issuer.as_ref().map_or("", IssuerUrl::as_str);
    let parts = [issuer, grant.key_id.as_str(), grant.user_id.as_str()];
    digest(parts.into_iter().chain(grant.scopes.iter()))
}

/// True for a name as [`digest_of`] returns it.
fn is_digest(name: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.len() == 32 && name.bytes().all(is_hex)
}

#[cfg(test)]
mod tests;
