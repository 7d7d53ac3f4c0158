//! A line for a person at a terminal who waits: what for, and for how long yet. It is
//! rewritten in place, and gone when the wait is over, however it ends.

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

/// A wait that is shorter is not shown.
const SHORT: Duration = Duration::from_secs(1);

/// How often the line is looked after.
const TICK: Duration = Duration::from_millis(100);

/// Two waits for the same thing are one if no more lies between them.
const GAP: Duration = Duration::from_millis(200);

/// Looks up an environment variable; unset where no line may be shown.
static ENVIRONMENT: OnceLock<fn(&str) -> Option<OsString>> = OnceLock::new();

/// The wait that is under way, or was last.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

struct Last {
    what: String,
    start: Instant,
    /// `None` while it is under way.
    end: Option<Instant>,
}

fn last() -> MutexGuard<'static, Option<Last>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allows the lines, for a program with this environment.
pub fn allow(environment: fn(&str) -> Option<OsString>) {
    // A second program in one process does not exist.
    let _ = ENVIRONMENT.set(environment);
}

/// A wait, until it is dropped.
pub struct Wait(Option<(Sender<()>, JoinHandle<()>)>);

impl Wait {
    /// Starts a wait. Inside another wait it shows nothing.
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
        // Without a thread the wait is not seen.
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
        // It has cleared the line when it has ended.
        let _ = thread.join();
        if let Some(last) = &mut *last() {
            last.end = Some(Instant::now());
        }
    }
}

/// True if a person reads stderr, and wants to.
fn is_watched() -> bool {
    let Some(environment) = ENVIRONMENT.get() else {
        return false;
    };
    let is_off = environment("ZITADEL_CREDENTIAL_LOG").is_some_and(|level| level == "off");
    io::stderr().is_terminal() && !is_off && !is_json() && !is_ci(environment)
}

/// Shows the line until the wait is over.
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
