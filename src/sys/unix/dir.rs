//! Open directories. Files in them are opened by descriptor: no other process can swap a
//! part of the path between a check and its use.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, readlinkat, renameat, statat, unlinkat};

use super::access::Access;
use super::status::Status;
use crate::sys::temporary;

/// An open directory.
pub struct Dir(File);

impl Dir {
    /// Opens a directory by its path, whose last part must not be a link.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, opening(), Mode::empty())?.into()))
    }

    /// Opens a directory in this one.
    ///
    /// # Errors
    /// The name is a link, or the operating system's error.
    pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let entered = openat(&self.0, name, opening(), Mode::empty())?;
        Ok(Self(entered.into()))
    }

    /// Returns the status of this directory.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn status(&self) -> io::Result<Status> {
        Status::of_open(&self.0)
    }

    /// Returns the status of a file in this directory; links are not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn status_of(&self, name: &OsStr) -> io::Result<Status> {
        Ok(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.into())
    }

    /// Returns the target of a link in this directory.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = readlinkat(&self.0, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    /// Opens a file in this directory for reading; links are not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn open_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Replaces a file in this directory by one of this mode and group, in one step.
    /// Until then, even during the write, no other user can open the new file.
    ///
    /// # Errors
    /// The operating system's error; no temporary file is left.
    pub fn replace(&self, name: &OsStr, content: &[u8], access: &Access) -> io::Result<()> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let temporary = temporary::name();
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(openat(&self.0, &temporary, flags, mode)?);
        // Needed even for mode 0600: the umask may have reduced it.
        access
            .give(&file)
            .and_then(|()| file.write_all(content))
            .and_then(|()| Ok(renameat(&self.0, &temporary, &self.0, name)?))
            .inspect_err(|_| {
                let _ = unlinkat(&self.0, &temporary, AtFlags::empty());
            })
    }
}

/// Returns the flags to open a directory. On Linux, a directory that may be searched but
/// not listed opens too.
fn opening() -> OFlags {
    #[cfg(target_os = "linux")]
    let access = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let access = OFlags::RDONLY;
    access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_in_the_directory_that_was_opened() {
        let root = tempfile::tempdir().expect("a directory");
        let [dir, moved] = ["dir", "moved"].map(|name| root.path().join(name));
        fs::create_dir(&dir).expect("created");
        let opened = Dir::open(root.path()).and_then(|root| root.enter("dir".as_ref()));
        let opened = opened.expect("opened");
        fs::rename(&dir, &moved).expect("moved");
        symlink("/nowhere", &dir).expect("linked");
        for content in ["first", "second"] {
            let name = OsStr::new("file");
            opened
                .replace(name, content.as_bytes(), &Access::PRIVATE)
                .expect("written");
            let status = opened.status_of(name).expect("a file");
            assert!(status.is_file() && status.has_private_mode());
            let written = fs::read_to_string(moved.join("file"));
            assert_eq!(written.ok().as_deref(), Some(content));
        }
        fs::create_dir(moved.join("taken")).expect("created");
        opened
            .replace("taken".as_ref(), b"x", &Access::PRIVATE)
            .expect_err("a directory");
        assert_eq!(fs::read_dir(&moved).expect("a directory").count(), 2);
    }

    #[test]
    fn no_link_is_entered() {
        let root = tempfile::tempdir().expect("a directory");
        symlink(".", root.path().join("link")).expect("linked");
        let opened = Dir::open(root.path()).expect("opened");
        assert!(opened.enter("link".as_ref()).is_err());
        assert!(Dir::open(&root.path().join("link")).is_err());
        let target = opened.read_link("link".as_ref()).expect("a link");
        assert_eq!(target, Path::new("."));
        assert!(opened.status_of("link".as_ref()).expect("a link").is_link());
    }
}
