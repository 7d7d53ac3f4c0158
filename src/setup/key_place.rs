//! The place of a downloaded key: beside the config file, readable only by its owner.

use std::path::{Path, PathBuf};

use crate::edit::moved::is_copy;
use crate::sys::files::can_create_in;
use crate::sys::paths::canonicalize;
use crate::sys::status::Status;

/// Directories below the home directory that browsers download to.
const DOWNLOADS: [&str; 2] = ["Downloads", "Desktop"];

/// Directories that the system empties.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Returns the new place of a key file that is still where it was downloaded; `None` if
/// it is not such a file, or this user may not move it.
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
    // A killed setup may have left its copy.
    let free = places.find(|place| place.symlink_metadata().is_err() || is_copy(&key, place))?;
    // The path must be text, as the config file names it.
    free.to_str().is_some().then_some(free)
}

/// True for a file in a download or temporary directory, or with ZITADEL's name:
/// `KEYID.json`.
fn is_download(key: &Path, dir: &Path, home: Option<&Path>) -> bool {
    let home = home.and_then(|home| canonicalize(home).ok());
    let in_home = home.is_some_and(|home| DOWNLOADS.iter().any(|name| dir == home.join(name)));
    let is_temporary = TEMPORARY
        .iter()
        .any(|temporary| dir == Path::new(temporary));
    let stem = key.file_stem().and_then(|stem| stem.to_str());
    // Browsers number a second download: `KEYID (1)`.
    let id = stem.and_then(|stem| stem.split([' ', '(']).next());
    let is_id = |id: &str| id.len() >= 15 && id.bytes().all(|byte| byte.is_ascii_digit());
    in_home || is_temporary || id.is_some_and(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_file_name_marks_a_download() {
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
