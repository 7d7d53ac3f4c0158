//! Signals: termination requests, and the limit on file sizes.
//!
//! SIGTERM and SIGINT terminate an agent at once, during any step. The system's default
//! would do, but not in a container: it does not terminate PID 1.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown, register_usize};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, raise};

/// True if the handler terminates the process itself.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// True if termination was requested.
static ASKED: AtomicBool = AtomicBool::new(false);

/// The signal that requested it.
static ASKED_BY: AtomicUsize = AtomicUsize::new(0);

/// True if [`Ending::on_signals`] was called.
static IS_HANDLED: AtomicBool = AtomicBool::new(false);

/// Set by a signal and never read: only the handler is needed.
static TOO_LARGE: AtomicBool = AtomicBool::new(false);

/// Locked while termination must wait.
static UNBROKEN: Mutex<()> = Mutex::new(());

/// Functions to run before a termination that [`clean_up_first`] handles.
static CLEAN_UPS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

fn clean_ups() -> MutexGuard<'static, Vec<fn()>> {
    CLEAN_UPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes SIGINT, SIGTERM and SIGHUP clean up before they terminate the process as usual.
/// An ignored one (`nohup`) stays ignored.
///
/// # Errors
/// The operating system's error.
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

/// Makes a signal run `clean_up` before it ends the process, from now on. An agent's
/// termination waits for [`end_if_asked`] instead.
///
/// # Errors
/// The operating system's error.
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

/// Ends an agent that was asked to terminate since [`delay_end`], or during [`whole`].
/// From now on, a request ends it at once.
pub fn end_if_asked() {
    AT_ONCE.store(true, Ordering::SeqCst);
    if asked() {
        let signal = ASKED_BY.load(Ordering::SeqCst);
        let _ = raise(i32::try_from(signal).unwrap_or(SIGTERM));
    }
}

/// Delays a termination that [`clean_up_first`] handles until the guard is dropped.
pub fn unbroken() -> MutexGuard<'static, ()> {
    UNBROKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the set of ignored signals on Linux; elsewhere it is empty.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .unwrap_or_default()
}

/// Prevents SIGXFSZ from ending this process, and losing a fresh token, on a write past
/// `ulimit -f`: the write fails with EFBIG instead. Child programs still get the signal:
/// exec resets a handler, but would pass on `SIG_IGN`.
///
/// # Errors
/// The operating system's error.
pub fn survive_file_limit() -> io::Result<()> {
    register(SIGXFSZ, &TOO_LARGE).map(drop)
}

/// The exit status of the process after a request to terminate.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Exit code 0: a signal is the usual way to stop an agent.
    Done,
    /// Exit code 128 + signal, as in a shell: the work is incomplete.
    CutOff,
}

impl Ending {
    /// Installs the handlers.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn on_signals(self) -> io::Result<()> {
        IS_HANDLED.store(true, Ordering::SeqCst);
        for signal in [SIGTERM, SIGINT] {
            let status = match self {
                Self::Done => 0,
                Self::CutOff => 128 + signal,
            };
            // For a signal that arrives before the other handlers are installed.
            register_conditional_shutdown(signal, status, &AT_ONCE)?;
            // A second request ends a step that hangs, such as on a dead network disk.
            register_conditional_shutdown(signal, status, &ASKED)?;
            register_usize(signal, &ASKED_BY, signal.unsigned_abs() as usize)?;
            register(signal, &ASKED)?;
            register_conditional_shutdown(signal, status, &AT_ONCE)?;
        }
        Ok(())
    }
}

/// Runs a short step that must not be interrupted: a request to terminate meanwhile waits
/// for it, and then for the caller of [`asked`] or [`end_if_asked`].
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    AT_ONCE.store(false, Ordering::SeqCst);
    let outcome = step();
    // From here on the handler ends the process; before, it only set a flag.
    AT_ONCE.store(true, Ordering::SeqCst);
    outcome
}

/// Returns true if termination was requested and has not happened yet.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
