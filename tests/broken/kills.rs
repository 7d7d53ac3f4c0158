//! Processes that are killed at any moment: the next one succeeds, and their remains do
//! not accumulate.
//!
//! `ZITADEL_CREDENTIAL_LONG_TESTS=1` kills a thousand.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use rustix::process::Signal;

use crate::support::entry::only;
use crate::support::machine::has_time;
use crate::support::{Endpoint, Fault, Run, Running, World, binary, trace, until};

fn start(world: &World, arguments: &[&str]) -> Running {
    let mut command = world.home.command(binary());
    command.args(arguments);
    Running::start(command)
}

/// Returns stdout of a call, and asserts that stderr is empty.
fn token(world: &World, arguments: &[&str]) -> String {
    let output = start(world, arguments).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let token = String::from_utf8(output.stdout).unwrap();
    assert!(world.issuer.accepts(token.trim_end()), "{token}");
    token
}

fn duration_of_a_mint(world: &World) -> Duration {
    let start = Instant::now();
    token(world, &["token", "--refresh"]);
    start.elapsed()
}

/// Returns the key's directory in the cache.
fn directory(world: &World) -> PathBuf {
    only(&world.home).parent().unwrap().to_owned()
}

fn temporary(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_none() && path.is_file())
        .collect()
}

fn set_back(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn whenever_a_process_is_killed_the_next_one_succeeds() {
    let world = World::new();
    token(&world, &["token"]);
    let directory = directory(&world);
    // The quickest mint counts: after a slow one, the kill would be too late.
    let one = (0..5).map(|_| duration_of_a_mint(&world)).min().unwrap();

    let rounds = if has_time() { 1000 } else { 300 };
    let mut killed = 0;
    for _ in 0..rounds {
        let mut running = start(&world, &["token", "--refresh"]);
        thread::sleep(one.mul_f64(fastrand::f64()));
        killed += usize::from(!running.is_over());
        // Dropping it kills the process.
        drop(running);
        token(&world, &["token"]);
    }
    assert!(killed > rounds / 10, "{killed} of {rounds} were killed");

    let left = temporary(&directory);
    for path in &left {
        set_back(path, 61);
    }
    token(&world, &["token", "--refresh"]);
    assert!(temporary(&directory).is_empty(), "{left:?}");
}

#[test]
fn leftovers_of_killed_processes_are_removed_at_the_next_mint() {
    let world = World::new();
    token(&world, &["token"]);
    let directory = directory(&world);
    let names = ["left", "Live"].map(|name| format!(".zitadel-credential-{name:X<32}"));
    let [left, live] = names.map(|name| directory.join(name));
    for path in [&left, &live] {
        fs::write(path, "half an entry").unwrap();
    }
    set_back(&left, 61);
    token(&world, &["token"]);
    assert!(left.exists(), "the cached path looks for nothing");
    token(&world, &["token", "--refresh"]);
    assert!(!left.exists());
    assert!(live.exists(), "somebody is writing it");
}

#[test]
fn the_token_of_a_killed_agent_is_removed_by_the_next_write() {
    let world = World::new();
    let left = || {
        let entries = fs::read_dir(world.home.path().join("run")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let is_temporary = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(".zitadel-credential-")
        };
        paths.filter(is_temporary).collect::<Vec<_>>()
    };
    let live = format!("run/.zitadel-credential-{:X<32}", "Live");
    let live = world.home.write(&live, "a token that is being written");
    let kept = "run/.zitadel-credential-of-a-user";
    set_back(&world.home.write(kept, "their own"), 7200);
    let metrics = ["agent", "--once", "--metrics-file", "run/metrics"];
    for next in [
        ["agent", "--once", "--write", "run/token"],
        ["token", "--refresh", "--write", "run/other"],
        metrics,
    ] {
        // The first name is that of the note.
        let kill = "renameat:signal=KILL:when=2";
        let Some(mut killed) = trace::injecting(&world.home, kill) else {
            return;
        };
        killed.arg(binary()).args(["agent", "--once", "--no-cache"]);
        killed.args(["--write", "run/token"]).run();
        assert_eq!(left().len(), 3, "{next:?}");
        let others = [&live, &world.home.path().join(kept)];
        for path in left() {
            if !others.contains(&&path) {
                let token = fs::read_to_string(&path).unwrap();
                assert!(world.issuer.accepts(&token), "{token}");
                set_back(&path, 61);
            }
        }
        let mut command = world.home.command(binary());
        command.args(next);
        if next == metrics {
            command.args(["--write", "token"]);
        }
        let output = command.run();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(left().len(), 2, "{next:?}");
        assert!(live.exists(), "somebody is writing it");
    }
}

/// Starts a mint that waits for the issuer, which has its request.
fn under_way(world: &World, fault: Fault, mut command: Command) -> Running {
    let asked = world.issuer.token_requests();
    world.issuer.fault(Endpoint::Token, fault, 1);
    command.args(["token", "--refresh"]);
    let running = Running::start(command);
    until("it asks for a token", || {
        world.issuer.token_requests() > asked
    });
    running
}

/// Ctrl-C, or a tool that terminates its helpers, sends these.
#[test]
fn a_signal_in_the_middle_of_a_mint_leaves_the_cache_whole_and_the_lock_free() {
    let world = World::new();
    token(&world, &["token"]);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let before = fs::read(only(&world.home)).unwrap();
        let running = under_way(&world, Fault::Hang, world.home.command(binary()));
        running.signal(signal);
        let output = running.output();
        assert_eq!(output.status.signal(), Some(signal.as_raw()));
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
        assert_eq!(fs::read(only(&world.home)).unwrap(), before, "the entry");
        assert!(temporary(&directory(&world)).is_empty());
        // If the lock were still held, this call would wait longer.
        token(&world, &["token", "--refresh", "--timeout", "5"]);
    }
}

#[test]
fn a_reader_that_exits_during_a_mint_loses_no_token() {
    let world = World::new();
    token(&world, &["token"]);
    let fault = Fault::Delay(Duration::from_millis(300));
    let mut command = world.home.command("sh");
    // The shell's own end of the pipe is closed with it; head closes the other at once.
    command
        .args(["-c", "\"$0\" \"$@\" | head -c 0"])
        .arg(binary());
    let output = under_way(&world, fault, command).output();
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let minted = world.issuer.token_requests();
    let cached = token(&world, &["token"]);
    assert_eq!(world.issuer.token_requests(), minted, "it was kept");
    assert_eq!(
        world.issuer.issued_tokens().pop().as_deref(),
        Some(cached.trim_end())
    );
}
