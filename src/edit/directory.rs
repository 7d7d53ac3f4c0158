//! Directories that a setup creates, and the resolved paths of files in them.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::sys::MOST_LINKS;
use crate::sys::files::{create_private_dir, may_create_in};
use crate::sys::paths::canonicalize;
use crate::sys::status::Status;
use crate::text::quote;

/// Refuses a path below a directory in which this user cannot create files: root in
/// another user's home (`sudo -E`), who would be locked out.
///
/// # Errors
/// The path is below such a directory.
pub(crate) fn check_above(path: &Path) -> io::Result<()> {
    let mut above = path.ancestors().skip_while(|path| !path.exists());
    match above.next() {
        Some(dir) if dir != path && !may_create_in(dir)? => Err(io::Error::other(format!(
            "{} is owned by another user, who could not use files that root creates there (use sudo -H)",
            quote::path(dir)
        ))),
        _ => Ok(()),
    }
}

/// Returns the reason and the hint for a file in a directory that does not exist.
pub(crate) fn missing(dir: &Path) -> (String, &'static str) {
    let reason = format!("there is no directory {}", quote::path(dir));
    (reason, "create it, or choose another directory")
}

/// Refuses a path with a link that another user could have created, for example in /tmp,
/// so that a different file would be changed.
///
/// # Errors
/// The path has such a link.
pub(crate) fn check_links(path: &Path) -> io::Result<()> {
    let mut dir = PathBuf::from("/");
    let mut rest: Vec<_> = path.components().rev().map(part_of).collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if *part == *".." {
            dir.pop();
            continue;
        }
        let next = dir.join(part);
        let Ok(there) = Status::of_link(&next) else {
            return Ok(());
        };
        if !there.is_link() || links == MOST_LINKS {
            dir = next;
            continue;
        }
        if !there.is_ours_or_roots() && Status::of(&dir)?.is_writable_by_all() {
            return Err(io::Error::other(format!(
                "{} is a symbolic link of another user",
                quote::path(&next)
            )));
        }
        links += 1;
        rest.extend(next.read_link()?.components().rev().map(part_of));
    }
    Ok(())
}

fn part_of(part: Component<'_>) -> PathBuf {
    part.as_os_str().into()
}

/// Creates a directory and its missing parents, with mode 0700. Returns the created ones,
/// the innermost first.
///
/// # Errors
/// As [`check_above`], or the operating system's error.
pub(crate) fn create(dir: &Path) -> io::Result<Vec<PathBuf>> {
    check_above(dir)?;
    let missing = dir.ancestors().take_while(|dir| !dir.exists());
    let missing: Vec<_> = missing.map(Path::to_owned).collect();
    missing
        .iter()
        .rev()
        .try_for_each(|dir| create_private_dir(dir))?;
    Ok(missing)
}

/// Returns the resolved path of a file that may be missing: its parents are resolved as
/// far as they exist.
pub(crate) fn real_place(path: &Path) -> PathBuf {
    let mut above = path.ancestors().skip(1);
    let place = above.find_map(|dir| {
        let below = path.strip_prefix(dir).ok()?;
        Some(canonicalize(dir).ok()?.join(below))
    });
    place.unwrap_or_else(|| path.to_owned())
}
