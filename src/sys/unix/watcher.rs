//! Our process beside each program that we run: it kills that program, with its
//! descendants, when we exit, for any reason.
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

/// The name (`argv[0]`) that makes this program a watcher: no argument that a tool passes
/// on can do so.
const NAME: &str = "zitadel-credential: watcher";

/// Time for a program to exit by itself: if git or kubectl is killed during a write, its
/// lock files stay and block its next call.
const GRACE: Duration = Duration::from_millis(500);

/// False in another program that uses this library: it cannot be run by that name.
static CAN_WATCH: AtomicBool = AtomicBool::new(false);

/// Becomes a watcher and returns true if the program's name requests that. Else allows
/// this process to start watchers.
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

/// A running watcher. When this is dropped, the watcher exits and its program continues.
pub struct Watcher(Child);

impl Watcher {
    /// Starts a watcher. `None` if this fails: the program then runs without one.
    pub fn start() -> Option<Self> {
        if !CAN_WATCH.load(Ordering::Relaxed) {
            return None;
        }
        let started = program().and_then(|program| {
            Command::new(program)
                .arg0(NAME)
                // The environment may contain a key.
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

    /// Makes a command join the watcher's group.
    pub fn lead(&self, command: &mut Command) {
        command.process_group(self.0.id().cast_signed());
    }

    /// Makes the watcher kill a program in another group with its descendants, not its
    /// own.
    pub fn watch(&mut self, program: &Child) {
        if let Some(pipe) = &mut self.0.stdin {
            let _ = writeln!(pipe, "{}", program.id());
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Must precede the closing of its pipe.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns this program's path.
#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns the path of this program, valid even after an update.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}
