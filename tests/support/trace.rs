//! The system calls of a program about files, sockets and other programs, traced by
//! strace.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::command::Run;
use super::home::Home;
use super::machine::is_ci;
use super::program::on_path;

/// Returns a traced command, to which the program and its arguments are added; `None`
/// without strace.
pub fn watched(home: &Home) -> Option<Command> {
    let mut command = strace(home)?;
    command
        .args([
            "-f",
            // stops only at the traced calls
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

/// Returns a command in which strace injects faults, by its `-e inject=`; `None` without
/// strace.
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

/// The result of a traced program, and its system calls.
pub struct Seen {
    pub output: Output,
    calls: String,
}

impl Seen {
    /// Runs a command from [`watched`], with this stdin.
    pub fn of(home: &Home, command: Command, input: &[u8]) -> Self {
        let output = command.run_with(input);
        let calls = home.read("strace.log");
        assert!(calls.contains("execve("), "strace saw nothing: {calls}");
        Self { output, calls }
    }

    /// Returns the calls that name this path or a path below it.
    pub fn on(&self, path: &Path) -> Vec<&str> {
        let path = path.to_str().unwrap();
        self.calls_with(|call| call.contains(path))
    }

    /// Returns the calls about sockets.
    pub fn on_sockets(&self) -> Vec<&str> {
        self.calls_with(|call| {
            ["socket(", "connect(", "sendto("]
                .iter()
                .any(|name| call.contains(name))
        })
    }

    /// Returns the calls that start a program: the first one is its own start.
    pub fn starts(&self) -> Vec<&str> {
        self.calls_with(|call| call.contains("execve("))
    }

    fn calls_with(&self, is_it: impl Fn(&str) -> bool) -> Vec<&str> {
        self.calls.lines().filter(|call| is_it(call)).collect()
    }
}
