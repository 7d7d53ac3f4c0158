//! Many processes that wait for one token: few requests, and a token for each, even if
//! the issuer or other processes fail.
//!
//! `ZITADEL_CREDENTIAL_LONG_TESTS=1` waits as long as the default timeout allows.

use std::fs::{self, File};
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::entry::{files, only};
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::machine::has_time;
use crate::support::patience::{patient, within};
use crate::support::{Running, World, binary, until};

/// Starts `token` with this timeout in seconds.
fn token(world: &World, timeout: u64) -> Running {
    let mut command = world.home.command(binary());
    command.args(["token", "--timeout", &timeout.to_string()]);
    Running::start(command)
}

/// Returns the token of a successful call.
fn answered(world: &World, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let token = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(world.issuer.accepts(token.trim_end()), "{token}");
    token
}

/// Starts `count` calls, asserts the token of each, and returns the number of lines on
/// stderr.
fn herd(world: &World, count: usize, timeout: u64) -> usize {
    let start = Instant::now();
    let running: Vec<_> = (0..count).map(|_| token(world, timeout)).collect();
    let mut lines = 0;
    for running in running {
        let output = running.output();
        answered(world, &output);
        lines += output.stderr.split(|byte| *byte == b'\n').count() - 1;
    }
    let most = Duration::from_secs(timeout + 10);
    within(start.elapsed(), most);
    lines
}

/// Returns the default timeout, or less, and this share of it.
fn times(share: f64) -> (u64, Duration) {
    let timeout = if has_time() { 30 } else { 12 };
    (timeout, Duration::from_secs(timeout).mul_f64(share))
}

#[test]
fn an_issuer_that_is_frozen_gets_three_requests_at_most() {
    patient(|| {
        let world = World::new();
        let (timeout, frozen) = times(0.73);
        // The issuer does not respond meanwhile.
        let freeze = Fault::edit(move |_| thread::sleep(frozen));
        world.issuer.fault(Endpoint::Discovery, freeze, 1);
        let warned = herd(&world, 60, timeout);
        let minted = world.issuer.token_requests();
        assert!((1..=3).contains(&minted), "{minted}");
        assert!(warned <= 2, "{warned}");
    });
}

#[test]
fn an_issuer_that_takes_two_thirds_of_the_timeout_gives_each_a_token() {
    patient(|| {
        let world = World::new();
        let (timeout, late) = times(0.66);
        world
            .issuer
            .fault(Endpoint::Token, Fault::Delay(late), Times::Forever);
        herd(&world, 40, timeout);
        let minted = world.issuer.token_requests();
        assert!((1..=3).contains(&minted), "{minted}");
    });
}

/// Starts a call whose request hangs, so that it has the lock.
fn hanging(world: &World, timeout: u64) -> Running {
    let asked = world.issuer.token_requests();
    let running = token(world, timeout);
    until("it asks", || world.issuer.token_requests() > asked);
    running
}

#[test]
fn a_third_process_mints_if_two_are_stopped() {
    patient(|| {
        let world = World::new();
        world.issuer.fault(Endpoint::Token, Fault::Hang, 2);
        let first = hanging(&world, 60);
        first.signal(Signal::STOP);
        let second = hanging(&world, 4);
        second.signal(Signal::STOP);
        let start = Instant::now();
        let others: Vec<_> = (0..5).map(|_| token(&world, 8)).collect();
        for other in others {
            answered(&world, &other.output());
        }
        // Three quarters of eight seconds, and the machine's delay.
        let took = start.elapsed();
        assert!(took > Duration::from_secs(5), "{took:?}");
        within(took, Duration::from_secs(10));
        assert_eq!(world.issuer.token_requests(), 3);
    });
}

#[test]
fn a_killed_second_process_makes_room_for_another() {
    let world = World::new();
    world.issuer.fault(Endpoint::Token, Fault::Hang, 2);
    let first = hanging(&world, 60);
    first.signal(Signal::STOP);
    let second = hanging(&world, 4);
    let others: Vec<_> = (0..3).map(|_| token(&world, 6)).collect();
    second.signal(Signal::KILL);
    drop(second);
    for other in others {
        answered(&world, &other.output());
    }
    assert_eq!(world.issuer.token_requests(), 3);
}

#[test]
fn a_lock_timeout_names_the_lock_and_is_temporary() {
    patient(|| {
        let world = World::new();
        answered(&world, &token(&world, 30).output());
        let lock = files(&world.home, "lock").remove(0);
        fs::remove_file(only(&world.home)).unwrap();
        let held = ["lock", "lock2", "lock3"].map(|extension| {
            let path = lock.with_extension(extension);
            let options = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path);
            let file = options.unwrap();
            fs2::FileExt::lock_exclusive(&file).unwrap();
            file
        });
        let start = Instant::now();
        let output = token(&world, 2).output();
        let took = start.elapsed();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(75), "{stderr}");
        assert!(stderr.contains("no token within 2 s"), "{stderr}");
        assert!(stderr.contains(lock.to_str().unwrap()), "{stderr}");
        within(took, Duration::from_secs(4));
        assert_eq!(world.issuer.token_requests(), 1);
        drop(held);
        answered(&world, &token(&world, 10).output());
        world
            .zitadel(["cache", "clear", "--key-id", &world.user.key_id])
            .assert()
            .success();
        for extension in ["json", "lock", "lock2", "lock3"] {
            assert!(files(&world.home, extension).is_empty(), "{extension}");
        }
    });
}
