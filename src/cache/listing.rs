//! Lists and removes all entries of a cache. There is no grant to compare with, so an
//! entry is described by its own fields.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::lock::{Lock, Turn};
use super::record::Record;
use super::{LIMIT, check_directories, digest_of, named};
use crate::grant::{Grant, KeyId, UserId};
use crate::scope::Scopes;
use crate::sys::files::open_private;
use crate::sys::status::Status;
use crate::text::clock::UnixTime;
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::token::is_jwt;
use crate::url::IssuerUrl;

/// An entry without its token.
#[derive(Debug)]
pub struct Listed {
    /// The token's grant.
    pub grant: Grant,
    /// The token's expiry.
    pub expires_at: UnixTime,
    /// True if the token is a JWT.
    pub is_jwt: bool,
    /// The file's size in bytes.
    pub size: u64,
    path: PathBuf,
}

/// The hint for a cache that cannot be used.
pub const ELSEWHERE: &str =
    "make the directory yours, with mode 0700, or choose another with --cache-dir";

/// Returns the entries below `root`, in order. Other files and directories that
/// cannot be read are skipped. A missing cache is empty.
///
/// # Errors
/// Another user can write to the cache.
pub fn list(root: &Path) -> io::Result<Vec<Listed>> {
    let look_in = |dir: PathBuf| {
        let files = children(&dir).unwrap_or_else(|error| {
            log::warn!("{}: {}", quote::path(&dir), system(&error));
            Vec::new()
        });
        files.into_iter().filter_map(move |path| look(&dir, path))
    };
    Ok(directories(root)?.into_iter().flat_map(look_in).collect())
}

/// Returns the directories of all keys, without those that another user owns or
/// can write to.
pub(super) fn directories(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = below(root)?;
    found.retain(|path| is_directory_of_key(path));
    Ok(found)
}

/// Returns the content of the directory of the keys' directories.
pub(super) fn below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let v1 = root.join("v1");
    check_directories(root, &[&v1])?;
    children(&v1).map_err(|error| named(&v1, &system(&error)))
}

/// True for a directory with the name of a key ID, to which only this user can write.
pub(super) fn is_directory_of_key(dir: &Path) -> bool {
    let name = dir.file_name().and_then(OsStr::to_str);
    name.and_then(KeyId::parse).is_some()
        && Status::of_link(dir).is_ok_and(|status| status.is_dir() && status.is_ours_to_write())
}

pub(super) fn children(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Returns the entry in this file; `None` if it is invalid or in the wrong place.
pub(super) fn look(dir: &Path, path: PathBuf) -> Option<Listed> {
    if path.extension() != Some(OsStr::new("json")) {
        return None;
    }
    let file = open_private().read(true).open(&path).ok()?;
    let status = Status::of_open(&file).ok()?;
    let bytes = (status.is_file() && status.is_private())
        .then(|| input::read_sized(file, LIMIT, status.size()).ok())??;
    let record: Record<'_> = serde_json::from_slice(&bytes).ok()?;
    let grant = Grant {
        issuer: match &*record.issuer {
            "" => None,
            issuer => Some(IssuerUrl::parse(issuer)?),
        },
        key_id: KeyId::parse(&record.key_id)?,
        user_id: UserId::parse(&record.user_id)?,
        scopes: Scopes::new([&*record.scopes]).ok()?,
    };
    let is_in_place = dir.file_name() == Some(OsStr::new(grant.key_id.as_str()))
        && path.file_stem() == Some(OsStr::new(&digest_of(&grant)));
    is_in_place.then_some(Listed {
        grant,
        expires_at: record.expires_at,
        // RFC 7519, section 3: three parts; an opaque token has one or five.
        is_jwt: is_jwt(&record.access_token),
        size: status.size(),
        path,
    })
}

impl Listed {
    /// Returns the path of the entry's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the entry, and the files beside it, if the entry still satisfies
    /// `is_wanted`. A lock file in use stays for its processes, and so does the
    /// directory, because another process may be about to write to it.
    ///
    /// Returns true if the entry was removed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn remove(&self, is_wanted: impl Fn(&Self) -> bool) -> io::Result<bool> {
        // The entry is removed even if the lock is not available.
        let lock = Lock::try_take(&self.path.with_extension("lock"));
        let dir = self.path.parent().unwrap_or(Path::new(""));
        match look(dir, self.path.clone()) {
            Some(now) if is_wanted(&now) => {}
            _ => return Ok(false),
        }
        remove_with_others(&self.path, lock.ok().flatten().as_ref())?;
        Ok(true)
    }
}

/// Removes an entry's file, and the files beside it that have its name. Lock files are
/// removed only with the lock.
pub(super) fn remove_with_others(path: &Path, lock: Option<&Lock>) -> io::Result<()> {
    let beside = |extension| path.with_extension(extension);
    remove(path)?;
    remove(&beside("token"))?;
    remove(&beside("parents"))?;
    if lock.is_some() {
        remove(&beside("lock"))?;
        for turn in Turn::ALL {
            remove(&beside(turn.extension()))?;
        }
    }
    Ok(())
}

/// Removes a file; a missing one is not an error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
