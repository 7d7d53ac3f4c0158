//! Processes that are killed at any moment: the next one succeeds, and what
//! they leave behind does not pile up.
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
use crate::support::{Endpoint, Fault, Running, World, binary, until};

fn start(world: &World, arguments: &[&str]) -> Running {
    let mut command = world.home.command(binary());
    command.args(arguments);
    Running::start(command)
}

/// What a call answers that says nothing else.
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

/// The key's directory in the cache.
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
    // The quickest: one that the machine held up would be killed too late.
    let one = (0..5).map(|_| duration_of_a_mint(&world)).min().unwrap();

    let rounds = if has_time() { 1000 } else { 300 };
    let mut killed = 0;
    for _ in 0..rounds {
        let mut running = start(&world, &["token", "--refresh"]);
        thread::sleep(one.mul_f64(fastrand::f64()));
        killed += usize::from(!running.is_over());
        // That kills it.
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
fn what_killed_processes_leave_is_swept_at_the_next_mint() {
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

/// A mint that waits for the issuer, once it has been heard.
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

/// Ctrl-C, and a tool that ends its helpers.
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
        // Were the lock held, it would wait for longer.
        token(&world, &["token", "--refresh", "--timeout", "5"]);
    }
}

#[test]
fn a_reader_that_goes_in_the_middle_of_a_mint_costs_no_token() {
    let world = World::new();
    token(&world, &["token"]);
    let fault = Fault::Delay(Duration::from_millis(300));
    let mut command = world.home.command("sh");
    // The shell's own end goes with it; head closes the other at once.
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
