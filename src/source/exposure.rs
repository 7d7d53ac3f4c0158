//! Finds out who else can read or replace a file with a secret.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::sys::files::{is_read_only, open_to_read};
use crate::sys::paths::canonicalize;
use crate::sys::status::Status;
use crate::text::quote::word;

/// Warns if other users can read or write a file with a secret, shown as `source`. A pipe
/// has no mode, and nobody can change a file on a read-only mount: a Kubernetes secret
/// has mode 0644 by default.
pub fn warn(path: &Path, source: &dyn fmt::Display) {
    // Only a regular file is opened: a pipe would lose its reader.
    let Ok(status) = Status::of(path) else { return };
    if !status.is_file() || open_to_read(path).is_ok_and(|file| is_read_only(&file)) {
        return;
    }
    let mode = status.shown_mode();
    let remedy = format!("run chmod 600 {}", word(path));
    if status.is_readable_by_all() {
        log::warn!("{source}: every user can read it ({mode}): {remedy}");
    } else if status.is_writable_by_others() {
        log::warn!("{source}: its group can write to it ({mode}): {remedy}");
    }
}

/// Returns the directories in which every user can replace a key file: that of the path,
/// and that of a link's target.
pub fn open_directories(path: &Path) -> Vec<PathBuf> {
    let real = canonicalize(path).ok();
    let mut dirs: Vec<_> = [Some(path), real.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(Path::parent)
        .filter_map(|dir| canonicalize(dir).ok())
        .collect();
    dirs.dedup();
    dirs.retain(|dir| {
        let is_fixed = || File::open(dir).is_ok_and(|dir| is_read_only(&dir));
        Status::of(dir).is_ok_and(|dir| dir.is_writable_by_all() && !dir.is_sticky()) && !is_fixed()
    });
    dirs
}
