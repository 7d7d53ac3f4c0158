//! Files that are replaced in one step: their old content stays whole until then.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::Path;

use super::files::{fsync_dir, persist, set_private};
use super::status::Status;
use super::temporary;
use crate::text::quote;

/// Replaces a file by one of mode 0600.
///
/// # Errors
/// The system's own reason; nothing is left behind.
pub fn private(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = written(&temporary::builder(), path, content)?;
    persist(file, path)
}

/// Replaces a file of a setup's by one of mode 0600, whose content is fsynced.
///
/// # Errors
/// The system's own reason; nothing is left behind.
pub fn private_by_setup(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = written(&temporary::setup_builder(), path, content)?;
    file.as_file().sync_all()?;
    persist(file, path)
}

/// Replaces a file of a setup's and keeps its mode and group; a new one gets mode 0600. The
/// content and its directory are fsynced. A file that cannot be replaced because it
/// is a mount point (a container's bind mount) or lies on another file system, or whose
/// mode or group cannot be given to another, is written in place instead, not in one step.
/// `check` runs right before that.
///
/// # Errors
/// As `check`, or the system's own reason; nothing is left behind.
pub fn keeping_mode(
    path: &Path,
    content: &[u8],
    check: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let before = match Status::of(path) {
        Ok(status) => Some(status),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let file = written(&temporary::setup_builder(), path, content)?;
    let is_kept = match &before {
        Some(before) => before.give_mode(file.as_file())?,
        None => true,
    };
    // Else a crash may leave an empty file.
    file.as_file().sync_all()?;
    check()?;
    if !is_kept {
        return write_in_place(path, content);
    }
    match persist(file, path) {
        Ok(()) => {}
        Err(error) if cannot_be_renamed_to(error.kind()) => {
            return write_in_place(path, content);
        }
        Err(error) => return Err(error),
    }
    if let Err(error) = fsync_dir(directory_of(path)) {
        // Not every file system can.
        log::debug!("a directory is not fsynced: {error}");
    }
    Ok(())
}

/// Writes over a file. On an error the old content is put back: the space that it had
/// is not given up before.
fn write_in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    let old = fs::read(path)?;
    let file = File::options().write(true).open(path)?;
    let write = |content: &[u8]| {
        (&file).rewind()?;
        (&file).write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    };
    write(content).inspect_err(|_| {
        if let Err(error) = write(&old) {
            log::error!(
                "{} is damaged: {}",
                quote::path(path),
                quote::system(&error)
            );
        }
    })
}

/// Creates a file of a setup's, which must not be there yet, of mode 0600 and with its whole
/// content; both it and its directory are fsynced.
///
/// # Errors
/// It is there already (`AlreadyExists`), or the system's own reason.
pub fn create_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = written(&temporary::setup_builder(), path, content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    if let Err(error) = fsync_dir(directory_of(path)) {
        log::debug!("a directory is not fsynced: {error}");
    }
    Ok(())
}

/// Writes a temporary file beside a path.
fn written(
    builder: &tempfile::Builder<'_, '_>,
    path: &Path,
    content: &[u8],
) -> io::Result<tempfile::NamedTempFile> {
    let file = builder.tempfile_in(directory_of(path)).map_err(|error| {
        // Its text ends in the temporary file's name, which means nothing to users.
        let text = error.to_string();
        let words = text.split(" at path ").next().unwrap_or_default();
        io::Error::new(error.kind(), words)
    })?;
    // The umask may have taken from tempfile's own 0600.
    set_private(file.as_file())?;
    // Past tempfile's own writer, whose errors name the temporary file too.
    file.as_file().write_all(content)?;
    Ok(file)
}

