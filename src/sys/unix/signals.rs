//! Signals: an end that is asked for, and a limit on the size of files.
//!
//! SIGTERM and SIGINT end an agent at once, whatever is under way. The system's own
//! default would do, but not in a container: it ends no process that is PID 1 there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown, register_usize};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, raise};

/// Whether the handler ends the process itself.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Whether an end was asked for.
static ASKED: AtomicBool = AtomicBool::new(false);

/// The signal that asked for it.
static ASKED_BY: AtomicUsize = AtomicUsize::new(0);

/// Whether [`Ending::on_signals`] was called.
static IS_HANDLED: AtomicBool = AtomicBool::new(false);

/// Set by a signal that nobody reads: to have a handler is all.
static TOO_LARGE: AtomicBool = AtomicBool::new(false);

/// Held while an end has to wait.
static UNBROKEN: Mutex<()> = Mutex::new(());

/// What is done before an end that [`clean_up_first`] sees.
static CLEAN_UPS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

fn clean_ups() -> MutexGuard<'static, Vec<fn()>> {
    CLEAN_UPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has SIGINT, SIGTERM and SIGHUP clean up before they end the process as they would
/// anyway. One that is ignored (`nohup`) stays so.
///
/// # Errors
/// The system's own reason.
pub fn clean_up_first(clean_up: fn()) -> io::Result<()> {
    let mut all = clean_ups();
    let is_first = all.is_empty();
    all.push(clean_up);
    drop(all);
    if !is_first {
        return Ok(());
    }
    let ignored = ignored();
    let ending = [SIGHUP, SIGINT, SIGTERM].into_iter();
    let mut signals = Signals::new(ending.filter(|signal| ignored & (1 << (signal - 1)) == 0))?;
    thread::Builder::new().spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _unbroken = unbroken();
            clean_ups().iter().for_each(|clean_up| clean_up());
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

/// Has an end by a signal wait for `clean_up` from now on. An agent's end waits for
/// [`end_if_asked`] instead.
///
/// # Errors
/// The system's own reason.
pub fn delay_end(clean_up: fn()) -> io::Result<()> {
    if IS_HANDLED.load(Ordering::SeqCst) {
        AT_ONCE.store(false, Ordering::SeqCst);
        return Ok(());
    }
    if clean_ups()
        .iter()
        .any(|known| std::ptr::fn_addr_eq(*known, clean_up))
    {
        return Ok(());
    }
    clean_up_first(clean_up)
}

/// Ends an agent that was asked to end since [`delay_end`], and lets it end at once from
/// now on.
pub fn end_if_asked() {
    AT_ONCE.store(true, Ordering::SeqCst);
    if asked() {
        let signal = ASKED_BY.load(Ordering::SeqCst);
        let _ = raise(i32::try_from(signal).unwrap_or(SIGTERM));
    }
}

/// Has an end that [`clean_up_first`] sees wait until this is dropped.
pub fn unbroken() -> MutexGuard<'static, ()> {
    UNBROKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the set of ignored signals, as Linux tells it; elsewhere it is empty.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or_default()
}

/// Keeps a write past `ulimit -f` from ending this process with SIGXFSZ, and a fresh
/// token with it: the write fails with EFBIG instead. Programs that this one runs
/// still get the signal: exec resets a handler, where it would hand on `SIG_IGN`.
///
/// # Errors
/// The system's own reason.
pub fn survive_file_limit() -> io::Result<()> {
    register(SIGXFSZ, &TOO_LARGE).map(drop)
}

/// How the process ends when it is asked to.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Exit code 0: a signal is how an agent is stopped.
    Done,
    /// Exit code 128 + signal, as in a shell: the work was not done.
    CutOff,
}

impl Ending {
    /// Installs the handlers.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn on_signals(self) -> io::Result<()> {
        IS_HANDLED.store(true, Ordering::SeqCst);
        for signal in [SIGTERM, SIGINT] {
            let status = match self {
                Self::Done => 0,
                Self::CutOff => 128 + signal,
            };
            // For one that comes before the others are in place.
            register_conditional_shutdown(signal, status, &AT_ONCE)?;
            // A second one ends a step that hangs, on a dead network disk, say.
            register_conditional_shutdown(signal, status, &ASKED)?;
            register_usize(signal, &ASKED_BY, signal.unsigned_abs() as usize)?;
            register(signal, &ASKED)?;
            register_conditional_shutdown(signal, status, &AT_ONCE)?;
        }
        Ok(())
    }
}

/// Runs a short step that must not be interrupted: an end that is asked for
/// meanwhile waits for it, and then for the caller of [`asked`].
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    AT_ONCE.store(false, Ordering::SeqCst);
    let outcome = step();
    // From here on the handler ends the process; until here it left a note.
    AT_ONCE.store(true, Ordering::SeqCst);
    outcome
}

/// Returns true if an end was asked for that is yet to come.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
