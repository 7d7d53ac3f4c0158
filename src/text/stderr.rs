//! Writes messages to stderr without blocking: nobody may ever read a full pipe, and
//! a message must not delay a token.

use std::io;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sys::streams::{wait_writable, write_whole};

/// Wait time for a full pipe. After one timeout, further writes do not wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most that a pipe is sure to take at once if it takes a write (pipe(7), `PIPE_BUF`).
const PART: usize = 512;

static UNREAD: AtomicBool = AtomicBool::new(false);

/// The process's stderr; drops messages while its pipe is full.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.chunks(PART) {
            if is_read() {
                write_whole(&io::stderr(), part)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn is_read() -> bool {
    let patience = if UNREAD.load(Ordering::Relaxed) {
        Duration::ZERO
    } else {
        PATIENCE
    };
    // If poll fails, write anyway.
    let is_read = wait_writable(&io::stderr(), patience).unwrap_or(true);
    UNREAD.store(!is_read, Ordering::Relaxed);
    is_read
}
