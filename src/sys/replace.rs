//! Replaces files in one step: the old content stays complete until then.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::files::{fsync_dir, persist, set_private};
use super::status::Status;
use super::temporary;
use crate::text::quote;

/// Replaces a file by one of mode 0600.
///
/// # Errors
/// The operating system's error; no temporary file is left.
pub fn private(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = written(&temporary::builder(), path, content)?;
    persist(file, path)
}

/// Replaces a setup's file by one of mode 0600. The content and its directory are
/// fsynced.
///
/// # Errors
/// The operating system's error; no temporary file is left.
pub fn private_by_setup(path: &Path, content: &[u8]) -> io::Result<()> {
    private_fsynced(path, content)?;
    try_to_fsync_directory_of(path);
    Ok(())
}

/// Replaces a file by one of mode 0600. The content is fsynced. The caller fsyncs the
/// directory by [`fsync_directory_of`], whose error means that the file is replaced
/// nevertheless.
///
/// # Errors
/// The operating system's error; no temporary file is left.
pub fn private_fsynced(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = written(&temporary::setup_builder(), path, content)?;
    file.as_file().sync_all()?;
    persist(file, path)
}

/// Replaces a setup's file and keeps its mode and group; a new one gets mode 0600. The
/// content and its directory are fsynced. A file that cannot be replaced because it is a
/// mount point (a container's bind mount) or on another file system, or because a new
/// file cannot get its mode or group, is written in place instead, not in one step.
/// `check` runs right before that.
///
/// # Errors
/// The error of `check`, or of the operating system; no temporary file is left.
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
    // Without this, a crash may leave an empty file.
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
    try_to_fsync_directory_of(path);
    Ok(())
}

/// Overwrites a file. On an error the old content is restored: its space is not freed
/// before.
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

/// Creates a setup's file with mode 0600 and its whole content; the file must not exist.
/// Both it and its directory are fsynced.
///
/// # Errors
/// The file exists (`AlreadyExists`), or the operating system's error; no file is left.
pub fn create_new(path: &Path, content: &[u8]) -> io::Result<()> {
    name_new(prepare(path, content)?, path)
}

/// Writes a setup's new file with mode 0600 under a temporary name beside its path, and
/// fsyncs it. It is removed when it is dropped, or by
/// [`remove_created`](temporary::remove_created).
///
/// # Errors
/// The operating system's error.
pub fn prepare(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let file = begun(&temporary::setup_builder(), path)?;
    temporary::will_remove(file.path());
    write(&file, content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a file from [`prepare`] its name, which must not exist, and fsyncs its directory.
///
/// # Errors
/// The name exists (`AlreadyExists`), or the operating system's error; the file is removed.
pub fn name_new(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist_noclobber(path)?;
    fsync_directory_of(path).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Fsyncs the directory of a new or replaced file, if the file system can.
///
/// # Errors
/// The operating system's error.
pub fn fsync_directory_of(path: &Path) -> io::Result<()> {
    fsync_dir(directory_of(path))
}

/// As [`fsync_directory_of`], for a file whose loss removes no other.
fn try_to_fsync_directory_of(path: &Path) {
    if let Err(error) = fsync_directory_of(path) {
        log::debug!("a directory is not fsynced: {error}");
    }
}

/// Writes a temporary file beside a path.
fn written(
    builder: &tempfile::Builder<'_, '_>,
    path: &Path,
    content: &[u8],
) -> io::Result<NamedTempFile> {
    let file = begun(builder, path)?;
    write(&file, content)?;
    Ok(file)
}

fn begun(builder: &tempfile::Builder<'_, '_>, path: &Path) -> io::Result<NamedTempFile> {
    builder.tempfile_in(directory_of(path)).map_err(|error| {
        // The text ends in the temporary file's name, which means nothing to users.
        let text = error.to_string();
        let words = text.split(" at path ").next().unwrap_or_default();
        io::Error::new(error.kind(), words)
    })
}

fn write(file: &NamedTempFile, content: &[u8]) -> io::Result<()> {
    // The umask may have reduced tempfile's mode 0600.
    set_private(file.as_file())?;
    // Bypasses tempfile's writer, whose errors name the temporary file too.
    file.as_file().write_all(content)
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
        use std::ffi::OsString;
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        use std::process::{Command, Stdio};
        use std::time::Duration;

        use super::*;
        use crate::sys::process::{RunError, run};
        use crate::text::clock::Deadline;

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

        /// Returns the path that [`again`] passes to the inner run of a test.
        #[expect(clippy::disallowed_methods, reason = "the outer run passes a path")]
        fn passed(variable: &str) -> Option<OsString> {
            env::var_os(variable)
        }

        /// Runs a test again in a mount namespace, after `mount`, a command of the shell for
        /// the path `$0`. Returns its exit code; `None` without unshare, which is Linux's.
        fn again(name: &str, mount: &str, variable: &str, path: &Path) -> Option<i32> {
            let script = format!("{mount} || exit 1; exec \"$@\"");
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-c", &script])
                .arg(path)
                .arg(env::current_exe().expect("this program"))
                .args(["--exact", name])
                .env(variable, path)
                .stdin(Stdio::null());
            match run(&mut command, &Deadline::after(Duration::from_secs(60))) {
                Ok(ended) => ended.status.code(),
                Err(RunError::Start(_)) => None,
                Err(error) => panic!("the inner run: {error}"),
            }
        }

        /// Runs this test again in a mount namespace in which the file is a mount point.
        #[test]
        fn a_file_that_is_a_mount_point_is_written_in_place() {
            const VARIABLE: &str = "ZITADEL_CREDENTIAL_TEST_MOUNTED";
            const NAME: &str =
                "sys::replace::tests::unix::a_file_that_is_a_mount_point_is_written_in_place";
            if let Some(path) = passed(VARIABLE) {
                keep(path.as_ref(), b"new").expect("written");
                return;
            }
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("file");
            fs::write(&path, "old and longer").expect("written");
            let code = again(NAME, "mount --bind \"$0\" \"$0\"", VARIABLE, &path);
            // Only root can mount.
            assert_ne!(code, Some(101), "the inner run failed");
            if code == Some(0) {
                assert_eq!(fs::read(&path).expect("a file"), b"new");
                assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
            }
        }

        /// Runs this test again in a mount namespace in which the disk has two pages.
        #[test]
        fn a_file_that_does_not_fit_in_place_is_unchanged() {
            const VARIABLE: &str = "ZITADEL_CREDENTIAL_TEST_FULL";
            const NAME: &str =
                "sys::replace::tests::unix::a_file_that_does_not_fit_in_place_is_unchanged";
            if let Some(dir) = passed(VARIABLE) {
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
            let mount = "mount -t tmpfs -o size=8k none \"$0\"";
            let code = again(NAME, mount, VARIABLE, dir.path());
            // Only root can mount.
            assert_ne!(code, Some(101), "the inner run failed");
        }
    }
}
