//! A program that we run, and its descendants: all are killed together, even when this
//! process ends.

use std::ffi::OsString;
use std::process::{Child, Command};

use super::group;
use super::watcher::{self, Watcher};
use crate::text::clock::Deadline;

/// Becomes a watcher and returns true if the program's name requests that. Else allows
/// this process to start watchers.
pub fn is_watcher(name: Option<&OsString>) -> bool {
    watcher::is_one(name)
}

/// One program and its descendants.
pub struct Children {
    watcher: Option<Watcher>,
    /// False if the program is in this process's own group.
    has_group: bool,
}

impl Children {
    /// Prepares a command before its start. One that may ask at the terminal stays in
    /// this process's group if there is a terminal: only the foreground process group may
    /// read there (termios(3)) and gets Ctrl-C.
    pub fn of(command: &mut Command, may_ask: bool) -> Self {
        let has_group = !(may_ask && group::has_terminal());
        let watcher = Watcher::start();
        match &watcher {
            Some(watcher) if has_group => watcher.lead(command),
            None if has_group => group::lead(command),
            _ => {}
        }
        Self { watcher, has_group }
    }

    /// Registers the command's process. Returns its group's leader; `None` if that group
    /// is this process's own.
    pub fn follow(&mut self, child: &Child) -> Option<Leader> {
        if let (Some(watcher), false) = (&mut self.watcher, self.has_group) {
            watcher.watch(child);
        }
        self.has_group.then(|| Leader(self.leader(child).id()))
    }

    /// Kills the child and its descendants, as far as the system lists them. The child
    /// must not have been reaped.
    pub fn kill(&self, child: &Child) {
        if self.has_group {
            group::kill(self.leader(child));
        } else {
            group::kill_tree(child.id().cast_signed());
        }
    }

    fn leader<'a>(&'a self, child: &'a Child) -> &'a Child {
        self.watcher.as_ref().map_or(child, Watcher::process)
    }
}

/// The leader of a process group.
pub struct Leader(u32);

impl Leader {
    /// Kills the group, and waits until it is gone.
    pub fn end(&self, patience: &Deadline) {
        group::end(self.0, patience);
    }
}
