//! The parent process of this one.

use std::time::{SystemTime, UNIX_EPOCH};

/// A parent process of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its process ID.
    pub pid: u32,
    /// Its start time, in the system's unit.
    pub started: u64,
    /// The identity of its program.
    pub program: u64,
}

impl Parent {
    /// Returns a process that never asked before: without unsafe code, the system does
    /// not name the parent, so no caller is known to ask again.
    pub fn current() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.unwrap_or_default().as_nanos();
        Self {
            pid: std::process::id(),
            started: u64::try_from(nanos).unwrap_or_default(),
            program: 0,
        }
    }
}
