//! Process groups: a child that is ended with all that it started.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::text::clock::Deadline;

/// Lets a command lead a group of its own, so that [`kill`] ends it whole.
pub fn lead(command: &mut Command) {
    command.process_group(0);
}

/// Kills a child that leads a group, and all that it started. It must not have been
/// reaped: until then its ID is no other's.
pub fn kill(child: &Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Kills the group that a child leads, and waits until none of it is left.
pub fn end(leader: u32, patience: &Deadline) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else {
        return;
    };
    while kill_process_group(group, Signal::KILL).is_ok() && !patience.remaining().is_zero() {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns true if this process has a terminal. Only the group in its foreground can
/// read there.
pub fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
