//! Type, size and identity of a file. Owner and permissions are left to the directory's
//! ACL, which is not read: every file counts as this user's own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use winapi_util::file::{information, typ};

/// Opens directories too (`FILE_FLAG_BACKUP_SEMANTICS`).
pub(super) const DIRECTORY: u32 = 0x0200_0000;

/// Opens a link itself, not its target (`FILE_FLAG_OPEN_REPARSE_POINT`).
pub(super) const ITSELF: u32 = 0x0020_0000;

/// The right to read only a file's attributes: it conflicts with no other program's.
pub(super) const READ_ATTRIBUTES: u32 = 0x80;

/// The status of a file or directory at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    identity: Identity,
    kind: Kind,
    links: u64,
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Link,
    Pipe,
    Other,
}

/// The identity of a file, independent of its path: its volume and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// A value that changes with every write to a file, and with its replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    identity: Identity,
    size: u64,
    modified: Option<u64>,
}

impl Stamp {
    /// Returns the stamp of the file at a path; `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let info = information(&opened(path, DIRECTORY).ok()?).ok()?;
        Some(Self {
            identity: Identity(info.volume_serial_number(), info.file_index()),
            size: info.file_size(),
            modified: info.last_write_time(),
        })
    }
}

impl Status {
    /// Returns the status of the file at a path; links are followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of(path: &Path) -> io::Result<Self> {
        Self::of_open(&opened(path, DIRECTORY)?)
    }

    /// Returns the status of a path; a link at its end is not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of_link(path: &Path) -> io::Result<Self> {
        Self::of_open(&opened(path, DIRECTORY | ITSELF)?)
    }

    /// Returns the status of an open file.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of_open(file: &File) -> io::Result<Self> {
        let opened_type = typ(file)?;
        if !opened_type.is_disk() {
            let is_pipe = opened_type.is_pipe() || opened_type.is_char();
            return Ok(Self {
                identity: Identity(0, 0),
                kind: if is_pipe { Kind::Pipe } else { Kind::Other },
                links: 1,
                size: 0,
            });
        }
        let info = information(file)?;
        let meta = file.metadata()?;
        let kind = match meta.file_type() {
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_dir() => Kind::Directory,
            _ => Kind::File,
        };
        Ok(Self {
            identity: Identity(info.volume_serial_number(), info.file_index()),
            kind,
            links: info.number_of_links(),
            size: meta.file_size(),
        })
    }

    /// True for a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// True for a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// True for a symbolic link, and for a directory junction.
    pub fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }

    /// True for a file whose content can be read only once: a pipe, a console.
    pub fn is_pipe(&self) -> bool {
        self.kind == Kind::Pipe
    }

    /// True for a regular file: its name decides whether it can be run.
    pub fn is_program(&self) -> bool {
        self.is_file()
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// True.
    pub const fn is_ours(&self) -> bool {
        true
    }

    /// True.
    pub const fn is_ours_or_roots(&self) -> bool {
        true
    }

    /// True.
    pub const fn has_owner_of(&self, _: &Self) -> bool {
        true
    }

    /// True.
    pub const fn is_private(&self) -> bool {
        true
    }

    /// True.
    pub const fn is_ours_to_write(&self) -> bool {
        true
    }

    /// False.
    pub const fn is_open_to_others(&self) -> bool {
        false
    }

    /// False.
    pub const fn is_writable_by_all(&self) -> bool {
        false
    }

    /// False.
    pub const fn is_readable_by_all(&self) -> bool {
        false
    }

    /// False.
    pub const fn is_writable_by_others(&self) -> bool {
        false
    }

    /// False.
    pub const fn is_sticky(&self) -> bool {
        false
    }

    /// True.
    pub const fn keeps_ours(&self) -> bool {
        true
    }

    /// True.
    pub const fn has_private_mode(&self) -> bool {
        true
    }

    /// True.
    pub const fn has_mode_of_kept(&self) -> bool {
        true
    }

    /// Returns the text that replaces the mode in messages.
    pub fn shown_mode(&self) -> String {
        "its directory's permissions".to_owned()
    }

    /// Returns the number of hard links.
    pub fn links(&self) -> u64 {
        self.links
    }

    /// Returns the identity of the file.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns true: another file in the same directory has the same permissions.
    ///
    /// # Errors
    /// Never fails.
    #[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub const fn give_mode(&self, _: &File) -> io::Result<bool> {
        Ok(true)
    }
}

/// Opens a file to read its attributes, without waiting.
fn opened(path: &Path, flags: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(READ_ATTRIBUTES)
        .custom_flags(flags)
        .open(path)
}

/// Returns 0: no system directory is named by a user ID.
pub const fn user_id() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_equals_its_hard_links_and_differs_once_it_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let [path, second] = ["file", "second"].map(|name| dir.path().join(name));
        fs::write(&path, "text").expect("written");
        fs::hard_link(&path, &second).expect("linked");
        let [one, other] = [&path, &second].map(|path| Status::of(path).expect("a file"));
        assert!(one.is_file() && one.identity() == other.identity());
        assert_eq!((one.links(), one.size()), (2, 4));
        let stamp = Stamp::of(&path).expect("a file");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "text").expect("written");
        assert_ne!(Stamp::of(&path), Some(stamp));
        assert!(Status::of(dir.path()).expect("a directory").is_dir());
        assert!(Stamp::of(&dir.path().join("absent")).is_none());
    }
}
