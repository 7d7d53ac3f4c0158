//! Signals: an end that is asked for, and a limit on the size of files.
//!
//! SIGTERM and SIGINT end an agent at once, whatever is under way. The system's own
//! default would do, but not in a container: it ends no process that is PID 1 there.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown};

/// Whether the handler ends the process itself.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Whether an end was asked for.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Set by a signal that nobody reads: to have a handler is all.
static TOO_LARGE: AtomicBool = AtomicBool::new(false);

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
        for signal in [SIGTERM, SIGINT] {
            let status = match self {
                Self::Done => 0,
                Self::CutOff => 128 + signal,
            };
            // For one that comes before the others are in place.
            register_conditional_shutdown(signal, status, &AT_ONCE)?;
            // A second one ends a step that hangs, on a dead network disk, say.
            register_conditional_shutdown(signal, status, &ASKED)?;
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
