//! Where a message ends.

use std::io;
use std::io::Read;

/// What git says up to the end of its message: its first empty line, or the end
/// of all. git closes its side; a tool that speaks for it may keep it open while
/// it waits for the answer.
pub struct Message<R> {
    inner: R,
    /// How long the line is that is under way.
    length: usize,
    /// Its last byte.
    last: u8,
    /// Whether all lines before it ended at CRLF.
    is_crlf: bool,
    is_over: bool,
}

impl<R: Read> Message<R> {
    /// The message that `inner` begins with.
    pub const fn new(inner: R) -> Self {
        Self {
            inner,
            length: 0,
            last: 0,
            is_crlf: true,
            is_over: false,
        }
    }

    /// Takes the next byte.
    fn take(&mut self, byte: u8) {
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
            self.take(*byte);
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
            // Mixed ends are refused by whoever reads the lines.
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
            // In pieces of one byte, which cut every end of a line.
            let mut cut = Message::new(input.as_bytes());
            let mut byte = [0];
            for expected in message.bytes() {
                assert_eq!((cut.read(&mut byte).ok(), byte), (Some(1), [expected]));
            }
            assert_eq!(cut.read(&mut byte).ok(), Some(0), "{input:?}");
        }
    }
}
