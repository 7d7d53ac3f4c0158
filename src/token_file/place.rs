//! Finds the place of a file to write: the walk along its path, and the checks on the
//! way.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::edit::directory::missing;
use crate::sys::MOST_LINKS;
use crate::sys::absolute::names_directory;
use crate::sys::dir::Dir;
use crate::sys::files::is_open_file;
use crate::sys::status::Status;
use crate::text::quote::system;

/// The kind of content written to a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Token,
    /// A text without a secret.
    Public,
}

/// The reason why a file is not written, and a hint.
pub(super) type Refusal = (String, &'static str);

pub(super) const DIRECTORY: &str = "choose a directory that you can write to";

const NAME: &str = "give a file's name, in a directory that you can write to";

const OWN_DIRECTORY: &str =
    "choose a directory that no other user can write to, or remove their permission: chmod go-w";

const FILE_ITSELF: &str = "give the path of the file itself";

/// Walks to the file, and returns its directory and its name there.
///
/// Follows only links that belong to this user or to root, and that no other user can
/// replace: any other link could point to another user's choice. Each directory is opened
/// from its parent, so that nobody can swap a part of the path meanwhile.
pub(super) fn place(path: &Path, content: Content) -> Result<(Dir, OsString), Refusal> {
    if names_directory(path) {
        return Err(("the name of a directory".to_owned(), NAME));
    }
    let failed = |error: io::Error| (system(&error), DIRECTORY);
    let mut ahead = reversed(path);
    // The open directories, and the paths by which they were reached.
    let mut at = PathBuf::from(if path.is_absolute() { "/" } else { "." });
    let mut way = vec![Dir::open(&at).map_err(failed)?];
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        let dir = &way[way.len() - 1];
        match Path::new(&part).components().next() {
            // A drive on Windows: its root follows.
            Some(Component::Prefix(_)) if ahead.last().is_some_and(is_root) => {
                at = PathBuf::from(part);
                continue;
            }
            Some(Component::RootDir) => {
                at.push(&part);
                way = vec![Dir::open(&at).map_err(failed)?];
                continue;
            }
            Some(Component::ParentDir) if way.len() > 1 => {
                way.pop();
                at.pop();
                continue;
            }
            Some(Component::ParentDir) => {
                way = vec![dir.enter(&part).map_err(failed)?];
                at.push(&part);
                continue;
            }
            Some(Component::CurDir) => continue,
            _ => {}
        }
        at.push(&part);
        let status = match dir.status_of(&part) {
            Ok(status) => Some(status),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !ahead.is_empty() {
                    return Err(missing(at.strip_prefix(".").unwrap_or(&at)));
                }
                // The file is new.
                None
            }
            Err(error) => return Err(failed(error)),
        };
        if status.as_ref().is_some_and(Status::is_link) {
            links += 1;
            check_link(dir, &part, &at, links)?;
            ahead.extend(reversed(&dir.read_link(&part).map_err(failed)?));
            at.pop();
        } else if !ahead.is_empty() {
            way.push(dir.enter(&part).map_err(failed)?);
        } else {
            check_file(dir, status.as_ref(), content)?;
            return Ok((way.swap_remove(way.len() - 1), part));
        }
    }
    Err(("not a regular file".to_owned(), NAME))
}

fn is_root(part: &OsString) -> bool {
    Path::new(part).components().next() == Some(Component::RootDir)
}

/// Returns a path's components, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev();
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

/// Returns an error if a link must not be followed.
fn check_link(dir: &Dir, name: &OsStr, at: &Path, count: usize) -> Result<(), Refusal> {
    let failed = |error: io::Error| (system(&error), DIRECTORY);
    let refused = |why: &str, hint| Err((why.to_owned(), hint));
    // The order matters: a link's owner counts only if nobody can replace the link.
    let can_be_replaced = !dir.status().map_err(failed)?.keeps_ours();
    if !dir.status_of(name).map_err(failed)?.is_ours_or_roots() {
        return refused("the path has a symbolic link of another user", FILE_ITSELF);
    }
    if is_open_file(at) {
        // The target would be replaced, for example a log file.
        let hint = "leave out --write to get the token on stdout";
        return refused("not a file but a stream", hint);
    }
    if can_be_replaced {
        let why = "the path has a symbolic link that other users can replace";
        return refused(why, FILE_ITSELF);
    }
    if count > MOST_LINKS {
        return refused("too many symbolic links", FILE_ITSELF);
    }
    Ok(())
}

/// Returns an error if the file or its directory is not suitable for a token.
fn check_file(dir: &Dir, file: Option<&Status>, content: Content) -> Result<(), Refusal> {
    if file.is_some_and(|file| !file.is_file()) {
        return Err(("not a regular file".to_owned(), NAME));
    }
    if content == Content::Public {
        return Ok(());
    }
    let dir = dir.status().map_err(|error| (system(&error), DIRECTORY))?;
    if !dir.is_ours_or_roots() {
        let why = "its directory belongs to another user".to_owned();
        return Err((why, "choose a directory of your own"));
    }
    if !dir.keeps_ours() {
        let mode = dir.shown_mode();
        let why = format!("other users can write to its directory ({mode})");
        return Err((why, OWN_DIRECTORY));
    }
    // In a sticky directory, the owner of a file can change it back.
    if dir.is_writable_by_others() && file.is_some_and(|file| !file.is_ours()) {
        let why = "the file belongs to another user".to_owned();
        return Err((why, "choose another file name, or a directory of your own"));
    }
    Ok(())
}
