//! The service manager: on Windows, no manager gets messages from an agent.

use std::ffi::OsStr;

/// A service manager; it never exists here.
pub enum Manager {}

impl Manager {
    /// Returns `None`.
    pub fn at(_: &OsStr) -> Option<Self> {
        log::warn!("NOTIFY_SOCKET: Windows has no such socket");
        None
    }

    /// Cannot be called.
    pub fn tell(&self, _: &str) -> bool {
        match *self {}
    }
}
