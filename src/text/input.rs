//! Reads untrusted input, with limits on size and time.

pub mod encoding;
pub mod lines;

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::sys::files::{is_read_only, open_to_read};
use crate::sys::status::Status;
use crate::sys::streams::{Pipe, Piped};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::system;
use crate::text::waiting::Wait;

/// Size limit of a key or a tool's message: 64 KiB.
pub const LIMIT: usize = 64 * 1024;

/// Size limit of a tool's own file, which may have the logins of many registries or the
/// certificates of many clusters: 4 MiB.
pub const TOOL_FILE_LIMIT: usize = 4 * 1024 * 1024;

/// The remedy for [`ReadError::TimedOut`].
pub const CHECK_WRITER: &str = "check the program that writes to this pipe";

/// The reason why an input was not read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The input is larger than this limit in bytes.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// The input did not end within this many seconds.
    #[error("not complete within {0} s")]
    TimedOut(u64),
    /// Every user can write to the file; its mode as people read it.
    #[error("every user can write to it ({0})")]
    Writable(String),
    /// Other users can read or write the file; its mode as people read it.
    #[error("open to other users ({0})")]
    Exposed(String),
    /// The operating system's error.
    #[error("{}", system(.0))]
    Io(#[from] io::Error),
}

/// Reads a file, a FIFO or a pipe (`<(…)`) to its end.
///
/// # Errors
/// [`ReadError`]: too large, too slow, or a failed read.
pub fn read_file(path: &Path, limit: usize, deadline: &Deadline) -> Result<Vec<u8>, ReadError> {
    let file = open_to_read(path)?;
    let status = Status::of_open(&file)?;
    read_open(path, file, &status, limit, deadline)
}

/// Reads a trusted file as [`read_file`] does: refuses a regular file that every user can
/// write to.
///
/// # Errors
/// [`ReadError`]: too large, too slow, open to every user, or a failed read.
pub fn read_believed(path: &Path, limit: usize, deadline: &Deadline) -> Result<Vec<u8>, ReadError> {
    let file = open_to_read(path)?;
    let status = Status::of_open(&file)?;
    if status.is_file() && status.is_writable_by_all() && !is_read_only(&file) {
        return Err(ReadError::Writable(status.shown_mode()));
    }
    read_open(path, file, &status, limit, deadline)
}

/// Reads a secret file as [`read_file`] does: refuses a regular file that is open to
/// other users.
///
/// # Errors
/// [`ReadError`]: too large, too slow, open to others, or a failed read.
pub fn read_private(path: &Path, limit: usize, deadline: &Deadline) -> Result<Vec<u8>, ReadError> {
    let file = open_to_read(path)?;
    let status = Status::of_open(&file)?;
    if status.is_file() && status.is_open_to_others() {
        return Err(ReadError::Exposed(status.shown_mode()));
    }
    read_open(path, file, &status, limit, deadline)
}

fn read_open(
    path: &Path,
    file: File,
    status: &Status,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<u8>, ReadError> {
    if status.is_file() {
        read_regular(file, status, limit)
    } else {
        let _wait = Wait::of(|| quote::path(path));
        read_all(TimedReader::new(file, *deadline), limit)
    }
}

/// Reads an open regular file of this status.
///
/// # Errors
/// [`ReadError`]: too large, or a failed read.
pub fn read_regular(file: File, status: &Status, limit: usize) -> Result<Vec<u8>, ReadError> {
    read_sized(file, limit, status.size())
}

/// Reads to the end, and fails beyond `limit` bytes.
///
/// # Errors
/// [`ReadError`]: too large, too slow, or a failed read.
pub fn read_all(reader: impl Read, limit: usize) -> Result<Vec<u8>, ReadError> {
    // A protocol's message is short, and every allocated byte is wiped later.
    read_sized(reader, limit, 1024)
}

/// Reads to the end, and returns the first line without its line break. Stops after
/// `most` bytes.
///
/// # Errors
/// [`ReadError`]: too large a line, too slow, or a failed read.
pub fn read_first_line(
    mut reader: impl Read,
    limit: usize,
    most: usize,
) -> Result<Vec<u8>, ReadError> {
    let mut line = Vec::with_capacity(1024);
    let mut chunk = Zeroizing::new([0; 4096]);
    let (mut total, mut is_whole) = (0, false);
    while total <= most {
        let read = match reader.read(&mut *chunk) {
            Ok(0) => break,
            Ok(read) => &chunk[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ReadError::of(error)),
        };
        total += read.len();
        if !is_whole {
            let end = read.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&read[..end.unwrap_or(read.len())]);
            is_whole = end.is_some();
        }
        if line.len() > limit {
            return Err(ReadError::TooLarge(limit));
        }
    }
    Ok(line)
}

