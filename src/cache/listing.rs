//! All entries of a cache, to be shown or removed: by their own word, for no
//! grant is at hand to hold them against.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::lock::Lock;
use super::record::Record;
use super::{LIMIT, check_directories, digest_of, named};
use crate::grant::{Grant, KeyId, UserId};
use crate::scope::Scopes;
use crate::sys::files::open_private;
use crate::sys::status::Status;
use crate::sys::temporary;
use crate::text::clock::UnixTime;
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::token::is_jwt;
use crate::url::IssuerUrl;

/// An entry without its token.
#[derive(Debug)]
pub struct Listed {
    /// What the token was got for.
    pub grant: Grant,
    /// When it ends.
    pub expires_at: UnixTime,
    /// Whether it is a JWT, which a server can read itself.
    pub is_jwt: bool,
    /// The file's size in bytes.
    pub size: u64,
    path: PathBuf,
}

/// What to do where a cache cannot be used.
pub const ELSEWHERE: &str =
    "see who owns it and its mode (0700 is right), or name another by --cache-dir";

/// The entries below `root`, in order. What is no entry is passed over, and so
/// is a directory that cannot be read.
///
/// # Errors
/// A cache that is not ours alone; one that is not there is empty.
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

/// Removes what could hold a token although it is no entry: a torn or foreign
/// file, one that a killed process was writing. Returns what could not be.
///
/// # Errors
/// As [`list`].
pub fn sweep(root: &Path) -> io::Result<Vec<(PathBuf, io::Error)>> {
    let mut failed = Vec::new();
    for dir in directories(root)? {
        match children(&dir) {
            Ok(files) => {
                for path in files.into_iter().filter(|path| may_hold_a_token(path)) {
                    if let Err(error) = remove(&path) {
                        failed.push((path, error));
                    }
                }
            }
            Err(error) => failed.push((dir, error)),
        }
    }
    Ok(failed)
}

fn may_hold_a_token(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let holds = [&b".json"[..], b".token"]
        .iter()
        .any(|end| name.ends_with(end));
    holds || name.starts_with(temporary::PREFIX.as_bytes())
}

/// The directories of all keys, as far as they are ours.
fn directories(root: &Path) -> io::Result<Vec<PathBuf>> {
    let v1 = root.join("v1");
    check_directories(root, &[&v1])?;
    let is_ours = |dir: &PathBuf| {
        Status::of_link(dir).is_ok_and(|status| status.is_dir() && status.is_ours_to_write())
    };
    let mut found = children(&v1).map_err(|error| named(&v1, &system(&error)))?;
    found.retain(is_ours);
    Ok(found)
}

fn children(dir: &Path) -> io::Result<Vec<PathBuf>> {
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

fn look(dir: &Path, path: PathBuf) -> Option<Listed> {
    if path.extension() != Some(OsStr::new("json")) {
        return None;
    }
    let file = open_private().read(true).open(&path).ok()?;
    let status = Status::of_open(&file).ok()?;
    let bytes = (status.is_file() && status.is_private())
        .then(|| input::read_sized(file, LIMIT, status.size()).ok())??;
    let record: Record<'_> = serde_json::from_slice(&bytes).ok()?;
    let grant = Grant {
        issuer: IssuerUrl::parse(&record.issuer)?,
        key_id: KeyId::parse(&record.key_id)?,
        user_id: UserId::parse(&record.user_id)?,
        scopes: Scopes::new([&*record.scopes]).ok()?,
    };
    let is_in_place = dir.file_name() == Some(OsStr::new(grant.key_id.as_str()))
        && path.file_stem() == Some(OsStr::new(&digest_of(&grant)));
    is_in_place.then_some(Listed {
        grant,
        expires_at: record.expires_at,
        // RFC 7519, section 3: three parts, of which an opaque token has one.
        is_jwt: is_jwt(&record.access_token),
        size: status.size(),
        path,
    })
}

impl Listed {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the entry if it still is one to be removed, and what lies beside
    /// it. A lock that is in use stays, for whoever holds it or waits for it; so
    /// does the directory, which somebody may be about to write to.
    ///
    /// Returns whether it was removed.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn remove(&self, is_wanted: impl Fn(&Self) -> bool) -> io::Result<bool> {
        let beside = |extension| self.path.with_extension(extension);
        // One that cannot be had keeps no entry from being removed.
        let lock = Lock::try_take(&beside("lock")).ok().flatten();
        let dir = self.path.parent().unwrap_or(Path::new(""));
        match look(dir, self.path.clone()) {
            Some(now) if is_wanted(&now) => {}
            _ => return Ok(false),
        }
        remove(&self.path)?;
        remove(&beside("token"))?;
        remove(&beside("parents"))?;
        if lock.is_some() {
            remove(&beside("lock"))?;
        }
        Ok(true)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
