//! Owner, permissions and identity of a file.

use std::fs::{File, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;
use std::{fs, io};

use rustix::fs::{FileType, RawMode, Stat};

/// The status of a file or directory at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    identity: Identity,
    /// The type of the file, and its permissions.
    mode: u32,
    owner: u32,
    group: u32,
    links: u64,
    size: u64,
}

/// The identity of a file, independent of its path: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// A value that changes with every write to a file, and with its replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    identity: Identity,
    mode: u32,
    owner: u32,
    group: u32,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// Returns the stamp of the file at a path; `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            identity: Identity(meta.dev(), meta.ino()),
            mode: meta.mode(),
            owner: meta.uid(),
            group: meta.gid(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }
}

impl Status {
    /// Returns the status of the file at a path; links are followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(Self::from)
    }

    /// Returns the status of a path; a link at its end is not followed.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of_link(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(Self::from)
    }

    /// Returns the status of an open file.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn of_open(file: &File) -> io::Result<Self> {
        file.metadata().map(Self::from)
    }

    /// True for a regular file.
    pub fn is_file(&self) -> bool {
        self.kind() == FileType::RegularFile
    }

    /// True for a directory.
    pub fn is_dir(&self) -> bool {
        self.kind() == FileType::Directory
    }

    /// True for a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind() == FileType::Symlink
    }

    /// True for a file whose content can be read only once: a pipe, a socket, a terminal.
    pub fn is_pipe(&self) -> bool {
        matches!(
            self.kind(),
            FileType::Fifo | FileType::Socket | FileType::CharacterDevice
        )
    }

    /// True for a regular file that at least one user may run.
    pub fn is_program(&self) -> bool {
        self.is_file() && self.mode & 0o111 != 0
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// True if the effective user owns the file.
    pub fn is_ours(&self) -> bool {
        self.owner == us()
    }

    /// True if the effective user or root owns the file.
    pub fn is_ours_or_roots(&self) -> bool {
        [us(), 0].contains(&self.owner)
    }

    /// True if another file has the same owner.
    pub fn has_owner_of(&self, other: &Self) -> bool {
        self.owner == other.owner
    }

    /// True if the file is ours and no other user may read or write it.
    pub fn is_private(&self) -> bool {
        self.is_ours() && !self.is_open_to_others()
    }

    /// True if the file is ours and no other user may write it.
    pub fn is_ours_to_write(&self) -> bool {
        self.is_ours() && !self.is_writable_by_others()
    }

    /// True if group or others have any permission.
    pub fn is_open_to_others(&self) -> bool {
        self.mode & 0o077 != 0
    }

    /// True if every user may write it.
    pub fn is_writable_by_all(&self) -> bool {
        self.mode & 0o002 != 0
    }

    /// True if every user may read it.
    pub fn is_readable_by_all(&self) -> bool {
        self.mode & 0o004 != 0
    }

    /// True if group or others may write it.
    pub fn is_writable_by_others(&self) -> bool {
        self.mode & 0o022 != 0
    }

    /// True for a directory in which users can replace only their own files.
    pub fn is_sticky(&self) -> bool {
        self.mode & 0o1000 != 0
    }

    /// True for a directory in which no other user can replace our files: it belongs to
    /// this user or root, and others cannot write to it, or can replace only their own
    /// files (the sticky bit, as in /tmp).
    pub fn keeps_ours(&self) -> bool {
        self.is_ours_or_roots() && (self.is_sticky() || !self.is_writable_by_others())
    }

    /// True if the mode is that of [`super::files::set_private`].
    pub fn has_private_mode(&self) -> bool {
        self.mode() == 0o600
    }

    /// True if the mode is that of [`super::files::set_kept`].
    pub fn has_mode_of_kept(&self) -> bool {
        self.mode() == 0o400
    }

    /// Returns the mode for messages: `mode 0600`.
    pub fn shown_mode(&self) -> String {
        format!("mode {:04o}", self.mode())
    }

    /// Returns the number of hard links.
    pub fn links(&self) -> u64 {
        self.links
    }

    /// Returns the identity of the file.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Gives another file this one's mode and group. If the group cannot be set, it gets
    /// no permissions. Returns true if both are set: some file systems refuse a part.
    ///
    /// # Errors
    /// The operating system's error, if the file's mode permits more than this one's.
    pub fn give_mode(&self, file: &File) -> io::Result<bool> {
        let group = self.group;
        let has_group = file.metadata()?.gid() == group || fchown(file, None, Some(group)).is_ok();
        let mode = if has_group {
            self.mode()
        } else {
            // Set-group-ID and the group's permission bits.
            self.mode() & !0o2070
        };
        let set = file.set_permissions(fs::Permissions::from_mode(mode));
        let now = Self::of_open(file)?.mode();
        match set {
            Err(error) if now & !mode != 0 => Err(error),
            _ => Ok(has_group && now == self.mode()),
        }
    }

    /// True if new files in the directory lock no other user out: root with another
    /// user's HOME, as under `sudo -E`, creates nothing there. A directory that is open
    /// to all users, such as /tmp, locks none out.
    pub(super) fn may_hold_ours(&self) -> bool {
        may_hold(self.owner, self.mode, us())
    }

    /// Returns the group's ID.
    pub(super) fn group_id(&self) -> u32 {
        self.group
    }

    /// Returns the permissions: the mode without the type of the file.
    pub(super) fn permissions(&self) -> u32 {
        self.mode()
    }

    fn mode(&self) -> u32 {
        self.mode & 0o7777
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "narrower on Apple's systems, and no file type is lost"
    )]
    fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode as RawMode)
    }
}