const fn cannot_be_renamed_to(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
    )
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(path: &Path, content: &[u8]) -> io::Result<()> {
        keeping_mode(path, content, || Ok(()))
    }

    #[test]
    fn a_file_that_changed_at_the_last_moment_is_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        fs::write(&path, "theirs").expect("written");
        let changed = || Err(io::ErrorKind::Other.into());
        keeping_mode(&path, b"ours", changed).expect_err("changed");
        assert_eq!(fs::read(&path).expect("a file"), b"theirs");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn a_file_is_replaced_or_created_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        for (write, content) in [
            (keep as fn(&Path, &[u8]) -> io::Result<()>, "first"),
            (keep, "second"),
            (private, "third"),
            (private_by_setup, "fourth"),
        ] {
            write(&path, content.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some(content));
        }
        let error = create_new(&path, b"fifth").expect_err("it is there");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("a file"), b"fourth");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
        for write in [private, keep, create_new] {
            let absent = write(&dir.path().join("absent/file"), b"x").expect_err("no directory");
            assert_eq!(absent.kind(), io::ErrorKind::NotFound);
            assert!(!absent.to_string().contains("zitadel"), "{absent}");
        }
    }

    /// Windows has no modes, and no mount points of single files.
    #[cfg(unix)]
    mod unix {
        use std::env;
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        use std::process::Command;

        use super::*;

        #[test]
        fn a_file_keeps_its_mode_or_gets_0600() {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("file");
            let mode = || Status::of(&path).expect("a file").shown_mode();
            keep(&path, b"first").expect("written");
            assert_eq!(mode(), "mode 0600");
            fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("a mode");
            keep(&path, b"second").expect("written");
            assert_eq!(mode(), "mode 0640");
            private(&path, b"third").expect("written");
            assert_eq!(mode(), "mode 0600");
            let error = create_new(&path, b"fourth").expect_err("it is there");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).expect("a file"), b"third");
            assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
            for write in [private, keep, create_new] {
                let absent =
                    write(&dir.path().join("absent/file"), b"x").expect_err("no directory");
                assert_eq!(absent.to_string(), "No such file or directory (os error 2)");
            }
        }

        /// Runs itself again in a mount namespace, where the file is a mount point.
        #[test]
        #[expect(clippy::disallowed_methods, reason = "the outer run passes a path")]
        fn a_file_that_is_a_mount_point_is_written_in_place() {
            const VARIABLE: &str = "ZITADEL_CREDENTIAL_TEST_MOUNTED";
            const NAME: &str =
                "sys::replace::tests::unix::a_file_that_is_a_mount_point_is_written_in_place";
            if let Some(path) = env::var_os(VARIABLE) {
                keep(path.as_ref(), b"new").expect("written");
                return;
            }
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("file");
            fs::write(&path, "old and longer").expect("written");
            let script = "mount --bind \"$0\" \"$0\" || exit 1; exec \"$@\"";
            let output = Command::new("unshare")
                .args(["--mount", "sh", "-c", script])
                .arg(&path)
                .arg(env::current_exe().expect("this program"))
                .args(["--exact", NAME])
                .env(VARIABLE, &path)
                .output();
            // Only root can mount, and only Linux knows unshare.
            let Ok(output) = output.as_ref().map(|output| output.status.code()) else {
                return;
            };
            assert_ne!(output, Some(101), "the inner run failed");
            if output == Some(0) {
                assert_eq!(fs::read(&path).expect("a file"), b"new");
                assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
            }
        }

        /// Runs itself again in a mount namespace, where the disk has two pages.
        #[test]
        #[expect(clippy::disallowed_methods, reason = "the outer run passes a path")]
        fn a_file_that_no_longer_fits_in_place_is_as_it_was() {
            const VARIABLE: &str = "ZITADEL_CREDENTIAL_TEST_FULL";
            const NAME: &str =
                "sys::replace::tests::unix::a_file_that_no_longer_fits_in_place_is_as_it_was";
            if let Some(dir) = env::var_os(VARIABLE) {
                let (path, old) = (Path::new(&dir).join("file"), vec![b'o'; 4090]);
                fs::write(&path, &old).expect("a page");
                fs::write(Path::new(&dir).join("other"), vec![b'x'; 4096]).expect("a page");
                write_in_place(&path, &[b'n'; 4097]).expect_err("no space");
                assert_eq!(fs::read(&path).expect("a file"), old);
                write_in_place(&path, b"short").expect("written");
                assert_eq!(fs::read(&path).expect("a file"), b"short");
                return;
            }
            let dir = tempfile::tempdir().expect("a directory");
            let script = "mount -t tmpfs -o size=8k none \"$0\" || exit 1; exec \"$@\"";
            let output = Command::new("unshare")
                .args(["--mount", "sh", "-c", script])
                .arg(dir.path())
                .arg(env::current_exe().expect("this program"))
                .args(["--exact", NAME])
                .env(VARIABLE, dir.path())
                .output();
            // Only root can mount, and only Linux knows unshare.
            let code = output.ok().and_then(|output| output.status.code());
            assert_ne!(code, Some(101), "the inner run failed");
        }
    }
}
