//! What killed processes leave behind: files that were to replace another.

use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

use crate::text::clock::UnixTime;

/// How their names begin.
pub const PREFIX: &str = ".zitadel-credential-";

/// How many letters and digits follow: a person's own file may begin the same,
/// and lie beside one of ours in a home directory.
const RANDOM: usize = 32;

/// How long after its last write one is nobody's any more, in seconds: writing
/// and renaming takes a moment.
const ABANDONED: u64 = 60;

/// The file in a directory of such a name, where another program works on it.
pub const COPY: &str = "copy";

/// Makes files and directories of such names.
pub fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(RANDOM);
    builder
}

/// Removes those of `dir` that are nobody's any more.
///
/// # Errors
/// The directory cannot be read.
pub fn sweep(dir: &Path, now: UnixTime) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_abandoned(&entry, now) {
            // Another process may have swept it.
            let _ = remove(&entry);
        }
    }
    Ok(())
}

/// Removes a file, or a directory with the copy in it and nothing else.
fn remove(entry: &DirEntry) -> io::Result<()> {
    if !entry.file_type()?.is_dir() {
        return fs::remove_file(entry.path());
    }
    let copy = entry.path().join(COPY);
    // As git and kubectl name it.
    let _ = fs::remove_file(copy.with_extension("lock"));
    let _ = fs::remove_file(copy);
    fs::remove_dir(entry.path())
}

fn is_abandoned(entry: &DirEntry, now: UnixTime) -> bool {
    if !is_ours(entry.file_name().as_encoded_bytes()) {
        return false;
    }
    entry.metadata().is_ok_and(|meta| {
        let written = u64::try_from(meta.mtime()).unwrap_or_default();
        // One from the future is of a clock that was set back.
        (meta.is_file() || meta.is_dir()) && written.abs_diff(now.as_secs()) >= ABANDONED
    })
}

/// Whether [`builder`] would give a file this name.
fn is_ours(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX.as_bytes()).is_some_and(|random| {
        // A digest in hex has letters of one kind.
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
    fn only_temporary_files_that_are_nobodys_are_removed() {
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
        // A person's own.
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
