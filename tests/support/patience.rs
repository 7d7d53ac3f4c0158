//! Bounds of a wait, on a machine that may stall for seconds.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

/// The beginning of the message of [`in_time`].
const LATE: &str = "too late: ";

/// Asserts that something happened in time; for example, that a screen showed a line which
/// stays for a moment.
#[track_caller]
pub fn in_time(is_in_time: bool, what: &str) {
    assert!(is_in_time, "{LATE}{what}");
}

/// Asserts that something took less than `limit`.
#[track_caller]
pub fn within(took: Duration, limit: Duration) {
    in_time(took < limit, &format!("{took:?} of {limit:?}"));
}

/// Asserts that an agent's stderr tells of no token that expired before its renewal: one that
/// lives for seconds can.
#[track_caller]
pub fn renewed_in_time(stderr: &str) {
    in_time(!stderr.contains("the token in the files expires"), stderr);
}

/// Runs a test, and once or twice more if [`in_time`] failed. A disk that writes a build, or a
/// host that pauses the machine, delays one run by seconds; a fault delays each.
pub fn patient(test: impl Fn()) {
    for _ in 0..2 {
        let Err(panic) = catch_unwind(AssertUnwindSafe(&test)) else {
            return;
        };
        let message = panic.downcast_ref::<String>();
        if !message.is_some_and(|message| message.starts_with(LATE)) {
            resume_unwind(panic);
        }
    }
    test();
}
