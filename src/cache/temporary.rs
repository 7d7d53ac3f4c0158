//! What killed processes leave behind: files that were to replace another.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::clock::UnixTime;

/// How their names begin.
pub const PREFIX: &str = ".zitadel-credential-";

/// How long after its last write one is nobody's any more, in seconds: writing
/// and renaming takes a moment.
const ABANDONED: u64 = 60;

/// Removes those of `dir` that are nobody's any more.
///
/// # Errors
/// The directory cannot be read.
pub fn sweep(dir: &Path, now: UnixTime) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_abandoned(&entry, now) {
            // Another process may have swept it.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn is_abandoned(entry: &DirEntry, now: UnixTime) -> bool {
    let name = entry.file_name();
    if !name.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
        return false;
    }
    entry.metadata().is_ok_and(|meta| {
        let written = u64::try_from(meta.mtime()).unwrap_or_default();
        // One from the future is of a clock that was set back.
        meta.is_file() && written.abs_diff(now.as_secs()) >= ABANDONED
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
        for (name, written) in [
            (".zitadel-credential-old", 1_000_000),
            (".zitadel-credential-future", 1_000_120),
            (".zitadel-credential-live", 1_000_001),
            (".zitadel-credentials", 1_000_000),
            ("entry.json", 1_000_000),
        ] {
            let file = File::create(dir.path().join(name)).expect("a file");
            file.set_modified(at(written)).expect("a time");
        }
        let subdirectory = dir.path().join(".zitadel-credential-dir");
        fs::create_dir(&subdirectory).expect("a directory");
        sweep(dir.path(), UnixTime::from_secs(1_000_060)).expect("swept");
        let left = fs::read_dir(dir.path()).expect("a directory");
        let mut left: Vec<_> = left.map(|e| e.expect("an entry").file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".zitadel-credential-dir",
                ".zitadel-credential-live",
                ".zitadel-credentials",
                "entry.json"
            ]
        );
        assert!(sweep(&dir.path().join("absent"), UnixTime::from_secs(0)).is_err());
    }
}
