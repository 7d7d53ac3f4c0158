//! Other processes.

use std::io;

/// A handle of a process. It never exists here: processes have no SIGHUP.
pub enum ProcessHandle {}

impl ProcessHandle {
    /// Fails.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: i32) -> io::Result<Self> {
        let why = "Windows has no SIGHUP: let the program read the file again by itself";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// Never fails.
    pub fn hang_up(&self) -> io::Result<()> {
        match *self {}
    }
}

/// Does nothing: processes need no reaping here.
pub const fn reap_orphans() {}
