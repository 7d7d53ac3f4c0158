//! The place of a downloaded key: beside the config file, for its owner alone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Report};
use crate::sys::files::{can_create_in, create_private_dir};
use crate::sys::paths::canonicalize;
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::input;
use crate::text::quote;
use crate::text::quote::{system, word};

/// Directories below the home directory to which browsers download.
const DOWNLOADS: [&str; 2] = ["Downloads", "Desktop"];

/// Directories that are emptied.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Returns where a key file belongs that lies as it was downloaded; `None` if it is not such
/// a file, or is not this user's to move.
pub(super) fn of_download(
    key: &Path,
    config: &Path,
    name: &str,
    home: Option<&Path>,
) -> Option<PathBuf> {
    let status = Status::of_link(key).ok()?;
    let key = canonicalize(key).ok()?;
    let from = key.parent()?;
    let to = std::path::absolute(config).ok()?.parent()?.to_owned();
    let is_movable = status.is_file() && status.is_ours() && can_create_in(from);
    let is_there = canonicalize(&to).is_ok_and(|to| to == from);
    if !is_movable || is_there || !is_download(&key, from, home) {
        return None;
    }
    let kind = key.extension().and_then(|kind| kind.to_str());
    let kind = kind.unwrap_or("json");
    let numbered = (2..100).map(|number| format!("{name}-{number}.{kind}"));
    let names = std::iter::once(format!("{name}.{kind}")).chain(numbered);
    let mut places = names.map(|name| to.join(name));
    let free = places.find(|place| place.symlink_metadata().is_err())?;
    // The config file names it.
    free.to_str().is_some().then_some(free)
}

/// True for a file that a browser wrote, or one that ZITADEL named: `KEYID.json`.
fn is_download(key: &Path, dir: &Path, home: Option<&Path>) -> bool {
    let home = home.and_then(|home| canonicalize(home).ok());
    let in_home = home.is_some_and(|home| DOWNLOADS.iter().any(|name| dir == home.join(name)));
    let is_temporary = TEMPORARY
        .iter()
        .any(|temporary| dir == Path::new(temporary));
    let stem = key.file_stem().and_then(|stem| stem.to_str());
    // A browser numbers the second one: `KEYID (1)`.
    let id = stem.and_then(|stem| stem.split([' ', '(']).next());
    let is_id = |id: &str| id.len() >= 15 && id.bytes().all(|byte| byte.is_ascii_digit());
    in_home || is_temporary || id.is_some_and(is_id)
}

/// Copies a key file to its place, with mode 0600.
///
/// # Errors
/// It cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path, deadline: &Deadline) -> Result<(), Error> {
    let failed = |why: &str| {
        let what = format!("the key was not moved to {}: {why}", quote::path(to));
        Error::Usage(Report::new(what).hint("run it again, and leave the key where it is"))
    };
    let bytes = input::read_believed(from, input::LIMIT, deadline)
        .map_err(|error| failed(&error.to_string()))?;
    if let Some(dir) = to.parent() {
        create_private_dir(dir).map_err(|error| failed(&system(&error)))?;
    }
    replace::create_new(to, &bytes).map_err(|error| failed(&system(&error)))
}

/// Removes the file that was copied, and says what was done.
pub(super) fn remove(from: &Path, to: &Path) -> String {
    let place = quote::path(to);
    match fs::remove_file(from) {
        Ok(()) => format!("moved the key to {place}, mode 0600"),
        Err(error) => format!(
            "warning: copied the key to {place}, but {} stays ({}): rm {}",
            quote::path(from),
            system(&error),
            word(from)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_a_browser_leaves_it_is_a_download() {
        let is = |text: &str| {
            let key = Path::new(text);
            is_download(key, key.parent().expect("a directory"), None)
        };
        for download in [
            "/tmp/key.json",
            "/home/me/317240000000000001.json",
            "/home/me/317240000000000001 (1).json",
            "/home/me/317240000000000001(2).json",
        ] {
            assert!(is(download), "{download}");
        }
        for other in [
            "/home/me/key.json",
            "/tmp/x/key.json",
            "/run/secrets/7.json",
            "/home/me/2026-01-01.json",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
