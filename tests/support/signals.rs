//! The signal settings that the tests' programs inherit.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use rustix::process::Signal;

/// Signals that end a program, and that a shell ignores for its children: `nohup` the
/// first, `&` in a script the next two.
const ENDING: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

/// Makes programs that are started from now on begin with each signal's default.
///
/// An ignored signal stays ignored across exec, and a shell's trap of it has no effect: a
/// test that sends the signal would wait for ever. A signal with a handler returns to its
/// default at exec, so each ignored signal gets a handler that does nothing, and still
/// has no effect here.
pub fn let_children_have_the_default() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in ENDING.map(Signal::as_raw) {
            if ignored() & (1 << (signal - 1)) != 0 {
                let never_read = Arc::new(AtomicBool::new(false));
                signal_hook::flag::register(signal, never_read).unwrap();
            }
        }
    });
}

/// Returns the set of ignored signals, if the system shows it (`proc_pid_status(5)`).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    set.map_or(0, |set| u64::from_str_radix(set.trim(), 16).unwrap())
}
