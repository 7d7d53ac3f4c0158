//! Temporary files, including those that killed processes leave behind.

use std::fs::{DirEntry, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;
use std::{fs, io};

use super::files::make_private;
use crate::text::clock::UnixTime;

/// Prefix of the names of temporary files.
pub const PREFIX: &str = ".zitadel-credential-";

/// Prefix of the names of a setup's files, made under its lock on their directory.
const SETUP: &str = ".zitadel-credential-setup-";

/// Number of letters and digits that follow: a user's file may have the same prefix, and
/// be beside one of ours in a home directory.
const RANDOM: usize = 32;

/// Seconds after its last write from which a file counts as abandoned: writing and
/// renaming takes a moment.
const ABANDONED: u64 = 60;

/// The file that another program edits in a temporary directory.
pub const COPY: &str = "copy";

/// The directories and files that this process created and will remove, the outermost
/// first.
static CREATED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn created() -> MutexGuard<'static, Vec<PathBuf>> {
    CREATED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates a private directory for a file that another program edits: in this directory,
/// or, if nothing can be created there, among the system's temporary files.
///
/// # Errors
/// The operating system's error.
pub fn copy_dir(beside: Option<&Path>) -> io::Result<tempfile::TempDir> {
    let mut builder = setup_builder();
    make_private(&mut builder);
    let dir = match beside.map(|dir| builder.tempdir_in(dir)) {
        Some(Ok(dir)) => dir,
        _ => builder.tempdir()?,
    };
    will_remove(dir.path());
    Ok(dir)
}

/// Registers a directory that this process created, to be removed if it stays empty, or a
/// setup's temporary file.
pub fn will_remove(path: &Path) {
    created().push(path.to_owned());
}

/// Removes the remaining copies, temporary files and empty directories, before an exit
/// that runs no destructor.
pub fn remove_created() {
    for path in created().drain(..).rev() {
        let is_temporary = path
            .file_name()
            .is_some_and(|name| is_of(SETUP, name.as_encoded_bytes()));
        let _ = if is_temporary {
            remove(&path)
        } else {
            fs::remove_dir(&path)
        };
    }
}

/// Returns a builder of temporary files and directories.
pub fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(RANDOM);
    builder
}

/// Returns a new name for a temporary file, as from [`builder`].
pub fn name() -> String {
    let random = std::iter::repeat_with(fastrand::alphanumeric);
    let random: String = random.take(RANDOM).collect();
    format!("{PREFIX}{random}")
}

/// Returns a builder of a setup's temporary files and directories.
pub fn setup_builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(SETUP).rand_bytes(RANDOM);
    builder
}

/// Removes the abandoned temporary files of `dir`.
///
/// # Errors
/// The directory cannot be read.
pub fn sweep(dir: &Path, now: UnixTime) -> io::Result<()> {
    sweep_if(dir, |entry| is_abandoned(entry, now))
}

/// Removes the abandoned temporary files of a directory. If the caller has the setups'
/// lock on it, all files of a setup count as abandoned.
///
/// # Errors
/// The directory cannot be read.
pub fn sweep_by_setup(dir: &Path, now: UnixTime, is_locked: bool) -> io::Result<()> {
    sweep_if(dir, |entry| {
        let is_setups = is_of(SETUP, entry.file_name().as_encoded_bytes());
        is_locked && is_setups || is_abandoned(entry, now)
    })
}

fn sweep_if(dir: &Path, is_abandoned: impl Fn(&DirEntry) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_abandoned(&entry) {
            // Another process may have swept the file.
            let _ = remove(&entry.path());
        }
    }
    Ok(())
}

/// Removes a file, or a directory that contains nothing but the copy.
fn remove(path: &Path) -> io::Result<()> {
    if !path.symlink_metadata()?.is_dir() {
        return fs::remove_file(path);
    }
    let copy = path.join(COPY);
    // The name that git and kubectl use.
    let _ = fs::remove_file(copy.with_extension("lock"));
    let _ = fs::remove_file(copy);
    fs::remove_dir(path)
}

fn is_abandoned(entry: &DirEntry, now: UnixTime) -> bool {
    let name = entry.file_name();
    if ![PREFIX, SETUP]
        .iter()
        .any(|prefix| is_of(prefix, name.as_encoded_bytes()))
    {
        return false;
    }
    entry.metadata().is_ok_and(|meta| {
        // A time in the future is from a clock that was set back.
        (meta.is_file() || meta.is_dir()) && modified(&meta).abs_diff(now.as_secs()) >= ABANDONED
    })
}

/// Returns the time of the last write, in seconds since 1970; zero before that.
fn modified(meta: &Metadata) -> u64 {
    let modified = meta.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

/// True if a builder would give a file this name.
fn is_of(prefix: &str, name: &[u8]) -> bool {
    name.strip_prefix(prefix.as_bytes()).is_some_and(|random| {
        // A digest in hex has letters of only one case.
        random.len() == RANDOM
            && random.iter().all(u8::is_ascii_alphanumeric)
            && random.iter().any(u8::is_ascii_uppercase)
            && random.iter().any(u8::is_ascii_lowercase)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn only_abandoned_temporary_files_are_removed() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |secs| SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
        let named = |written| {
            let file = builder().tempfile_in(dir.path()).expect("a file");
            file.as_file().set_modified(at(written)).expect("a time");
            let (_, path) = file.keep().expect("kept");
            path.file_name().expect("a name").to_owned()
        };
        for abandoned in [1_000_000, 1_000_120] {
            named(abandoned);
        }
        let mut kept = vec![named(1_000_001)];
        // Names of a user's own files.
        for name in [
            ".zitadel-credential-key.json",
            ".zitadel-credential-backup",
            ".zitadel-credential-9e107d9d372bb6826bd81d3542a419d6",
            ".zitadel-credential-TheKeyOfTheBuildServerInNurnberg1",
            ".zitadel-credential-TheKeyOfTheBuildServer-Nurnberg1",
            ".zitadel-credentials",
            "entry.json",
        ] {
            let file = File::create(dir.path().join(name)).expect("a file");
            file.set_modified(at(1_000_000)).expect("a time");
            kept.push(name.into());
        }
        for (letters, files) in [("Ab", &["key.json"][..]), ("Cd", &[COPY, "copy.lock"])] {
            let name = format!("{PREFIX}{}", letters.repeat(RANDOM / 2));
            let path = dir.path().join(&name);
            fs::create_dir(&path).expect("a directory");
            for file in files {
                File::create(path.join(file)).expect("a file");
            }
            if !files.contains(&COPY) {
                kept.push(name.into());
            }
        }
        sweep(dir.path(), UnixTime::from_secs(1_000_060)).expect("swept");
        let left = fs::read_dir(dir.path()).expect("a directory");
        let mut left: Vec<_> = left.map(|e| e.expect("an entry").file_name()).collect();
        left.sort();
        kept.sort();
        assert_eq!(left, kept);
        assert!(sweep(&dir.path().join("absent"), UnixTime::from_secs(0)).is_err());
    }
}
