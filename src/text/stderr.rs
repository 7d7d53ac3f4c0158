//! What people are told. A pipe that is full may never be read, and a token is worth
//! more than a line.

use std::io;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sys::streams::{wait_writable, write_whole};

/// How long whoever reads it is waited for; once that was in vain, no more.
const PATIENCE: Duration = Duration::from_secs(1);

static UNREAD: AtomicBool = AtomicBool::new(false);

/// The process's stderr, in which what nobody reads is dropped.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_read() {
            write_whole(&io::stderr(), bytes)?;
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
    // One that cannot be asked is written to.
    let is_read = wait_writable(&io::stderr(), patience).unwrap_or(true);
    UNREAD.store(!is_read, Ordering::Relaxed);
    is_read
}
