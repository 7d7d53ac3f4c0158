//! A file with its content, made beside its place and then put there.

use std::fs::{File, Permissions};
use std::io;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::sys::{limit, temporary};
use crate::text::quote;

/// Makes a file that is not there yet.
///
/// # Errors
/// There is one already, or the system's own reason.
pub(crate) fn make_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let file = fresh_file(dir, content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    sync(dir);
    Ok(())
}

/// A file of mode 0600 that goes unless it is put in place.
pub(crate) fn fresh_file(dir: &Path, content: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    limit::check(content.len() as u64)?;
    let mut file = temporary::builder()
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(dir)
        // Its own text names the temporary file, which nobody knows.
        .map_err(|error| error.kind())?;
    file.write_all(content)?;
    Ok(file)
}

/// Has the disk know what lies in a directory.
pub(crate) fn sync(dir: &Path) {
    // Not every file system can.
    if let Err(error) = File::open(dir).and_then(|dir| dir.sync_all()) {
        log::debug!("{} is not synced: {error}", quote::path(dir));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_new_file_takes_no_others_place() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        make_new(&file, b"ours").expect("made");
        let error = make_new(&file, b"newer").expect_err("it is there");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).expect("text"), "ours");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }
}
