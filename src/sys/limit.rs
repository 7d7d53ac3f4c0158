//! The limit on the size of files (`ulimit -f`): a write past it ends the
//! process with SIGXFSZ, and its fresh token with it. So it is asked first.

use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{FileType, SeekFrom, fstat, seek};
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

/// A stream that somebody may have led into a file: what does not fit is an error
/// as a whole, and no signal.
pub struct Stream<W>(pub W);

impl<W: Write + AsFd> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if getrlimit(Resource::Fsize).current.is_some()
            && let Some(end) = end_of(&self.0)
        {
            check(end + bytes.len() as u64)?;
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Where a regular file's next write ends up at the latest, appended or not; what
/// is none has no limit.
fn end_of(stream: &impl AsFd) -> Option<u64> {
    let stat = fstat(stream).ok()?;
    FileType::from_raw_mode(stat.st_mode).is_file().then(|| {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        size.max(seek(stream, SeekFrom::Current(0)).unwrap_or(0))
    })
}
