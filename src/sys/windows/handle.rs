//! Other processes.

use std::io;

/// A handle of a process. There is none here: processes have no SIGHUP.
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
    /// None.
    pub fn hang_up(&self) -> io::Result<()> {
        match *self {}
    }
}

/// Does nothing: nobody has to reap a process.
pub const fn reap_orphans() {}
