//! Open directories. While one is open, no process can rename or replace it: no part of
//! the path can be swapped between a check and its use.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::files::{open_private, rename};
use super::status::{DIRECTORY, ITSELF, READ_ATTRIBUTES, Status};
use crate::sys::temporary;

/// Others may read and write its files, but not rename or remove the directory.
const SHARED: u32 = 0x1 | 0x2;

/// The right to list it. The system checks the share mode only for a right to read or
/// write, not for the right to read attributes.
const LIST: u32 = 0x1;

/// An open directory.
pub struct Dir {
    path: PathBuf,
    opened: File,
}

impl Dir {
    /// Opens a directory by its path, whose last part must not be a link.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let opened = OpenOptions::new()
            .access_mode(READ_ATTRIBUTES | LIST)
            .share_mode(SHARED)
            .custom_flags(DIRECTORY | ITSELF)
            .open(&path)?;
        if !Status::of_open(&opened)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path, opened })
    }

    /// Opens a directory in this one.
    ///
    /// # Errors
    /// The name is a link, or the operating system's error.
    pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Self::open(&self.path.join(name))
    }

    /// Returns the status of this directory.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn status(&self) -> io::Result<Status> {
        Status::of_open(&self.opened)
    }

    /// Returns the status of a file in this directory; links are not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn status_of(&self, name: &OsStr) -> io::Result<Status> {
        Status::of_link(&self.path.join(name))
    }

    /// Returns the target of a link in this directory.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        fs::read_link(self.path.join(name))
    }

    /// Opens a file in this directory for reading; links are not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn open_file(&self, name: &OsStr) -> io::Result<File> {
        open_private().read(true).open(self.path.join(name))
    }

    /// Replaces a file in this directory in one step.
    ///
    /// # Errors
    /// The operating system's error; no temporary file is left.
    pub fn replace(&self, name: &OsStr, content: &[u8], access: &Access) -> io::Result<()> {
        let temporary = self.path.join(temporary::name());
        let mut file = open_private()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        let written = access.give(&file).and_then(|()| file.write_all(content));
        // An open file cannot be renamed.
        drop(file);
        written
            .and_then(|()| rename(&temporary, &self.path.join(name)))
            .inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_directory_cannot_move_and_its_files_are_replaced() {
        let root = tempfile::tempdir().expect("a directory");
        let [dir, moved] = ["dir", "moved"].map(|name| root.path().join(name));
        fs::create_dir(&dir).expect("created");
        let opened = Dir::open(root.path()).and_then(|root| root.enter("dir".as_ref()));
        let opened = opened.expect("opened");
        assert!(fs::rename(&dir, &moved).is_err(), "it is in use");
        let name = OsStr::new("file");
        for content in ["first", "second"] {
            let replaced = opened.replace(name, content.as_bytes(), &Access::PRIVATE);
            replaced.expect("written");
            let written = fs::read_to_string(dir.join("file"));
            assert_eq!(written.ok().as_deref(), Some(content));
        }
        let refused = opened.replace(name, b"x", &Access::of(0o640, None));
        refused.expect_err("no such mode");
        fs::create_dir(dir.join("taken")).expect("created");
        let taken = opened.replace("taken".as_ref(), b"x", &Access::PRIVATE);
        taken.expect_err("a directory");
        assert_eq!(fs::read_dir(&dir).expect("a directory").count(), 2);
        drop(opened);
        fs::rename(&dir, &moved).expect("no longer in use");
        assert!(Dir::open(&moved.join("file")).is_err());
    }
}