/// Reads an input of probably `size` bytes to the end into one allocation.
///
/// # Errors
/// [`ReadError`]: too large, too slow, or a failed read.
pub fn read_sized(mut reader: impl Read, limit: usize, size: u64) -> Result<Vec<u8>, ReadError> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(size.min(limit) + 1);
    let most = (limit as u64).saturating_add(1);
    match reader.by_ref().take(most).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > limit => Err(ReadError::TooLarge(limit)),
        Ok(_) => Ok(bytes),
        Err(error) => Err(ReadError::of(error)),
    }
}

impl ReadError {
    /// Returns the error as the rest of a sentence that starts with "… is".
    pub fn predicate(&self) -> String {
        match self {
            Self::TooLarge(_) | Self::TimedOut(_) | Self::Exposed(_) => self.to_string(),
            Self::Writable(mode) => format!("writable by every user ({mode})"),
            Self::Io(error) => format!("unreadable: {}", system(error)),
        }
    }

    fn of(error: io::Error) -> Self {
        match error.get_ref().and_then(|e| e.downcast_ref::<Late>()) {
            Some(late) => Self::TimedOut(late.0),
            None => Self::Io(error),
        }
    }
}

/// An input whose deadline is set after the options are parsed.
pub trait Bounded: Read {
    /// Sets the deadline of all further reads.
    fn end_by(&mut self, deadline: Deadline);
}

/// Empty input needs no deadline.
impl Bounded for io::Empty {
    fn end_by(&mut self, _: Deadline) {}
}

/// A reader of a pipe, with a deadline.
pub struct TimedReader<R> {
    inner: Pipe<R>,
    deadline: Deadline,
}

impl<R: Piped> TimedReader<R> {
    /// Creates a reader whose reads fail at the deadline.
    pub fn new(inner: R, deadline: Deadline) -> Self {
        let inner = Pipe::new(inner);
        Self { inner, deadline }
    }

    fn wait(&self) -> io::Result<()> {
        if self.inner.wait(self.deadline.remaining())? {
            return Ok(());
        }
        let late = Late::of(&self.deadline);
        Err(io::Error::new(io::ErrorKind::TimedOut, late))
    }
}

impl<R: Piped> Read for TimedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.inner.read(buffer)
    }
}

impl<R: Piped> Bounded for TimedReader<R> {
    fn end_by(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }
}

#[derive(Debug, Error)]
#[error("not complete within {0} s")]
struct Late(u64);

impl Late {
    const fn of(deadline: &Deadline) -> Self {
        Self(deadline.budget_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_input_at_its_limit_is_read_and_one_beyond_it_refused() {
        let read = |n: usize| read_all(&vec![b'x'; n][..], 10);
        assert_eq!(read(10).map(|b| b.len()).ok(), Some(10));
        assert!(matches!(read(11), Err(ReadError::TooLarge(10))));
        let long: Vec<u8> = (0..=255).cycle().take(LIMIT).collect();
        assert_eq!(read_all(&long[..], LIMIT).ok().as_deref(), Some(&*long));
        assert!(read_all(&long[..], LIMIT - 1).is_err());
    }

    #[test]
    fn the_first_line_is_kept_and_the_rest_is_read_up_to_its_bound() {
        let long = "x".repeat(10_000);
        for (input, expected, left) in [
            ("", "", 0),
            ("one", "one", 0),
            ("one\n", "one", 0),
            ("one\r\ntwo\nthree", "one\r", 0),
            (&format!("one\n{long}"), "one", 0),
            (
                &format!("one\n{}", long.repeat(10)),
                "one",
                100_004 - 6 * 4096,
            ),
        ] {
            let mut reader = input.as_bytes();
            let line = read_first_line(&mut reader, 10, 20_480).expect("a line");
            assert_eq!(line.as_slice(), expected.as_bytes());
            assert_eq!(reader.len(), left, "{expected}");
        }
        for input in ["0123456789x\n", &long] {
            let read = read_first_line(input.as_bytes(), 10, 20_480);
            assert!(matches!(read, Err(ReadError::TooLarge(10))));
        }
    }

    #[test]
    fn a_read_error_completes_a_sentence() {
        let said = |error: ReadError| format!("it is {}", error.predicate());
        assert_eq!(said(ReadError::TooLarge(9)), "it is larger than 9 bytes");
        assert_eq!(
            said(ReadError::TimedOut(3)),
            "it is not complete within 3 s"
        );
        let error = File::open("/").and_then(|mut file| file.read(&mut [0]));
        let said = said(error.expect_err("a directory").into());
        let why = said.strip_prefix("it is unreadable: ").expect("a reason");
        assert!(cfg!(windows) || why == "is a directory", "{said}");
        assert!(!why.ends_with('.') && !why.contains("os error"), "{said}");
    }

    #[test]
    fn a_pipe_that_stays_silent_ends_with_the_deadline() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let patient = TimedReader::new(reader, Deadline::after(Duration::from_millis(20)));
        assert!(matches!(read_all(patient, 10), Err(ReadError::TimedOut(1))));
        drop(writer);
    }
}
