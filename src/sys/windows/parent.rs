//! The process that runs this one.

use std::time::{SystemTime, UNIX_EPOCH};

/// A process that runs this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its process ID.
    pub pid: u32,
    /// When it was started, in the system's own count.
    pub started: u64,
    /// Which program it is.
    pub program: u64,
}

impl Parent {
    /// Returns a process that never asked before: without unsafe code, the system does not
    /// say which one runs this one, so that nobody is known to ask again.
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
