//! Reads lines from a pipe with long pauses between them.

use std::time::Duration;
use std::{io, mem};

use zeroize::Zeroizing;

use super::{Bounded, ReadError};
use crate::text::clock::Deadline;

/// Time limit for the next line's first byte. A client may pause long after its first
/// request, and its exit closes the pipe.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The lines of one input.
#[derive(Default)]
pub struct Lines {
    /// Bytes that were read after the last line.
    rest: Vec<u8>,
    /// True once a line was read.
    has_begun: bool,
}

impl Lines {
    /// Returns the next line without its line break; `None` at the end of the input.
    /// The first line must be complete within `budget`, and every other one within
    /// `budget` after its first byte.
    ///
    /// # Errors
    /// [`ReadError`]: too large, too slow, or a failed read.
    pub fn next(
        &mut self,
        input: &mut dyn Bounded,
        limit: usize,
        budget: Duration,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let mut line = mem::take(&mut self.rest);
        let mut searched = 0;
        let mut chunk = Zeroizing::new([0; 1024]);
        let is_silent = mem::replace(&mut self.has_begun, true) && line.is_empty();
        let patience = if is_silent { PATIENCE } else { budget };
        input.end_by(Deadline::after(patience));
        loop {
            let end = line[searched..].iter().position(|byte| *byte == b'\n');
            let end = end.map(|end| searched + end);
            searched = line.len();
            if end.unwrap_or(searched) > limit {
                return Err(ReadError::TooLarge(limit));
            }
            if let Some(end) = end {
                self.rest = line[end + 1..].to_vec();
                line.truncate(end);
                return Ok(Some(line));
            }
            match input.read(&mut *chunk) {
                Ok(0) => return Ok(Some(line).filter(|line| !line.is_empty())),
                Ok(read) => {
                    if line.is_empty() {
                        input.end_by(Deadline::after(budget));
                    }
                    line.extend_from_slice(&chunk[..read]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::of(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read, Write};
    use std::thread;

    use super::*;
    use crate::text::input::TimedReader;

    const SHORT: Duration = Duration::from_millis(20);

    /// Returns a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    impl Bounded for Drops<'_> {
        fn end_by(&mut self, _: Deadline) {}
    }

    fn lines(input: &str, size: usize) -> Vec<String> {
        let mut input = Drops(input.as_bytes(), size);
        let mut lines = Lines::default();
        let next = || lines.next(&mut input, 10, SHORT).expect("a short line");
        std::iter::from_fn(next)
            .map(|line| String::from_utf8_lossy(&line).into_owned())
            .collect()
    }

    #[test]
    fn each_line_is_read_in_any_chunks() {
        for size in [1, 2, 3, 1024] {
            assert_eq!(
                lines("one\ntwo\n\nthree", size),
                ["one", "two", "", "three"]
            );
            assert!(lines("", size).is_empty());
            assert_eq!(lines("0123456789\n0123456789", size).len(), 2);
        }
    }

    #[test]
    fn a_line_beyond_its_limit_is_refused_with_and_without_its_line_break() {
        for input in ["0123456789x\n", "0123456789x"] {
            for size in [1, 1024] {
                let mut input = Drops(input.as_bytes(), size);
                let read = Lines::default().next(&mut input, 10, SHORT);
                assert!(matches!(read, Err(ReadError::TooLarge(10))));
            }
        }
    }

    fn pipe() -> (TimedReader<PipeReader>, io::PipeWriter) {
        let (reader, writer) = io::pipe().expect("a pipe");
        (TimedReader::new(reader, Deadline::after(SHORT)), writer)
    }

    #[test]
    fn the_first_line_and_a_line_that_has_begun_must_be_complete_in_time() {
        for said in ["first\nhalf a", "half a", ""] {
            let (mut input, mut writer) = pipe();
            writer.write_all(said.as_bytes()).expect("room");
            // A limit, in case the test fails.
            thread::spawn(move || {
                thread::sleep(SHORT * 50);
                drop(writer);
            });
            let mut lines = Lines::default();
            let mut next = || lines.next(&mut input, 10, SHORT);
            if said.starts_with("first") {
                assert_eq!(next().ok().flatten().as_deref(), Some(&b"first"[..]));
            }
            assert!(matches!(next(), Err(ReadError::TimedOut(_))), "{said}");
        }
    }

    #[test]
    fn the_wait_between_lines_is_longer_but_ends_when_the_pipe_is_closed() {
        let (mut input, mut writer) = pipe();
        writer.write_all(b"first\n").expect("room");
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(SHORT * 5);
                writer.write_all(b"late\n").expect("room");
            });
            let mut lines = Lines::default();
            let mut next = || lines.next(&mut input, 10, SHORT).expect("no time-out");
            assert_eq!(next().as_deref(), Some(&b"first"[..]));
            assert_eq!(next().as_deref(), Some(&b"late"[..]));
            assert_eq!(next(), None);
        });
    }
}
