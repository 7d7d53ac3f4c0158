//! Private files and directories. Their directory's ACL decides who may use them: in a
//! user's profile, that user, the administrators and the system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::status::{ITSELF, Status};

/// Time limit for replacing a file that another program, such as a virus scanner, has
/// open.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns the options to open one of our files, without following a link.
pub fn open_private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(ITSELF);
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
    if !Status::of_open(&file)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

/// Leaves a file with the permissions from its directory.
///
/// # Errors
/// Never fails.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn set_private(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing: a read-only file could not be replaced.
///
/// # Errors
/// Never fails.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn set_kept(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a file for reading.
///
/// # Errors
/// The operating system's error.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Returns false: only the file's permissions count.
pub const fn is_read_only(_: &File) -> bool {
    false
}

/// Creates a directory. An existing one stays unchanged.
///
/// # Errors
/// The operating system's error.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Returns true: new files get the directory's ACL, and lock no user out.
///
/// # Errors
/// There is no such directory.
pub fn may_create_in(dir: &Path) -> io::Result<bool> {
    Status::of(dir).map(|_| true)
}

/// Returns true if this process has permission to create files in a directory.
pub fn can_create_in(dir: &Path) -> bool {
    tempfile::tempfile_in(dir).is_ok()
}

/// Reads at an offset, until the buffer is full or the file ends. Returns how many bytes
/// were read.
///
/// # Errors
/// The operating system's error.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.seek_read(&mut buffer[filled..], offset + filled as u64) {
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
    let mut written = 0;
    while written < bytes.len() {
        match file.seek_write(&bytes[written..], offset + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Leaves temporary directories with the permissions from their directory.
pub const fn make_private(_: &mut tempfile::Builder<'_, '_>) {}

/// Replaces a file by a temporary one, in one step.
///
/// # Errors
/// The operating system's error; the temporary file is removed.
pub fn persist(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    let (file, temporary) = file.keep().map_err(|failed| failed.error)?;
    // An open file cannot be renamed.
    drop(file);
    rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Renames a file over another, which other programs may have open: waits for readers
/// that forbid it for a moment.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match fs::rename(from, to) {
            Err(error) if is_in_use(&error) && !to.is_dir() && start.elapsed() < PATIENCE => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            renamed => return renamed,
        }
    }
}

/// True for the errors of a file that another program has open.
fn is_in_use(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    matches!(
        error.raw_os_error(),
        Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION)
    )
}

/// Creates a symbolic link at `link` to a directory.
///
/// # Errors
/// As [`symlink`].
pub fn symlink_dir(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Creates a symbolic link at `link` to `target`.
///
/// # Errors
/// The link's path exists, the user may not create links (only administrators may, or all
/// in Developer Mode), or the operating system's error.
pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

/// Does nothing: the system writes directories itself, in order.
///
/// # Errors
/// There is no such directory.
pub fn fsync_dir(dir: &Path) -> io::Result<()> {
    fs::metadata(dir).map(drop)
}

/// Returns false: a process's open files have no paths here.
pub const fn is_open_file(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_is_replaced_while_others_read_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        fs::write(&path, "old").expect("written");
        let reader = File::open(&path).expect("opened");
        let late = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            let mut text = String::new();
            (&reader).read_to_string(&mut text).expect("read");
            text
        });
        let file = tempfile::NamedTempFile::new_in(dir.path()).expect("a file");
        fs::write(file.path(), "new").expect("written");
        persist(file, &path).expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "new");
        assert_eq!(late.join().expect("read"), "old");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn bytes_are_read_and_written_where_they_are() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        fs::write(&path, "kept").expect("written");
        let opened = open_or_create_private(&path).expect("opened");
        write_at(&opened, b"new", 2).expect("written");
        let mut text = [0; 8];
        assert_eq!(read_at(&opened, &mut text, 1).ok(), Some(4));
        assert_eq!(&text[..4], b"enew");
        assert!(open_or_create_private(dir.path()).is_err());
        assert!(can_create_in(dir.path()) && !can_create_in(&path));
    }
}
