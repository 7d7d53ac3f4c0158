//! Replaces this process by another program, and protects its memory.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::status::Status;
use crate::sys::environment::Environment;

/// Search path for programs without a `PATH`: the default of the C libraries.
pub const USUAL_PATH: &str = "/bin:/usr/bin";

/// Returns the file that a shell runs for this path.
pub fn with_ending(path: &Path, _: &Environment) -> Option<PathBuf> {
    Status::of(path)
        .is_ok_and(|status| status.is_program())
        .then(|| path.to_owned())
}

/// Replaces this process by the command. Its signal handlers go with it: exec resets a
/// handled signal to its default, but not an ignored one.
///
/// Returns only if that fails, with the operating system's error.
pub fn exec(command: &mut Command) -> io::Error {
    command.exec()
}

/// Sets the name of the command (`argv[0]`), independent of its file name.
pub fn set_name(command: &mut Command, name: &str) {
    command.arg0(name);
}

/// Forbids core dumps of this process, and debuggers of this user's other programs. A
/// command that is run starts without the restriction (execve(2)).
pub fn forbid_core_dumps() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
