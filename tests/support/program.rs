//! The clients' programs: found, run, and ended if they hang.
#![expect(
    clippy::disallowed_methods,
    reason = "where programs lie and whether this is CI stands in the environment"
)]
#![expect(
    clippy::panic,
    reason = "a client that is missing or hangs fails its test"
)]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use rustix::process::{Pid, Signal, kill_process_group};

/// Longer than the binary's own bound, so that its error is seen first.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first of that name on `PATH`. Where there is none the test says that it
/// is skipped, or fails in CI.
pub fn client(name: &str) -> Option<PathBuf> {
    clients(name).into_iter().next()
}

/// As [`client`], but all of them, each program once.
pub fn clients(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    for directory in env::split_paths(&path) {
        // `/bin` is often the same as `/usr/bin`
        let Ok(program) = directory.join(name).canonicalize() else {
            continue;
        };
        let mode = program
            .metadata()
            .map_or(0, |data| data.permissions().mode());
        if program.is_file() && mode & 0o111 != 0 && !found.contains(&program) {
            found.push(program);
        }
    }
    if found.is_empty() {
        missing(name);
    }
    found
}

/// The cargo that runs the tests: rustup's would look for its own home.
pub fn cargo() -> Option<PathBuf> {
    match env::var_os("CARGO") {
        Some(cargo) => Some(cargo.into()),
        None => client("cargo"),
    }
}

/// Path of a program that `tests/clients/install.sh` installs; `None` if it is missing.
pub fn installed(name: &str, program: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("clients").join(program);
    if program.is_file() {
        return Some(program);
    }
    skip_or_fail(name, "run tests/clients/install.sh");
    None
}

/// Says that a test is skipped, or fails it in CI.
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

/// Runs a program to its end.
pub fn output(command: Command) -> Output {
    output_of(command, b"")
}

/// Runs a program to its end with this on its stdin. One that hangs is ended,
/// with all that it started, and fails the test.
pub fn output_of(mut command: Command, input: &[u8]) -> Output {
    let name = command.get_program().to_owned();
    let mut child = command
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let group = Pid::from_child(&child);
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // One that does not want all of it closes its end.
        scope.spawn(move || drop(stdin.write_all(input)));
        let (sender, ended) = mpsc::channel();
        scope.spawn(move || sender.send(child.wait_with_output()));
        ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = kill_process_group(group, Signal::KILL);
            panic!("{} hangs", name.display())
        })
    })
    .unwrap()
}

/// What a program that must succeed wrote to stdout.
pub fn stdout_of_success(command: Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What a program that must fail wrote to stderr.
pub fn stderr_of_failure(command: Command) -> String {
    let output = output(command);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "it succeeds: {stdout}");
    stderr(&output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
