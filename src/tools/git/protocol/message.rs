//! Finds the end of a message.

use std::io;
use std::io::Read;

/// A reader that ends with git's message: at its first empty line, or at the end of the
/// input. git closes stdin, but other programs with git's protocol may keep it open
/// while they wait for the answer.
pub struct Message<R> {
    inner: R,
    /// The length of the current line so far.
    length: usize,
    /// The last byte of the current line.
    last: u8,
    /// True if all lines before it ended with CRLF.
    is_crlf: bool,
    is_over: bool,
}

impl<R: Read> Message<R> {
    /// Creates a reader of the message at the start of `inner`.
    pub const fn new(inner: R) -> Self {
        Self {
            inner,
            length: 0,
            last: 0,
            is_crlf: true,
            is_over: false,
        }
    }

    /// Processes the next byte.
    fn advance(&mut self, byte: u8) {
        if byte != b'\n' {
            self.length += 1;
            self.last = byte;
            return;
        }
        self.is_crlf &= self.last == b'\r';
        self.is_over = self.length == usize::from(self.is_crlf);
        (self.length, self.last) = (0, 0);
    }
}

impl<R: Read> Read for Message<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let read = self.inner.read(buffer)?;
        for (index, byte) in buffer[..read].iter().enumerate() {
            self.advance(*byte);
            if self.is_over {
                return Ok(index + 1);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_at_its_first_empty_line() {
        for (message, rest) in [
            ("a=b\nc=d\n\n", "e=f\n"),
            ("a=b\r\nc=d\r\n\r\n", "e=f\r\n"),
            ("\n", "a=b\n"),
            ("\r\n", "a=b\r\n"),
            // The parser refuses mixed line endings.
            ("a=b\r\n\n", "c=d\n"),
            ("a=b\nc=d\r\n\r\ne=f\n\n", "g=h\n"),
            ("a=b\r\rc=d\n\n", "e=f\n"),
            ("a=b\nc", ""),
            ("", ""),
        ] {
            let input = format!("{message}{rest}");
            let mut whole = String::new();
            let read = Message::new(input.as_bytes()).read_to_string(&mut whole);
            assert_eq!((read.ok(), &*whole), (Some(message.len()), message));
            // Reads byte by byte, which splits every line ending.
            let mut cut = Message::new(input.as_bytes());
            let mut byte = [0];
            for expected in message.bytes() {
                assert_eq!((cut.read(&mut byte).ok(), byte), (Some(1), [expected]));
            }
            assert_eq!(cut.read(&mut byte).ok(), Some(0), "{input:?}");
        }
    }
}
