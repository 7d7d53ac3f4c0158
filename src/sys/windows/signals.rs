//! An end that is asked for: by Ctrl-C, Ctrl-Break, a console that is closed.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The exit code of a program that Ctrl-C ends: `STATUS_CONTROL_C_EXIT`.
const CONTROL_C: i32 = -1_073_741_510;

/// What an agent whose work was not done exits with, as after SIGINT.
const CUT_OFF: i32 = 130;

/// What Ctrl-C does.
static MODE: AtomicU8 = AtomicU8::new(CLEAN_UP);
const CLEAN_UP: u8 = 0;
const DONE: u8 = 1;
const CUT: u8 = 2;
const NOTHING: u8 = 3;

/// Whether an agent ends at once.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Whether an end was asked for.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether the handler is installed.
static IS_HANDLED: Mutex<bool> = Mutex::new(false);

/// Held while an end has to wait.
static UNBROKEN: Mutex<()> = Mutex::new(());

/// What is done before an end.
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

/// Runs on a thread of its own.
fn on_end() {
    match MODE.load(Ordering::SeqCst) {
        NOTHING => {}
        CLEAN_UP => {
            let _unbroken = unbroken();
            locked(&CLEAN_UPS).iter().for_each(|clean_up| clean_up());
            exit(CONTROL_C);
        }
        mode => {
            // A second one ends a step that hangs, on a dead network disk, say.
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

/// Has an end by Ctrl-C clean up first.
///
/// # Errors
/// The system's own reason.
pub fn clean_up_first(clean_up: fn()) -> io::Result<()> {
    locked(&CLEAN_UPS).push(clean_up);
    handle()
}

/// Has an end wait for `clean_up` from now on. An agent's end waits for [`end_if_asked`]
/// instead.
///
/// # Errors
/// The system's own reason.
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

/// Ends an agent that was asked to end since [`delay_end`], and lets it end at once from
/// now on.
pub fn end_if_asked() {
    AT_ONCE.store(true, Ordering::SeqCst);
    if asked() {
        exit(code(MODE.load(Ordering::SeqCst)));
    }
}

/// Has an end that [`clean_up_first`] sees wait until this is dropped.
pub fn unbroken() -> MutexGuard<'static, ()> {
    locked(&UNBROKEN)
}

/// Lets Ctrl-C end the program that this one runs in its place, and not this one.
pub(super) fn leave_to_child() {
    MODE.store(NOTHING, Ordering::SeqCst);
    if let Err(error) = handle() {
        log::debug!("Ctrl-C ends this process too: {error}");
    }
}

/// Does nothing: no limit on the size of files ends a process.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub const fn survive_file_limit() -> io::Result<()> {
    Ok(())
}

/// How the process ends when it is asked to.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Exit code 0: Ctrl-C is how an agent is stopped.
    Done,
    /// Exit code 130, as in a shell: the work was not done.
    CutOff,
}

impl Ending {
    /// Installs the handler.
    ///
    /// # Errors
    /// The system's own reason.
    pub fn on_signals(self) -> io::Result<()> {
        let mode = match self {
            Self::Done => DONE,
            Self::CutOff => CUT,
        };
        MODE.store(mode, Ordering::SeqCst);
        handle()
    }
}

/// Runs a short step that must not be interrupted: an end that is asked for
/// meanwhile waits for it, and then for the caller of [`asked`].
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    AT_ONCE.store(false, Ordering::SeqCst);
    let outcome = step();
    AT_ONCE.store(true, Ordering::SeqCst);
    outcome
}

/// Returns true if an end was asked for that is yet to come.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
