//! The limit on the size of files (`ulimit -f`): a write past it ends the
//! process with SIGXFSZ, and its fresh token with it. So it is asked first.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// Whether a file may come to be `size` bytes long.
///
/// # Errors
/// EFBIG, as a write would give it to a process that ignores the signal.
pub fn check(size: u64) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if size > limit => Err(Errno::FBIG.into()),
        _ => Ok(()),
    }
}

/// Writes in place.
///
/// # Errors
/// The system's own reason; what lay there may be half changed.
pub fn write_at(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    check(place + bytes.len() as u64)?;
    file.write_all_at(bytes, place)
}
