//! Termination requests: Ctrl-C, Ctrl-Break, a console that is closed.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The exit code of a program that Ctrl-C terminates: `STATUS_CONTROL_C_EXIT`.
const CONTROL_C: i32 = -1_073_741_510;

/// The exit code of an agent whose work is incomplete, as after SIGINT.
const CUT_OFF: i32 = 130;

/// The action on Ctrl-C.
static MODE: AtomicU8 = AtomicU8::new(CLEAN_UP);
const CLEAN_UP: u8 = 0;
const DONE: u8 = 1;
const CUT: u8 = 2;
const NOTHING: u8 = 3;

/// True if an agent terminates at once.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// True if termination was requested.
static ASKED: AtomicBool = AtomicBool::new(false);

/// True if the handler is installed.
static IS_HANDLED: Mutex<bool> = Mutex::new(false);

/// Locked while termination must wait.
static UNBROKEN: Mutex<()> = Mutex::new(());

/// Functions to run before termination.
static CLEAN_UPS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn handle() -> io::Result<()> {
    let mut is_handled = locked(&IS_HANDLED);
    if !*is_handled {
        ctrlc::set_handler(on_end).map_err(io::Error::other)?;
        *is_handled = true;
    }
    Ok(())
}

/// Runs on a separate thread.
fn on_end() {
    match MODE.load(Ordering::SeqCst) {
        NOTHING => {}
        CLEAN_UP => {
            let _unbroken = unbroken();
            locked(&CLEAN_UPS).iter().for_each(|clean_up| clean_up());
            exit(CONTROL_C);
        }
        mode => {
            // A second request ends a step that hangs, such as on a dead network disk.
            let is_again = ASKED.swap(true, Ordering::SeqCst);
            if is_again || AT_ONCE.load(Ordering::SeqCst) {
                exit(code(mode));
            }
        }
    }
}

const fn code(mode: u8) -> i32 {
    if mode == DONE { 0 } else { CUT_OFF }
}

#[expect(clippy::disallowed_methods, reason = "as a signal's handler does")]
fn exit(code: i32) -> ! {
    process::exit(code)
}

/// Makes Ctrl-C clean up before it terminates the process.
///
/// # Errors
/// The operating system's error.
pub fn clean_up_first(clean_up: fn()) -> io::Result<()> {
    locked(&CLEAN_UPS).push(clean_up);
    handle()
}

/// Makes Ctrl-C run `clean_up` before it ends the process, from now on. An agent's
/// termination waits for [`end_if_asked`] instead.
///
/// # Errors
/// The operating system's error.
pub fn delay_end(clean_up: fn()) -> io::Result<()> {
    if MODE.load(Ordering::SeqCst) != CLEAN_UP {
        AT_ONCE.store(false, Ordering::SeqCst);
        return Ok(());
    }
    let is_known = |known: &fn()| std::ptr::fn_addr_eq(*known, clean_up);
    if locked(&CLEAN_UPS).iter().any(is_known) {
        return Ok(());
    }
    clean_up_first(clean_up)
}

/// Ends an agent that was asked to terminate since [`delay_end`], or during [`whole`].
/// From now on, a request ends it at once.
pub fn end_if_asked() {
    AT_ONCE.store(true, Ordering::SeqCst);
    if asked() {
        exit(code(MODE.load(Ordering::SeqCst)));
    }
}

/// Delays a termination that [`clean_up_first`] handles until the guard is dropped.
pub fn unbroken() -> MutexGuard<'static, ()> {
    locked(&UNBROKEN)
}

/// Makes Ctrl-C terminate the program that runs in place of this one, but not this one.
pub(super) fn leave_to_child() {
    MODE.store(NOTHING, Ordering::SeqCst);
    if let Err(error) = handle() {
        log::debug!("Ctrl-C ends this process too: {error}");
    }
}

/// Does nothing: here no limit on file sizes ends a process.
///
/// # Errors
/// Never fails.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub const fn survive_file_limit() -> io::Result<()> {
    Ok(())
}

/// The exit status of the process after a request to terminate.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Exit code 0: Ctrl-C is the usual way to stop an agent.
    Done,
    /// Exit code 130, as in a shell: the work is incomplete.
    CutOff,
}

impl Ending {
    /// Installs the handler.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn on_signals(self) -> io::Result<()> {
        let mode = match self {
            Self::Done => DONE,
            Self::CutOff => CUT,
        };
        MODE.store(mode, Ordering::SeqCst);
        handle()
    }
}

/// Runs a short step that must not be interrupted: a request to terminate meanwhile waits
/// for it, and then for the caller of [`asked`] or [`end_if_asked`].
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    AT_ONCE.store(false, Ordering::SeqCst);
    let outcome = step();
    AT_ONCE.store(true, Ordering::SeqCst);
    outcome
}

/// Returns true if termination was requested and has not happened yet.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
