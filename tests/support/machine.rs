//! What this machine lets a test do. What it does not let is skipped and said;
//! with `CI=true` nothing that root may do is skipped.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::command::Run;
use super::home::Home;

/// Somebody who is neither root nor us, and owns nothing.
pub const NOBODY: u32 = 65_534;

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// As [`is_root`], and says where a test is skipped for it.
pub fn is_root_or_skipped() -> bool {
    if !is_root() {
        eprintln!("skipped: only root can play two users");
    }
    is_root()
}

/// Whether a test that cannot run is a failure.
pub fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// Where a program on `PATH` lies; where no missing one is let pass, it must.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|directory| directory.join(name));
    let found = places.find(|place| place.is_file());
    assert!(found.is_some() || !is_ci(), "{name} is missing");
    found
}

/// Whether tests may take minutes.
pub fn has_time() -> bool {
    env::var_os("ZITADEL_CREDENTIAL_LONG_TESTS").is_some_and(|value| value == "1")
}

/// A command that runs behind mounts of its own: the shell script makes them
/// and then runs `"$@"`. None where namespaces are refused.
pub fn behind_mounts(home: &Home, script: &str) -> Option<Command> {
    // In a user namespace, others may be root as well.
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
