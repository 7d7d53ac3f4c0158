//! The capabilities of this machine. A test that needs a missing one is skipped with a
//! message; with `CI=true`, nothing that root can do is skipped.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::command::Run;
use super::home::Home;

/// A user who is neither root nor us, and owns no files.
pub const NOBODY: u32 = 65_534;

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// As [`is_root`], and prints that the test is skipped if not root.
pub fn is_root_or_skipped() -> bool {
    if !is_root() {
        eprintln!("skipped: only root can play two users");
    }
    is_root()
}

/// True if a test that cannot run fails.
pub fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// Returns the path of a program on `PATH`; fails the test if it is missing and must not
/// be.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|directory| directory.join(name));
    let found = places.find(|place| place.is_file());
    assert!(found.is_some() || !is_ci(), "{name} is missing");
    found
}

/// True if tests may take minutes.
pub fn has_time() -> bool {
    env::var_os("ZITADEL_CREDENTIAL_LONG_TESTS").is_some_and(|value| value == "1")
}

/// Returns a command that runs behind its own mounts: the shell script makes them and
/// then runs `"$@"`. `None` if namespaces are refused.
pub fn behind_mounts(home: &Home, script: &str) -> Option<Command> {
    // In a user namespace, other users may be root as well.
    let flags = if is_root() { "-m" } else { "-rm" };
    let probe = Command::new("unshare")
        .args([flags, "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .run();
    if !probe.status.success() {
        assert!(!(is_ci() && is_root()), "root can mount nothing here");
        eprintln!("skipped: no mounts of one's own");
        return None;
    }
    let mut command = home.command("unshare");
    command.args([flags, "sh", "-ec", script, "sh"]);
    Some(command)
}