impl From<Metadata> for Status {
    fn from(meta: Metadata) -> Self {
        Self {
            identity: Identity(meta.dev(), meta.ino()),
            mode: meta.mode(),
            owner: meta.uid(),
            group: meta.gid(),
            links: meta.nlink(),
            size: meta.len(),
        }
    }
}

// The fields' types differ by system.
#[allow(
    clippy::cast_sign_loss,
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    reason = "on Linux they are what they are made here"
)]
impl From<Stat> for Status {
    fn from(stat: Stat) -> Self {
        Self {
            identity: Identity(stat.st_dev as u64, stat.st_ino as u64),
            mode: stat.st_mode as u32,
            owner: stat.st_uid,
            group: stat.st_gid,
            links: stat.st_nlink as u64,
            size: stat.st_size as u64,
        }
    }
}

/// Returns this user's ID, for the names of system directories.
pub fn user_id() -> u32 {
    us()
}

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

const fn may_hold(owner: u32, mode: u32, us: u32) -> bool {
    const OPEN_AND_STICKY: u32 = 0o1002;
    us != 0 || owner == us || mode & OPEN_AND_STICKY == OPEN_AND_STICKY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_creates_nothing_in_another_users_directory() {
        let (root, alice) = (0, 1000);
        assert!(!may_hold(alice, 0o755, root));
        assert!(!may_hold(alice, 0o777, root));
        assert!(may_hold(alice, 0o1777, root), "as /tmp");
        assert!(may_hold(root, 0o755, root));
        assert!(may_hold(alice, 0o700, alice));
        assert!(may_hold(root, 0o777, alice), "if the mode lets it");
    }

    #[test]
    fn the_mode_decides_what_others_may_do() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        File::create(&path).expect("created");
        for (mode, is_private, is_ours_to_write) in [
            (0o600, true, true),
            (0o700, true, true),
            (0o640, false, true),
            (0o604, false, true),
            (0o620, false, false),
            (0o602, false, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            let status = Status::of(&path).expect("a file");
            assert_eq!(status.is_private(), is_private, "{mode:o}");
            assert_eq!(status.is_ours_to_write(), is_ours_to_write, "{mode:o}");
            assert_eq!(status.has_private_mode(), mode == 0o600);
            assert_eq!(status.shown_mode(), format!("mode 0{mode:o}"));
        }
    }
}
