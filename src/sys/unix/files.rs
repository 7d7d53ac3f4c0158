//! Private files and directories: 0600 and 0700, whatever the umask.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::{fs, io};

use rustix::fs::{Access, OFlags, StatVfsMountFlags, access, fstatvfs};
use rustix::io::Errno;

use super::status::Status;

/// Returns the options to open one of our files: created with mode 0600, without
/// following a link or waiting for a FIFO's other end.
pub fn open_private() -> OpenOptions {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Opens a private file for reading and writing; creates it if it is missing.
///
/// # Errors
/// The operating system's error, or the file is not a regular one.
pub fn open_or_create_private(path: &Path) -> io::Result<File> {
    let file = open_private()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let status = Status::of_open(&file)?;
    if !status.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if !status.has_private_mode() {
        set_private(&file)?;
    }
    Ok(file)
}

/// Sets a file's mode to 0600. Some file systems refuse that: then the mode from the
/// file's creation counts.
///
/// # Errors
/// The operating system's error, if the mode lets others read or write the file.
pub fn set_private(file: &File) -> io::Result<()> {
    let set = file.set_permissions(Permissions::from_mode(0o600));
    set.or_else(|error| match Status::of_open(file) {
        Ok(status) if !status.is_open_to_others() => Ok(()),
        _ => Err(error),
    })
}

/// Sets mode 0400 on a file that is kept for the user to inspect.
///
/// # Errors
/// The operating system's error.
pub fn set_kept(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o400))
}

/// Opens a file, or a substitute (`<(…)`, a FIFO), for reading.
///
/// # Errors
/// The operating system's error.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK, opening a FIFO without a writer blocks.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Returns true if a file is on a read-only file system: the mount sets its mode (a
/// Kubernetes secret, for example), and no process can write to it.
pub fn is_read_only(file: &File) -> bool {
    fstatvfs(file).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Creates a directory of mode 0700. An existing one stays unchanged.
///
/// # Errors
/// The operating system's error.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        // The umask may have reduced the mode. If the file system refuses, the mode from
        // its creation counts, as for a file.
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(0o700)).or_else(|error| {
            match Status::of_link(dir) {
                Ok(status) if !status.is_open_to_others() => Ok(()),
                _ => Err(error),
            }
        }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns true if new files in a directory lock out no other user: root creates nothing
/// in another user's home (`sudo -E`).
///
/// # Errors
/// The operating system's error.
pub fn may_create_in(dir: &Path) -> io::Result<bool> {
    Status::of(dir).map(|status| status.may_hold_ours())
}

/// Returns true if this process has permission to create files in a directory.
pub fn can_create_in(dir: &Path) -> bool {
    access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Reads at an offset until the buffer is full or the file ends. Returns how many
/// bytes were read.
///
/// # Errors
/// The operating system's error.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes at an offset.
///
/// # Errors
/// The operating system's error; a part may have been written.
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// Gives the directories of a builder mode 0700.
pub fn make_private(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(Permissions::from_mode(0o700));
}

/// Replaces a file by a temporary one, in one step.
///
/// # Errors
/// The operating system's error; the temporary file is removed.
pub fn persist(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path)?;
    Ok(())
}

/// Creates a symbolic link at `link` to a directory.
///
/// # Errors
/// As [`symlink`].
pub fn symlink_dir(target: &Path, link: &Path) -> io::Result<()> {
    symlink(target, link)
}

/// Creates a symbolic link at `link` to `target`.
///
/// # Errors
/// The link's path exists, or the operating system's error.
pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Fsyncs a directory: created, renamed and removed files in it stay so after a crash.
/// Does nothing on a file system that cannot do it.
///
/// # Errors
/// The operating system's error.
pub fn fsync_dir(dir: &Path) -> io::Result<()> {
    let synced = File::open(dir)?.sync_all();
    synced.or_else(|error| match Errno::from_io_error(&error) {
        Some(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS | Errno::NOTTY) => Ok(()),
        _ => Err(error),
    })
}

/// Returns true if a path is an open file of the process (`/dev/fd/3`,
/// `/proc/self/fd/3`). Links to their directory are not resolved.
pub fn is_open_file(path: &Path) -> bool {
    let is_of_process =
        path.starts_with("/proc") && path.parent().is_some_and(|dir| dir.ends_with("fd"));
    is_of_process || path.starts_with("/dev/fd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_opened_with_its_mode_and_through_no_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let [file, link] = ["file", "link"].map(|name| dir.path().join(name));
        fs::write(&file, "kept").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a mode");
        let opened = open_or_create_private(&file).expect("opened");
        assert!(Status::of(&file).expect("a file").has_private_mode());
        write_at(&opened, b"new", 2).expect("written");
        let mut text = [0; 8];
        assert_eq!(read_at(&opened, &mut text, 1).ok(), Some(4));
        assert_eq!(&text[..4], b"enew");
        symlink(&file, &link).expect("linked");
        assert!(open_or_create_private(&link).is_err());
        assert!(open_or_create_private(dir.path()).is_err());
        assert!(symlink(&file, &link).is_err(), "it is there already");
    }

    #[test]
    fn a_private_directory_is_created_once_and_fsynced() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("private");
        create_private_dir(&path).expect("created");
        let status = Status::of(&path).expect("a directory");
        assert!(status.is_dir() && status.shown_mode() == "mode 0700");
        assert!(can_create_in(&path) && may_create_in(&path).expect("a directory"));
        fs::set_permissions(&path, Permissions::from_mode(0o750)).expect("a mode");
        create_private_dir(&path).expect("it is there already");
        let status = Status::of(&path).expect("a directory");
        assert_eq!(status.shown_mode(), "mode 0750", "it stays as it is");
        fsync_dir(&path).expect("synced");
        assert!(fsync_dir(&dir.path().join("absent")).is_err());
    }
}
