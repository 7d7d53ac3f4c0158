//! Entries on disk: where they lie, how they are read and replaced.
//!
//! `{root}/v1/{keyId}/{digest}.json`, with a lock file beside it. Directories
//! are 0700 and files 0600. A reader takes no lock and never sees half a file.

pub mod listing;
pub mod lock;
pub mod parents;
pub mod record;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io, path};

use lock::Lock;
use parents::Parents;
pub use record::Entry;
use ring::digest;

use crate::grant::Grant;
use crate::secret::Secret;
use crate::sys::files::{create_private_dir, may_create_in, open_private};
use crate::sys::status::Status;
use crate::sys::{replace, temporary};
use crate::text::clock::UnixTime;
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::token::Token;

/// The largest entry: a token may itself be as large as an answer.
const LIMIT: usize = 2 * input::LIMIT;

/// The place of one grant's entry.
#[derive(Debug)]
pub struct Slot {
    grant: Grant,
    root: PathBuf,
    dir: PathBuf,
    digest: String,
}

impl Slot {
    /// The slot of a grant below `root`. Touches no file but to look at the
    /// directories that are there.
    ///
    /// # Errors
    /// A directory that another user owns or can write, or that is none.
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

    /// The entry, where there is one and every field of it fits the grant.
    /// Anything off is a miss: a torn, foreign or oversized file, a link.
    pub fn read(&self) -> Option<Entry> {
        let file = open_private().read(true).open(self.path("json")).ok()?;
        let is_ours = |status: &Status| status.is_file() && status.is_private();
        let status = Status::of_open(&file).ok().filter(is_ours)?;
        let bytes = input::read_sized(file, LIMIT, status.size()).ok()?;
        record::read(&self.grant, &bytes)
    }

    /// Writes the entry whole and puts it in place of the one before.
    ///
    /// # Errors
    /// The system's own reason: no directory, no room, no leave.
    pub fn replace(&self, entry: &Entry) -> io::Result<()> {
        let json = record::write(&self.grant, entry)?;
        replace::private(&self.path("json"), json.expose().as_bytes())
    }

    /// Writes the token alone to a file beside the entry, whole and in place of
    /// the one before, and returns its absolute path: for a command that reads it
    /// now and then. Forgetting the entry leaves it to that command; `cache clear`
    /// does not.
    ///
    /// # Errors
    /// As [`Slot::replace`].
    pub fn write_token(&self, token: &Token) -> io::Result<PathBuf> {
        self.make_directories()?;
        let path = path::absolute(self.path("token"))?;
        replace::private(&path, token.expose().as_bytes())?;
        Ok(path)
    }

    /// Takes the entry out if it holds this very token. Returns whether it did.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn remove(&self, token: &Secret) -> io::Result<bool> {
        // Held, so that a newer one does not come between the two steps; whoever
        // else holds it is about to replace the entry.
        let _lock = self.try_lock();
        match self.read() {
            Some(entry) if entry.token.is(token) => self.clear(),
            _ => Ok(false),
        }
    }

    /// Takes the entry out, whatever it holds. Returns whether there was one.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn clear(&self) -> io::Result<bool> {
        match fs::remove_file(self.path("json")) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the directories where they are missing, 0700 whatever the umask.
    ///
    /// # Errors
    /// They cannot be made, or somebody else made them first.
    pub fn make_directories(&self) -> io::Result<()> {
        for dir in [&self.root, &self.root.join("v1"), &self.dir] {
            make_directory(dir)?;
        }
        self.check_directories()
    }

    /// Tries the lock of this entry without waiting; none if another process
    /// holds it.
    ///
    /// # Errors
    /// The lock file cannot be opened or locked.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        Lock::try_take(&self.lock_path())
    }

    /// The lock file's path, for messages.
    pub fn lock_path(&self) -> PathBuf {
        self.path("lock")
    }

    /// The note of who was handed this entry's tokens.
    pub fn parents(&self) -> Parents {
        Parents::at(self.path("parents"))
    }

    /// Removes what killed processes left of entries they were writing.
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

/// Whether a cache's directories, as far as they are there, are ours alone. The
/// root may be a link that its owner made; what lies in it may not.
fn check_directories(root: &Path, below: &[&Path]) -> io::Result<()> {
    let below = below.iter().map(|dir| (*dir, Status::of_link(dir)));
    for (dir, look) in std::iter::once((root, Status::of(root))).chain(below) {
        match look {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(named(dir, &system(&error))),
            Ok(status) if !status.is_dir() => return Err(named(dir, "it is no directory")),
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

const ANOTHER_USERS: &str = "it belongs to another user, who would be locked out of what root makes there (use sudo -H, or --cache-dir)";

/// Makes a directory, and those above it, 0700: a umask cannot take from that.
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

/// The grant's name in the cache: SHA-256 over its length-prefixed parts, the
/// first 32 hex digits. No secret goes in.
fn digest_of(grant: &Grant) -> String {
    let parts = [
        grant.issuer.as_str(),
        grant.key_id.as_str(),
        grant.user_id.as_str(),
    ];
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts.into_iter().chain(grant.scopes.iter()) {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut name = String::with_capacity(32);
    for byte in &context.finish().as_ref()[..16] {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests;
