//! All entries of a cache, to be shown or removed: by their own word, for no
//! grant is at hand to hold them against.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{LIMIT, Record, digest_of, is_private};
use crate::clock::UnixTime;
use crate::input;
use crate::key::{KeyId, UserId};
use crate::scope::Scopes;
use crate::token::Grant;
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

/// The entries below `root`, in order. What is no entry is passed over.
///
/// # Errors
/// A directory that cannot be read; one that is not there is empty.
pub fn list(root: &Path) -> io::Result<Vec<Listed>> {
    let mut found = Vec::new();
    for dir in children(&root.join("v1"))? {
        if fs::symlink_metadata(&dir).is_ok_and(|m| m.is_dir() && is_private(&m, 0o022)) {
            let files = children(&dir)?;
            found.extend(files.into_iter().filter_map(|path| look(&dir, path)));
        }
    }
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
    let file = input::private_file().read(true).open(&path).ok()?;
    let meta = file.metadata().ok()?;
    let bytes = (meta.is_file() && is_private(&meta, 0o077))
        .then(|| input::read_regular(file, &meta, LIMIT).ok())??;
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
        is_jwt: record.access_token.split('.').count() == 3,
        size: meta.len(),
        path,
    })
}

impl Listed {
    /// Removes the entry and what lies beside it; a lock that is in use stays,
    /// for whoever holds it or waits for it.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn remove(&self) -> io::Result<()> {
        let beside = |extension| self.path.with_extension(extension);
        let lock = Lock::try_take(&beside("lock"))?;
        remove(&self.path)?;
        remove(&beside("parents"))?;
        if lock.is_some() {
            remove(&beside("lock"))?;
        }
        if let Some(dir) = self.path.parent() {
            // It goes with its last entry, and stays with any other.
            let _ = fs::remove_dir(dir);
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
