//! Finds and runs other programs.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::running::Running;

/// Returns the first program of that name on `PATH`. If there is none, the test prints
/// that it is skipped, or fails in CI.
pub fn client(name: &str) -> Option<PathBuf> {
    clients(name).into_iter().next()
}

/// As [`client`], but returns all of them, each program once.
pub fn clients(name: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    // `/bin` is often the same as `/usr/bin`
    for program in on_path(name).filter_map(|program| program.canonicalize().ok()) {
        if !found.contains(&program) {
            found.push(program);
        }
    }
    if found.is_empty() {
        missing(name);
    }
    found
}

/// Returns the programs of that name on `PATH`, with their paths there.
pub fn on_path(name: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path).collect();
    directories.into_iter().filter_map(move |directory| {
        let program = directory.join(&name);
        let data = program.metadata().ok()?;
        (data.is_file() && data.permissions().mode() & 0o111 != 0).then_some(program)
    })
}

/// Returns the cargo that runs the tests: rustup's would need its own home.
pub fn cargo() -> Option<PathBuf> {
    match env::var_os("CARGO") {
        Some(cargo) => Some(cargo.into()),
        None => client("cargo"),
    }
}

/// Returns the path of a program that `tests/clients/install.sh` installs; `None` if it
/// is missing.
pub fn installed(name: &str, program: &str) -> Option<PathBuf> {
    // Cargo sets this for tests; the quickstart, an example, has no clients.
    let scratch = option_env!("CARGO_TARGET_TMPDIR")?;
    let target = Path::new(scratch).parent()?;
    let program = target.join("clients").join(program);
    if program.is_file() {
        return Some(program);
    }
    skip_or_fail(
        name,
        "install Go and Python, and run tests/clients/install.sh",
    );
    None
}

/// Prints that a test is skipped, or fails it in CI.
pub fn missing(what: &str) {
    let package = match what {
        "docker" => "docker-cli (docker.io)",
        "kubectl" => "kubectl (kubernetes-client)",
        "man" => "man-db",
        "script" => "bsdutils",
        "systemd-analyze" => "systemd",
        other => other,
    };
    skip_or_fail(what, &format!("install the package {package}"));
}

fn skip_or_fail(what: &str, remedy: &str) {
    let ci = env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!ci, "there is no {what}: {remedy}");
    eprintln!("skipped: no {what}");
}

/// Runs a program to its exit.
pub fn output(command: Command) -> Output {
    output_of(command, b"")
}

/// Runs a program with this stdin to its exit.
pub fn output_of(command: Command, input: &[u8]) -> Output {
    Running::start_with(command, input).output()
}

/// Returns the stdout of a program that must succeed.
pub fn stdout_of_success(command: Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the stderr of a program that must fail.
pub fn stderr_of_failure(command: Command) -> String {
    let output = output(command);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "it succeeds: {stdout}");
    stderr(&output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
