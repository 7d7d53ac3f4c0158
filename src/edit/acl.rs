//! Whom else a file lets in: the access control list (ACL) of one that is
//! replaced.
//!
//! Beside a list, the group's bits of the mode are no group's: they are the most
//! that all who are named may do (acl(5)). The mode alone would give it to the group.

use std::fs::File;
use std::path::Path;

/// What is known of a file's list.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "a list is kept only where the mode speaks of it")
)]
pub(crate) enum Acl {
    /// It has none, or its file system knows none.
    None,
    /// As the kernel keeps it.
    List(Vec<u8>),
    /// It could not be read.
    Unknown,
}

#[cfg(target_os = "linux")]
impl Acl {
    const NAME: &str = "system.posix_acl_access";

    /// The most that the kernel keeps in an attribute: 64 KiB.
    const LIMIT: usize = 64 * 1024;

    /// Reads a file's.
    pub(crate) fn of(path: &Path) -> Self {
        let mut list = vec![0; Self::LIMIT];
        match rustix::fs::getxattr(path, Self::NAME, &mut list[..]) {
            Ok(length) => {
                list.truncate(length);
                Self::List(list)
            }
            Err(error) if is_none(error) => Self::None,
            Err(_) => Self::Unknown,
        }
    }

    /// Gives it to another file; whether that has it now, and no other.
    pub(crate) fn give(&self, file: &File) -> bool {
        match self {
            Self::List(list) => {
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::fsetxattr(file, Self::NAME, list, flags).is_ok()
            }
            // Its directory may have given it one.
            Self::None => rustix::fs::fremovexattr(file, Self::NAME)
                .or_else(|error| if is_none(error) { Ok(()) } else { Err(error) })
                .is_ok(),
            Self::Unknown => false,
        }
    }
}

#[cfg(target_os = "linux")]
fn is_none(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    // Of no file, there is none.
    matches!(error, Errno::NODATA | Errno::OPNOTSUPP | Errno::NOENT)
}

/// Other systems' lists only add to what the mode says: without, nobody is let in.
#[cfg(not(target_os = "linux"))]
impl Acl {
    pub(crate) const fn of(_: &Path) -> Self {
        Self::None
    }

    pub(crate) const fn give(&self, _: &File) -> bool {
        !matches!(self, Self::Unknown)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{XattrFlags, getxattr, setxattr};

    use super::*;
    use crate::edit::target::Target;

    /// The list of version 2, each entry a tag, what it may do, and whom: its
    /// owner rw, user 1000 rw, its group nothing, at most rw, others nothing.
    fn list() -> Vec<u8> {
        let nobody = u32::MAX;
        let entries: [(u16, u16, u32); 5] = [
            (0x01, 6, nobody),
            (0x02, 6, 1000),
            (0x04, 0, nobody),
            (0x10, 6, nobody),
            (0x20, 0, nobody),
        ];
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, may, whom) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(may.to_le_bytes());
            list.extend(whom.to_le_bytes());
        }
        list
    }

    /// A file in a directory, each with the list where it is asked for; none
    /// where the file system knows no lists.
    fn world(file: bool, dir: bool) -> Option<(tempfile::TempDir, std::path::PathBuf)> {
        let world = tempfile::tempdir().expect("a directory");
        let path = world.path().join("file");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o660)).expect("a mode");
        let set = |path: &Path, name| setxattr(path, name, &list(), XattrFlags::empty()).ok();
        if file {
            set(&path, Acl::NAME)?;
        }
        if dir {
            set(world.path(), "system.posix_acl_default")?;
        }
        Some((world, path))
    }

    fn change(path: &Path, look: impl FnOnce(&mut Target)) -> (u32, Option<Vec<u8>>) {
        let mut target = match Target::open(path) {
            Ok(target) => target,
            Err(report) => panic!("{report}"),
        };
        look(&mut target);
        target.set("new".into());
        target.write().expect("written");
        assert_eq!(fs::read_to_string(path).expect("text"), "new");
        let mode = fs::metadata(path).expect("a file").permissions().mode();
        let mut list = vec![0; 1024];
        let length = getxattr(path, Acl::NAME, &mut list[..]).ok();
        let list = length.map(|length| list[..length].to_vec());
        (mode & 0o777, list)
    }

    #[test]
    fn a_files_list_is_kept() {
        let Some((_dir, path)) = world(true, false) else {
            return;
        };
        assert_eq!(change(&path, |_| ()), (0o660, Some(list())));
    }

    #[test]
    fn a_file_without_a_list_gets_none_from_its_directory() {
        let Some((_dir, path)) = world(false, true) else {
            return;
        };
        assert_eq!(change(&path, |_| ()), (0o660, None));
    }

    #[test]
    fn what_a_list_that_is_not_kept_allowed_goes_to_nobody_else() {
        let Some((_dir, path)) = world(true, false) else {
            return;
        };
        let lose = |target: &mut Target| target.acl = Acl::Unknown;
        assert_eq!(change(&path, lose), (0o600, None));
    }
}
