//! Mode and group of a file that other users may read.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, fchown};

use rustix::process::{getegid, getgroups};

use super::files::set_private;
use super::status::Status;

/// The mode and the group that a new file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    mode: u32,
    /// `None` for the group that the system gives to a new file.
    group: Option<u32>,
}

impl Access {
    /// Only the owner may read: mode 0600.
    pub const PRIVATE: Self = Self {
        mode: 0o600,
        group: None,
    };

    /// Every user may read: mode 0644.
    pub const PUBLIC: Self = Self {
        mode: 0o644,
        group: None,
    };

    /// Creates an access with these mode bits and this group ID.
    pub const fn of(mode: u32, group: Option<u32>) -> Self {
        Self { mode, group }
    }

    /// Gives a file this access. The group is set first, so that no other group can open
    /// the file for a moment.
    ///
    /// # Errors
    /// The operating system's error. Some file systems have no modes: there, 0600 is an
    /// error only if others may read or write the file.
    pub fn give(&self, file: &File) -> io::Result<()> {
        if let Some(group) = self.group
            && Status::of_open(file)?.group_id() != group
        {
            fchown(file, None, Some(group))?;
        }
        if self.mode == Self::PRIVATE.mode {
            return set_private(file);
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }

    /// True if a file has this mode and this group.
    pub fn is_of(&self, status: &Status) -> bool {
        status.permissions() == self.mode
            && self.group.is_none_or(|group| status.group_id() == group)
    }

    /// True if this process is not a member of the group, so that the system may refuse
    /// to give files to it.
    pub fn is_of_foreign_group(&self) -> bool {
        let is_member = |group: u32| {
            let groups = getgroups().unwrap_or_default();
            getegid().as_raw() == group || groups.iter().any(|one| one.as_raw() == group)
        };
        self.group.is_some_and(|group| !is_member(group))
    }
}

/// Returns the ID of a group, given by its name in `/etc/group` or by its number; `None`
/// if there is no such group.
///
/// # Errors
/// The file cannot be read.
pub fn group_id(name: &OsStr) -> io::Result<Option<u32>> {
    /// More than any list of groups needs.
    const LIMIT: u64 = 16 * 1024 * 1024;
    let mut list = Vec::new();
    match File::open("/etc/group") {
        Ok(file) => file.take(LIMIT).read_to_end(&mut list)?,
        // A container of one program may have no such file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(group_in(&list, name.as_encoded_bytes()))
}

/// Returns the ID of a group from a list in the format of group(5), or the number itself.
fn group_in(list: &[u8], name: &[u8]) -> Option<u32> {
    let named = list.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        (fields.next()? == name).then_some(())?;
        number(fields.nth(1)?)
    });
    named.or_else(|| number(name))
}

/// Parses a group's number. The highest one means "no change" to the system.
fn number(digits: &[u8]) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    text.parse().ok().filter(|group| *group != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_name_or_its_number() {
        let list = b"root:x:0:\nadm:x:4:a,b\n7:x:70:\nbad:x:y:\nshort:x\nlast:x:9:";
        let group = |name: &str| group_in(list, name.as_bytes());
        assert_eq!(["root", "adm", "last"].map(group), [0, 4, 9].map(Some));
        assert_eq!(["7", "8", "0"].map(group), [70, 8, 0].map(Some));
        for name in ["none", "", "a", "bad", "short", "-1", "+4", "4294967295"] {
            assert_eq!(group(name), None, "{name}");
        }
    }

    #[test]
    fn a_files_mode_and_group_are_set_and_compared() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let status = || Status::of(file.path()).expect("a file");
        let own = status().group_id();
        for (mode, group) in [(0o640, None), (0o444, Some(own)), (0o600, Some(own))] {
            let access = Access::of(mode, group);
            access.give(file.as_file()).expect("given");
            assert!(access.is_of(&status()));
            assert!(!Access::of(mode ^ 0o040, group).is_of(&status()));
            assert!(!Access::of(mode, Some(own ^ 1)).is_of(&status()));
        }
    }
}
