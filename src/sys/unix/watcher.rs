//! A process of our own beside each program that we run: it ends that program, with
//! all that it started, when we end, however we end.
//!
//! No system call does that for a whole group. The watcher leads the program's process
//! group, and reads a pipe whose other end only we have: at its end, we are gone.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group};

use super::group;

/// The name by which this program is called (`argv[0]`) to be a watcher: no argument
/// that a tool passes on can ask for it.
const NAME: &str = "zitadel-credential: watcher";

/// The time that a program has to end by itself: git and kubectl that are killed while
/// they write leave their lock files, which block their next call.
const GRACE: Duration = Duration::from_millis(500);

/// False in another program that uses this library: it cannot be called by that name.
static CAN_WATCH: AtomicBool = AtomicBool::new(false);

/// Becomes a watcher and returns true, if that is asked for by the program's name. Else
/// lets this process start watchers.
pub fn is_one(name: Option<&OsString>) -> bool {
    if name.map(OsString::as_os_str) != Some(OsStr::new(NAME)) {
        CAN_WATCH.store(true, Ordering::Relaxed);
        return false;
    }
    let mut text = String::new();
    let _ = io::stdin().read_to_string(&mut text);
    thread::sleep(GRACE);
    if let Ok(program) = text.trim().parse() {
        group::kill_tree(program);
    } else if getpid() == getpgrp() {
        let _ = kill_current_process_group(Signal::KILL);
    }
    true
}

/// A watcher that runs. When this is dropped, it ends and what it watches goes on.
pub struct Watcher(Child);

impl Watcher {
    /// Starts a watcher. `None` if it cannot be started: the program then runs without.
    pub fn start() -> Option<Self> {
        if !CAN_WATCH.load(Ordering::Relaxed) {
            return None;
        }
        let started = program().and_then(|program| {
            Command::new(program)
                .arg0(NAME)
                // A key may be there.
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
        });
        started
            .inspect_err(|error| log::debug!("no watcher: {error}"))
            .ok()
            .map(Self)
    }

    /// Returns the watcher's process, which leads its group.
    pub const fn process(&self) -> &Child {
        &self.0
    }

    /// Lets a command join the watcher's group.
    pub fn lead(&self, command: &mut Command) {
        command.process_group(self.0.id().cast_signed());
    }

    /// Has it end a program in another group with its descendants, not its own group.
    pub fn watch(&mut self, program: &Child) {
        if let Some(pipe) = &mut self.0.stdin {
            let _ = writeln!(pipe, "{}", program.id());
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Before its pipe is closed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns this program's path.
#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns the path that leads to this program even after an update.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}
