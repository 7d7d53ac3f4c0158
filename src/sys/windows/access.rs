//! Access for other users to a file. Windows has no modes: a directory's access control
//! list (ACL) applies to its files, and in a user's profile it admits the user, the
//! administrators and the system.

use std::ffi::OsStr;
use std::fs::File;
use std::io;

use super::status::Status;

/// The mode of a new file; only these two exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    mode: u32,
}

impl Access {
    /// Only the owner may read, as far as the directory's ACL says so.
    pub const PRIVATE: Self = Self { mode: 0o600 };

    /// Every user to whom the directory's ACL grants it may read.
    pub const PUBLIC: Self = Self { mode: 0o644 };

    /// Creates an access with these mode bits. Files have no groups.
    pub const fn of(mode: u32, _group: Option<u32>) -> Self {
        Self { mode }
    }

    /// Leaves a file with the permissions from its directory.
    ///
    /// # Errors
    /// The requested mode is another one.
    pub fn give(&self, _: &File) -> io::Result<()> {
        match *self {
            Self::PRIVATE | Self::PUBLIC => Ok(()),
            _ => Err(no_modes()),
        }
    }

    /// True: no file has another mode.
    pub fn is_of(&self, _: &Status) -> bool {
        true
    }

    /// False: there are no groups.
    pub fn is_of_foreign_group(&self) -> bool {
        false
    }
}

/// Fails: there are no groups of files.
///
/// # Errors
/// Always.
pub fn group_id(_: &OsStr) -> io::Result<Option<u32>> {
    Err(no_modes())
}

fn no_modes() -> io::Error {
    let why = "Windows has no modes and groups of files: set the permissions of its directory";
    io::Error::new(io::ErrorKind::Unsupported, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_that_cannot_be_given_is_refused() {
        let file = tempfile::tempfile().expect("a file");
        for access in [Access::PRIVATE, Access::PUBLIC] {
            access.give(&file).expect("given");
        }
        assert!(Access::of(0o640, None).give(&file).is_err());
        assert!(group_id(OsStr::new("Users")).is_err());
    }
}
