//! Private files and directories. Their directory's ACL says who may use them: in a
//! user's profile, that user, the administrators and the system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::status::{ITSELF, Status};

/// How long a file is tried to be replaced that another program holds open, a virus
/// scanner, say.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns the options to open a file of our own, without following a link.
pub fn open_private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(ITSELF);
    options
}

/// Opens a private file to read and write; creates it if it is missing.
///
/// # Errors
/// The system's own reason, or it is not a regular file.
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

/// Leaves a file with what its directory gave it.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn set_private(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing: a read-only file could not be replaced.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn set_kept(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a file to read.
///
/// # Errors
/// The system's own reason.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Returns false: a file's own permissions count.
pub const fn is_read_only(_: &File) -> bool {
    false
}

/// Creates a directory. One that is there already stays as it is.
///
/// # Errors
/// The system's own reason.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Returns true: what is created gets the directory's ACL, and locks nobody out.
///
/// # Errors
/// There is no such directory.
pub fn may_create_in(dir: &Path) -> io::Result<bool> {
    Status::of(dir).map(|_| true)
}

/// Returns true if this process has the permission to create files in a directory.
pub fn can_create_in(dir: &Path) -> bool {
    tempfile::tempfile_in(dir).is_ok()
}

/// Reads at an offset, until the buffer is full or the file ends. Returns how many bytes
/// were read.
///
/// # Errors
/// The system's own reason.
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
/// The system's own reason; a part may have been written.
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

/// Leaves temporary directories with what their directory gives them.
pub const fn make_private(_: &mut tempfile::Builder<'_, '_>) {}

/// Puts a temporary file in the place of another, in one step.
///
/// # Errors
/// The system's own reason; the temporary file is removed.
pub fn persist(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    let (file, temporary) = file.keep().map_err(|failed| failed.error)?;
    // An open file may not be renamed.
    drop(file);
    rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Renames a file over another, which other programs may have open: readers that forbid
/// it for a moment are waited for.
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

/// Creates a symbolic link at `link` that leads to a directory.
///
/// # Errors
/// As [`symlink`].
pub fn symlink_dir(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Creates a symbolic link at `link` that leads to `target`.
///
/// # Errors
/// Something lies there already, the user may create no links (only administrators may,
/// or all in Developer Mode), or the system's own reason.
pub fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

/// Does nothing: the system writes directories by itself, in order.
///
/// # Errors
/// There is no such directory.
pub fn fsync_dir(dir: &Path) -> io::Result<()> {
    fs::metadata(dir).map(drop)
}

/// Returns false: no path leads to what a process has open.
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
