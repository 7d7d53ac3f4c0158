//! Writes messages to stderr without blocking: a full pipe may never be read, and a
//! message must not delay a token.

use std::io;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sys::streams::{columns, is_asking, wait_writable, write_whole};
use crate::text::quote::printable;
use crate::text::wrap::COLUMNS;

/// Wait time for a full pipe. After one timeout, further writes do not wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes that a writable pipe surely accepts at once (pipe(7), `PIPE_BUF`).
const PART: usize = 512;

static UNREAD: AtomicBool = AtomicBool::new(false);

/// Content of the cursor's line.
static LINE: Mutex<Line> = Mutex::new(Line {
    columns: 0,
    is_open: false,
});

struct Line {
    /// The columns of a line to clear; 0 if there is none.
    columns: usize,
    /// True if a part of another line was written, such as a question.
    is_open: bool,
}

impl Line {
    fn clear(&mut self) -> io::Result<()> {
        /// The width of the `^C` that the terminal itself shows.
        const CTRL_C: usize = 2;
        if self.columns > 0 {
            let blank = " ".repeat(self.columns + CTRL_C);
            self.columns = 0;
            write_whole(&io::stderr(), format!("\r{blank}\r").as_bytes())?;
        }
        Ok(())
    }
}

fn line() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces the last line at a terminal by a text and its end. A text that is too long
/// for one line is cut. Shows nothing while another program asks: after a part of a line,
/// or while typed input is hidden.
pub fn show_line(text: &str, end: &str) {
    /// Room for `^C`, and for the last column, after which some terminals break the line.
    const ROOM: usize = 3;
    let mut line = line();
    let width = columns(&io::stderr()).unwrap_or(COLUMNS).min(COLUMNS);
    // A closed stderr cannot be reported anywhere.
    let _ = line.clear();
    if line.is_open || is_asking(&io::stderr()) {
        return;
    }
    let room = width.saturating_sub(ROOM + end.chars().count());
    let text = printable(text).chars().take(room).collect::<String>() + end;
    line.columns = text.chars().count();
    let _ = write_whole(&io::stderr(), text.as_bytes());
}

/// Clears the line that [`show_line`] has shown.
pub fn clear_line() {
    // A closed stderr cannot be reported anywhere.
    let _ = line().clear();
}

/// The process's stderr; drops messages while its pipe is full.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut line = line();
        line.clear()?;
        if let Some(last) = bytes.last() {
            line.is_open = *last != b'\n';
        }
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
