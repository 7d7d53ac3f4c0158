//! SIGTERM and SIGINT: the end, at once, whatever is under way.
//!
//! The system's own default would do, but not in a container: it ends no process
//! that is PID 1 there.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// Whether the handler ends the process itself.
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Whether an end was asked for.
static ASKED: AtomicBool = AtomicBool::new(false);

/// How the process ends when it is asked to.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Exit code 0: that is how one who stays is stopped.
    Done,
    /// As shells tell of a signal: what was to be done was not.
    CutOff,
}

impl Ending {
    /// Puts the handlers in place.
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

/// A short step that leaves something behind where it is cut: an end that is asked
/// for meanwhile waits for it, and then for who calls [`asked`].
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    AT_ONCE.store(false, Ordering::SeqCst);
    let outcome = step();
    // From here on the handler ends the process; until here it left a note.
    AT_ONCE.store(true, Ordering::SeqCst);
    outcome
}

/// Whether an end was asked for that is yet to come.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
