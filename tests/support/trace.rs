//! What a program asks of the system: its calls about files, sockets and other
//! programs, watched by strace.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::command::Run;
use super::home::Home;
use super::machine::is_ci;
use super::program::on_path;

/// A command whose calls are watched: the program and its arguments are added
/// to it. None where there is no strace.
pub fn watched(home: &Home) -> Option<Command> {
    let mut command = strace(home)?;
    command
        .args([
            "-f",
            // stops at what is watched alone
            "--seccomp-bpf",
            "-qq",
            "-s",
            "4096",
            "-e",
            "trace=%file,%network",
            "-o",
        ])
        .arg(log(home))
        .arg("--");
    Some(command)
}

/// A command in which strace injects faults, by its `-e inject=`. None where there is
/// no strace.
pub fn injecting(home: &Home, inject: &str) -> Option<Command> {
    let calls = inject.split(':').next().unwrap_or_default();
    let mut command = strace(home)?;
    command
        .args(["-f", "-qq", "-o", "/dev/null"])
        .args(["-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={inject}")])
        .arg("--");
    Some(command)
}

/// True if there is no strace here.
pub fn is_missing() -> bool {
    on_path("strace").next().is_none()
}

fn strace(home: &Home) -> Option<Command> {
    if is_missing() {
        assert!(
            !is_ci(),
            "there is no strace: install the package of that name"
        );
        eprintln!("skipped: no strace");
        return None;
    }
    Some(home.command("strace"))
}

fn log(home: &Home) -> PathBuf {
    home.path().join("strace.log")
}

/// How a watched program ended, and what it asked for until then.
pub struct Seen {
    pub output: Output,
    calls: String,
}

impl Seen {
    /// Runs a command that [`watched`] began, with this on its stdin.
    pub fn of(home: &Home, command: Command, input: &[u8]) -> Self {
        let output = command.run_with(input);
        let calls = home.read("strace.log");
        assert!(calls.contains("execve("), "strace saw nothing: {calls}");
        Self { output, calls }
    }

    /// The calls that name this path or anything below it.
    pub fn on(&self, path: &Path) -> Vec<&str> {
        let path = path.to_str().unwrap();
        self.calls_with(|call| call.contains(path))
    }

    /// The calls that have to do with a socket.
    pub fn on_sockets(&self) -> Vec<&str> {
        self.calls_with(|call| {
            ["socket(", "connect(", "sendto("]
                .iter()
                .any(|name| call.contains(name))
        })
    }

    /// The calls that start a program: the first one is its own start.
    pub fn starts(&self) -> Vec<&str> {
        self.calls_with(|call| call.contains("execve("))
    }

    fn calls_with(&self, is_it: impl Fn(&str) -> bool) -> Vec<&str> {
        self.calls.lines().filter(|call| is_it(call)).collect()
    }
}
