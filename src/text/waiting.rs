//! Shows at a terminal what the program waits for, and for how many seconds. The line is
//! rewritten in place, and cleared when the wait ends.

use std::ffi::OsString;
use std::io;
use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::sys::signals;
use crate::text::logger::is_json;
use crate::text::stderr::{clear_line, show_line};
use crate::text::terminal::is_ci;

/// A shorter wait is not shown.
const SHORT: Duration = Duration::from_secs(1);

/// Interval between two updates of the line.
const TICK: Duration = Duration::from_millis(100);

/// Two waits for the same thing count as one if the gap between them is not longer.
const GAP: Duration = Duration::from_millis(200);

/// Looks up an environment variable; unset if no line may be shown.
static ENVIRONMENT: OnceLock<fn(&str) -> Option<OsString>> = OnceLock::new();

/// The current wait, or the last one.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

struct Last {
    what: String,
    start: Instant,
    /// `None` until the wait ends.
    end: Option<Instant>,
}

fn last() -> MutexGuard<'static, Option<Last>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allows the lines, for a program with this environment.
pub fn allow(environment: fn(&str) -> Option<OsString>) {
    // A process runs only one program, so no second value exists.
    let _ = ENVIRONMENT.set(environment);
}

/// A wait, which ends when this is dropped.
pub struct Wait(Option<(Sender<()>, JoinHandle<()>)>);

impl Wait {
    /// Starts a wait. Within another wait, it shows nothing.
    pub fn of(what: impl FnOnce() -> String) -> Self {
        if !is_watched() {
            return Self(None);
        }
        let mut last = last();
        if last.as_ref().is_some_and(|last| last.end.is_none()) {
            return Self(None);
        }
        let what = what();
        let now = Instant::now();
        let goes_on = last.take().filter(|last| {
            let is_near = |end| now.duration_since(end) < GAP;
            last.what == what && last.end.is_some_and(is_near)
        });
        let start = goes_on.map_or(now, |last| last.start);
        let (stop, stopped) = mpsc::channel();
        let line = format!("zitadel-credential: waiting for {what}");
        let thread = Builder::new().spawn(move || attend(&line, start, &stopped));
        // Without a thread, the wait is not shown.
        let Ok(thread) = thread else {
            return Self(None);
        };
        *last = Some(Last {
            what,
            start,
            end: None,
        });
        Self(Some((stop, thread)))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some((stop, thread)) = self.0.take() else {
            return;
        };
        drop(stop);
        // The thread clears the line before it ends.
        let _ = thread.join();
        if let Some(last) = &mut *last() {
            last.end = Some(Instant::now());
        }
    }
}

/// True if a user reads stderr and allows such lines.
fn is_watched() -> bool {
    let Some(environment) = ENVIRONMENT.get() else {
        return false;
    };
    let is_off = environment("ZITADEL_CREDENTIAL_LOG").is_some_and(|level| level == "off");
    io::stderr().is_terminal() && !is_off && !is_json() && !is_ci(environment)
}

/// Shows the line until the wait ends.
fn attend(line: &str, start: Instant, stopped: &Receiver<()>) {
    let is_over = |patience| stopped.recv_timeout(patience) != Err(RecvTimeoutError::Timeout);
    if is_over(SHORT.saturating_sub(start.elapsed())) {
        return;
    }
    if let Err(error) = signals::delay_end(clear_line) {
        log::debug!("signals end a wait without clearing its line: {error}");
    }
    let mut shown = 0;
    loop {
        let secs = start.elapsed().as_secs();
        if secs > shown {
            shown = secs;
            show_line(line, &format!(", {secs} s"));
        }
        if is_over(TICK) || signals::asked() {
            break;
        }
    }
    clear_line();
    signals::end_if_asked();
}
