//! Removes the remains of entries: damaged ones, token files, temporary files of killed
//! processes.
//!
//! `--cache-dir` may name a directory of other programs, and names of 32 hex digits are
//! common. So a file is ours only if its content matches as well as its name.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::listing::{below, children, is_directory_of_key, look, remove, remove_with_others};
use super::lock::{Lock, SIZES, Turn};
use super::{LIMIT, is_digest, parents, record};
use crate::sys::files::open_private;
use crate::sys::status::Status;
use crate::sys::temporary;
use crate::text::input;
use crate::token::{Token, is_jwt};

/// The files that a sweep did not remove.
#[derive(Debug, Default)]
pub struct Swept {
    /// Our files that could not be removed, with the reason.
    pub failed: Vec<(PathBuf, io::Error)>,
    /// Number of files and directories of other programs.
    pub others: usize,
}

/// The kind of a file in a key's directory, by its name and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A valid entry.
    Entry,
    /// An entry that is damaged or in the wrong place.
    Damaged,
    /// A record of parents, which contains no token.
    Parents,
    /// A lock.
    Lock,
    /// A token's file.
    Token,
    /// A temporary file.
    Temporary,
    /// A file of another program.
    Other,
}

/// Removes our files that are not valid entries. The files of valid entries stay.
///
/// # Errors
/// As [`super::listing::list`].
pub fn sweep(root: &Path) -> io::Result<Swept> {
    let mut swept = Swept::default();
    for dir in below(root)? {
        if !is_directory_of_key(&dir) {
            swept.others += 1;
            continue;
        }
        match children(&dir) {
            Ok(files) => swept.sweep_directory(&dir, files),
            Err(error) => swept.failed.push((dir, error)),
        }
    }
    Ok(swept)
}

impl Swept {
    fn sweep_directory(&mut self, dir: &Path, files: Vec<PathBuf>) {
        let kinds = files.into_iter().map(|path| (kind_of(dir, &path), path));
        let kinds: Vec<_> = kinds.collect();
        let has = |path: &Path, wanted: &[Kind]| {
            let same = |other: &Path| other.file_stem() == path.file_stem();
            let mut others = kinds.iter();
            others.any(|(kind, other)| wanted.contains(kind) && same(other))
        };
        for (kind, path) in &kinds {
            let removed = match kind {
                Kind::Damaged => {
                    let lock = Lock::try_take(&path.with_extension("lock"));
                    remove_with_others(path, lock.ok().flatten().as_ref())
                }
                // Only another of our files with the same name beside it makes it ours.
                Kind::Token if !has(path, &[Kind::Entry, Kind::Lock, Kind::Parents]) => {
                    self.others += 1;
                    continue;
                }
                Kind::Token | Kind::Parents if !has(path, &[Kind::Entry]) => remove(path),
                Kind::Temporary => remove(path),
                Kind::Other => {
                    self.others += 1;
                    continue;
                }
                // A lock contains no token, and a process may be about to take it.
                Kind::Entry | Kind::Lock | Kind::Token | Kind::Parents => continue,
            };
            if let Err(error) = removed {
                self.failed.push((path.clone(), error));
            }
        }
    }
}

fn kind_of(dir: &Path, path: &Path) -> Kind {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_temporary = name.starts_with(temporary::PREFIX.as_bytes());
    let digest = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    if !is_temporary && !is_digest(digest) {
        return Kind::Other;
    }
    let Some(bytes) = content(path) else {
        return Kind::Other;
    };
    let extension = path.extension().and_then(OsStr::to_str);
    let is_lock = |end| end == "lock" || Turn::ALL.iter().any(|turn| turn.extension() == end);
    let kind = match extension {
        _ if is_temporary => {
            (record::is_of_ours(&bytes) || is_token(&bytes)).then_some(Kind::Temporary)
        }
        Some("json") if look(dir, path.to_owned()).is_some() => Some(Kind::Entry),
        Some("json") => record::is_of_ours(&bytes).then_some(Kind::Damaged),
        Some("token") => is_jwt_alone(&bytes).then_some(Kind::Token),
        Some("parents") => parents::is_of_ours(&bytes).then_some(Kind::Parents),
        Some(end) if is_lock(end) => SIZES.contains(&bytes.len()).then_some(Kind::Lock),
        _ => None,
    };
    kind.unwrap_or(Kind::Other)
}

/// Returns the content of a regular file of this user; `None` for all others.
fn content(path: &Path) -> Option<Vec<u8>> {
    let file = open_private().read(true).open(path).ok()?;
    let status = Status::of_open(&file).ok()?;
    if !status.is_file() || !status.is_ours() {
        return None;
    }
    input::read_sized(file, LIMIT, status.size()).ok()
}

fn is_token(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| Token::new(text.to_owned(), None))
        .is_some()
}

/// True for a token file of `exec --write-web-identity`.
fn is_jwt_alone(bytes: &[u8]) -> bool {
    is_token(bytes) && std::str::from_utf8(bytes).is_ok_and(is_jwt)
}
