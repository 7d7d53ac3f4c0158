//! A crash leaves no core file; the limits of child processes are unchanged.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Endpoint, Fault, Home, Running, Times, World, binary, until};

/// Returns a command that may write core files of any size into the home.
fn with_cores(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.command("sh");
    command.args(["-c", r#"ulimit -c unlimited && exec "$@""#, "sh"]);
    command.args(arguments);
    command
}

/// True if this machine writes core files.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn cores_are_written() -> bool {
    let home = Home::new();
    let crash = with_cores(&home, &["sh", "-c", "kill -ABRT $$"]);
    let is_written = Running::start(crash).output().status.core_dumped();
    if !is_written {
        eprintln!("skipped: no core files here (a hard limit, or core_pattern)");
    }
    is_written
}

#[test]
fn a_mint_that_crashes_leaves_no_core_file() {
    if !cores_are_written() {
        return;
    }
    let world = World::new();
    world
        .issuer
        .fault(Endpoint::Token, Fault::Hang, Times::Forever);
    let binary = binary();
    let mint = with_cores(&world.home, &[binary.to_str().unwrap(), "token"]);
    let mint = Running::start(mint);
    until("the assertion is sent", || {
        world.issuer.token_requests() == 1
    });
    mint.signal(Signal::ABORT);
    let status = mint.output().status;
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    let mut left = fs::read_dir(world.home.path()).unwrap();
    let is_core = |name: &str| name.starts_with("core");
    assert!(!left.any(|file| is_core(file.unwrap().file_name().to_str().unwrap())));
}

#[test]
fn a_program_of_exec_may_leave_a_core_file() {
    if !cores_are_written() {
        return;
    }
    let world = World::new();
    let binary = binary();
    let exec = [
        binary.to_str().unwrap(),
        "exec",
        "--",
        "sh",
        "-c",
        "kill -ABRT $$",
    ];
    let status = Running::start(with_cores(&world.home, &exec))
        .output()
        .status;
    assert!(status.core_dumped(), "{status}");
}

#[test]
fn a_key_command_may_leave_a_core_file() {
    if !cores_are_written() {
        return;
    }
    let world = World::new();
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"{}\"\nkey-command = [\"sh\", \"-c\", \"kill -ABRT $$\"]\n",
        world.issuer.url()
    ));
    let binary = binary();
    let token = with_cores(&world.home, &[binary.to_str().unwrap(), "token"]);
    let stderr = Running::start(token).output().stderr;
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(stderr.contains("SIGABRT) (core dumped)"), "{stderr}");
}
