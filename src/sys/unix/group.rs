//! Process groups: a child is killed with its descendants.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::parent;
use crate::text::clock::Deadline;

/// Makes a command lead a separate group, so that [`kill`] kills the whole group.
pub fn lead(command: &mut Command) {
    command.process_group(0);
}

/// Kills a child that leads a group, and its descendants. The child must not have been
/// reaped: until then no other process has its ID.
pub fn kill(child: &Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Kills the group that a child leads, and waits until it is gone.
pub fn end(leader: u32, patience: &Deadline) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else {
        return;
    };
    while kill_process_group(group, Signal::KILL).is_ok() && !patience.remaining().is_zero() {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Kills a program and its descendants, as far as the system lists them.
pub fn kill_tree(program: i32) {
    let mut tree = vec![program];
    let parents = parent::parents();
    let mut looked_at = 0;
    while let Some(&above) = tree.get(looked_at) {
        let children = parents.iter().filter(|(_, parent)| *parent == above);
        tree.extend(children.map(|(child, _)| *child));
        looked_at += 1;
    }
    for pid in tree.into_iter().filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Returns true if this process has a terminal. Only its foreground group can read there.
pub fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
