//! Signals to the agent, and its own signals.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::{AT_ONCE, agent, short_lived, stop};
use crate::support::machine::{is_root, is_root_or_skipped};
use crate::support::patience::{patient, within};
use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary, trace, until};

/// Runs an agent that hangs in its first request.
fn hanging(world: &World, mut command: Command) -> Running {
    command.stdin(Stdio::null());
    let asked = world.issuer.token_requests();
    let running = Running::start(command);
    until("it asks", || world.issuer.token_requests() > asked);
    running
}

#[test]
fn a_signal_ends_it_at_once_also_while_a_request_hangs() {
    patient(|| {
        let world = World::new();
        world
            .issuer
            .fault(Endpoint::Token, Fault::Hang, Times::Forever);
        assert_eq!(
            stop(hanging(&world, agent(&world, &["--write", "token"]))),
            ""
        );
        // An agent that has not done its one write does not report success.
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let once = hanging(&world, agent(&world, &["--once", "--write", "token"]));
            once.signal(signal);
            assert_eq!(once.output_within(AT_ONCE).status.code(), Some(code));
        }
    });
}

/// Returns the agent's child processes.
pub(super) fn children(pid: u32) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.unwrap_or_default();
    let pids = list.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.filter_map(Pid::from_raw).collect()
}

#[test]
fn a_signal_ends_it_as_pid_1_of_a_container_too() {
    patient(|| {
        let world = World::new();
        let flags = if is_root() { "-pf" } else { "-rpf" };
        let probe = world.home.command("unshare").args([flags, "true"]).run();
        if !probe.status.success() {
            assert!(!is_root(), "root can make no namespaces here");
            return;
        }
        world
            .issuer
            .fault(Endpoint::Token, Fault::Hang, Times::Forever);
        for signal in [Signal::TERM, Signal::INT] {
            let mut command = world.home.command("unshare");
            command.args([flags, "--mount-proc"]);
            command.arg(binary()).args(["agent", "--write", "token"]);
            let running = hanging(&world, command);
            let [first] = children(running.id())[..] else {
                panic!("one process");
            };
            let start = Instant::now();
            kill_process(first, signal).unwrap();
            assert_eq!(running.output().status.code(), Some(0));
            within(start.elapsed(), AT_ONCE);
        }
    });
}

/// A slow disk causes this.
#[test]
fn a_signal_in_the_middle_of_a_write_leaves_nothing_half_done() {
    let world = World::new();
    let run = world.home.path().join("run");
    fs::create_dir(&run).unwrap();
    let Some(_) = trace::watched(&world.home) else {
        return;
    };
    let mut command = world.home.command("strace");
    command.args(["-f", "-o", "calls", "-e", "trace=fchmod"]);
    command.args(["-e", "inject=fchmod:delay_exit=500ms"]);
    command.arg(binary());
    command.args(["agent", "--no-cache", "--write", "run/token"]);
    let running = Running::start(command);
    until("it writes", || fs::read_dir(&run).unwrap().count() == 1);
    let [traced] = children(running.id())[..] else {
        panic!("one process");
    };
    kill_process(traced, Signal::TERM).unwrap();
    assert_eq!(running.output().status.code(), Some(0));
    let left = fs::read_dir(&run).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".token.zitadel-credential.json", "token"]);
}

#[test]
fn a_process_gets_sighup_once_the_file_is_there() {
    let world = World::new();
    let mut reader = world.home.command("sh");
    reader.args([
        "-c",
        "trap 'cat token; exit' HUP; : > trap; while :; do sleep 0.01; done",
    ]);
    let reader = Running::start(reader);
    let trap = world.home.path().join("trap");
    until("its trap is in place", || trap.exists());
    let pid = reader.id().to_string();
    let running = Running::start(agent(&world, &["--write", "token", "--signal", &pid]));
    let token = String::from_utf8(reader.output().stdout).unwrap();
    assert!(world.issuer.accepts(&token), "{token:?}");
    stop(running);
}

/// A process with the ID of one that has exited.
const SAME_NUMBER: &str = r#"
    sleep 60 & first=$!
    "$ZITADEL" agent --write token --signal $first &
    wait $first || true
    while
        echo $((first - 1)) > /proc/sys/kernel/ns_last_pid
        sleep 60 & second=$!
        [ $second != $first ]
    do kill $second; done
    for renewal in 1 2; do
        cp token held
        while cmp -s token held; do sleep 0.05; done
    done
    kill -0 $second && echo "$((second - first))""#;

#[test]
fn another_process_of_the_same_number_gets_no_signal() {
    if !is_root_or_skipped() {
        return;
    }
    let world = short_lived();
    let mut command = world.home.command("unshare");
    command.args(["-pf", "--mount-proc", "sh", "-ec", SAME_NUMBER]);
    command.env("ZITADEL", binary());
    let output = Running::start(command).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"0\n", "{stderr}");
    assert!(
        stderr.contains("warning: --signal: no such process"),
        "{stderr}"
    );
}
