//! Many processes at once: one mints, no process waits in vain, and whatever happens to
//! the lock's holder, the others get a token.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::entry::{age, files, only};
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::patience::{patient, within};
use crate::support::{Running, World, binary, until};

/// The commands that return a token.
#[derive(Clone, Copy, Debug)]
enum Helper {
    Token,
    Kubectl,
    Git,
    Docker,
    Exec,
}

const HELPERS: [Helper; 5] = [
    Helper::Token,
    Helper::Kubectl,
    Helper::Git,
    Helper::Docker,
    Helper::Exec,
];

impl Helper {
    fn ask(self, world: &World) -> Running {
        let print = "printf %s \"$ZITADEL_ACCESS_TOKEN\"";
        let (arguments, input): (&[&str], _) = match self {
            Self::Token => (&["token"], ""),
            Self::Kubectl => (&["kubectl"], ""),
            Self::Git => (&["git", "get"], "protocol=https\nhost=git.acme.dev\n\n"),
            Self::Docker => (&["docker", "get"], "git.acme.dev"),
            Self::Exec => (&["exec", "--", "sh", "-c", print], ""),
        };
        Running::start_with(command(world, arguments), input)
    }

    /// Returns the token in the output.
    fn token(self, output: &Output) -> String {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && stderr.is_empty(),
            "{self:?}: {stderr}"
        );
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        let json = || serde_json::from_str::<Value>(&stdout).unwrap();
        match self {
            Self::Token => stdout.trim_end().to_owned(),
            Self::Kubectl => json()["status"]["token"].as_str().unwrap().to_owned(),
            Self::Git => {
                let mut lines = stdout.lines();
                let password = lines.find_map(|line| line.strip_prefix("password="));
                password.unwrap().to_owned()
            }
            Self::Docker => json()["Secret"].as_str().unwrap().to_owned(),
            Self::Exec => stdout,
        }
    }
}

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.home.command(binary());
    command.args(arguments);
    command
}

/// Starts `token` with these options.
fn token(world: &World, options: &[&str]) -> Running {
    Running::start(command(world, &[&["token"], options].concat()))
}

/// Returns a call's token, and asserts that stderr is empty.
fn answered(running: Running) -> String {
    Helper::Token.token(&running.output())
}

fn world() -> World {
    let world = World::new();
    world.allow("git.acme.dev");
    world
}

/// Returns a world whose cached token is in its refresh window.
fn in_the_refresh_window() -> (World, String) {
    with_seconds_left(300)
}

fn with_seconds_left(seconds: i64) -> (World, String) {
    let world = world();
    let old = answered(token(&world, &[]));
    age(&only(&world.home), 43_199 - seconds);
    (world, old)
}

/// Starts the lock's holder: the issuer has its request, and is silent.
fn holder(world: &World) -> Running {
    let requests = world.issuer.token_requests();
    world.issuer.fault(Endpoint::Token, Fault::Hang, 1);
    let holder = token(world, &[]);
    until("the holder asks", || {
        world.issuer.token_requests() > requests
    });
    holder
}

#[test]
fn two_hundred_of_all_helpers_on_an_empty_cache_make_one_token_request() {
    let world = world();
    let delay = Fault::Delay(Duration::from_millis(500));
    world.issuer.fault(Endpoint::Token, delay, 1);
    let helpers = || HELPERS.into_iter().cycle().take(200);
    let running: Vec<_> = helpers().map(|helper| helper.ask(&world)).collect();
    for (helper, running) in helpers().zip(running) {
        let token = helper.token(&running.output());
        assert_eq!([token], world.issuer.issued_tokens()[..], "{helper:?}");
    }
    assert_eq!(world.issuer.token_requests(), 1);
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 1);
}

#[test]
fn a_hundred_in_the_refresh_window_make_one_token_request() {
    let (world, old) = in_the_refresh_window();
    let delay = Fault::Delay(Duration::from_millis(500));
    world.issuer.fault(Endpoint::Token, delay, 1);
    let helpers = || HELPERS.into_iter().cycle().take(100);
    let running: Vec<_> = helpers().map(|helper| helper.ask(&world)).collect();
    let tokens: Vec<_> = helpers()
        .zip(running)
        .map(|(helper, running)| helper.token(&running.output()))
        .collect();
    assert_eq!(world.issuer.token_requests(), 2);
    let new = &world.issuer.issued_tokens()[1];
    assert!(tokens.iter().all(|token| *token == old || token == new));
    assert!(tokens.contains(new), "whoever minted it");
    assert_eq!(answered(token(&world, &[])), *new);
}

#[test]
fn no_process_waits_for_a_renewal() {
    patient(|| {
        let (world, old) = in_the_refresh_window();
        let delay = Duration::from_secs(20);
        world
            .issuer
            .fault(Endpoint::Token, Fault::Delay(delay), Times::Forever);
        let start = Instant::now();
        let minter = token(&world, &[]);
        until("the minter asks", || world.issuer.token_requests() == 2);
        // The minter must not finish before the others, however slow they are.
        minter.signal(Signal::STOP);
        let others: Vec<_> = HELPERS
            .into_iter()
            .cycle()
            .take(99)
            .map(|helper| (helper, helper.ask(&world)))
            .collect();
        for (helper, other) in others {
            assert_eq!(helper.token(&other.output()), old, "{helper:?}");
        }
        within(start.elapsed(), delay / 2);
        minter.signal(Signal::CONT);
        assert_eq!(answered(minter), old, "its time is up");
        within(start.elapsed(), delay);
        assert_eq!(world.issuer.token_requests(), 2);
    });
}

#[test]
fn a_hanging_issuer_delays_a_refresh_once_in_half_a_minute() {
    patient(|| {
        let (world, old) = in_the_refresh_window();
        world
            .issuer
            .fault(Endpoint::Token, Fault::Hang, Times::Forever);
        let took = |world: &World| {
            let start = Instant::now();
            assert_eq!(answered(token(world, &[])), old);
            start.elapsed()
        };
        let first = took(&world);
        within(first, Duration::from_secs(5));
        assert_eq!(world.issuer.token_requests(), 2);
        for _ in 0..3 {
            let next = took(&world);
            within(next, Duration::from_secs(2));
        }
        assert_eq!(world.issuer.token_requests(), 2, "nobody tried again");

        // By the record's age, half a minute has passed.
        set_note_back(&world, 31);
        let killed = token(&world, &[]);
        until("it asks", || world.issuer.token_requests() == 3);
        killed.signal(Signal::KILL);
        drop(killed);
        took(&world);
        assert_eq!(world.issuer.token_requests(), 3, "a killed try counts");

        world.issuer.clear_faults();
        set_note_back(&world, 31);
        assert_ne!(answered(token(&world, &[])), old);
        assert_eq!(world.issuer.token_requests(), 4);
    });
}

#[test]
fn a_token_that_passes_its_margin_during_its_renewal_is_not_returned() {
    let (world, old) = with_seconds_left(31);
    // The delay is longer than a renewal may take, and than the rest above the margin.
    let delay = Fault::Delay(Duration::from_secs(5));
    world.issuer.fault(Endpoint::Token, delay, 1);
    assert_ne!(answered(token(&world, &[])), old);
}

#[test]
fn an_invalid_note_prevents_no_renewal() {
    for note in [&b"\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\0\0", b""] {
        let (world, old) = in_the_refresh_window();
        fs::write(&files(&world.home, "lock")[0], note).unwrap();
        assert_ne!(answered(token(&world, &[])), old, "{note:?}");
    }
}

/// Makes the record of the last attempt older, as time would.
fn set_note_back(world: &World, seconds: u64) {
    let path = &files(&world.home, "lock")[0];
    let noted = fs::read(path).unwrap().try_into().unwrap();
    let back = u64::from_be_bytes(noted) - seconds;
    // The file is written in place: a new file would be another lock.
    fs::write(path, back.to_be_bytes()).unwrap();
}

#[test]
fn a_refusal_in_the_refresh_window_gives_a_warning_and_the_old_token() {
    let (world, old) = in_the_refresh_window();
    world.issuer.remove_key(&world.user.key_id);
    let output = token(&world, &[]).output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert_eq!(output.stdout, format!("{old}\n").into_bytes());
    assert!(
        stderr
            .starts_with("zitadel-credential: warning: cannot renew the token: the issuer refused")
            && stderr.lines().count() == 1,
        "{stderr}"
    );
    let asked = world.issuer.total_requests();
    assert_eq!(answered(token(&world, &[])), old, "told once");
    assert_eq!(world.issuer.total_requests(), asked);
}

#[test]
fn other_scopes_do_not_wait_for_each_other() {
    patient(|| {
        let world = world();
        let mut holder = holder(&world);
        let start = Instant::now();
        let other = answered(token(&world, &["--scope", "profile"]));
        within(start.elapsed(), Duration::from_secs(5));
        assert!(world.issuer.accepts(&other));
        assert!(!holder.is_over());
    });
}

#[test]
fn a_holder_that_is_killed_frees_the_lock_for_the_next() {
    patient(|| {
        let world = world();
        let holder = holder(&world);
        let start = Instant::now();
        let next = [token(&world, &[]), token(&world, &["-v"])];
        holder.signal(Signal::KILL);
        let [quiet, verbose] = next;
        let token = answered(quiet);
        let output = verbose.output();
        assert_eq!(output.stdout, format!("{token}\n").into_bytes());
        // Waiting only for the lock would take half of the timeout: 15 s.
        within(start.elapsed(), Duration::from_secs(10));
        assert_eq!(world.issuer.token_requests(), 2);
    });
}

#[test]
fn a_stopped_holder_causes_one_warning_and_a_token_in_time() {
    patient(|| {
        let world = world();
        let holder = holder(&world);
        holder.signal(Signal::STOP);
        let lock = files(&world.home, "lock")[0].display().to_string();
        let timeout = Duration::from_secs(6);
        let start = Instant::now();
        let others: Vec<_> = (0..5).map(|_| token(&world, &["--timeout", "6"])).collect();
        let mut warned = 0;
        for other in others {
            let output = other.output();
            within(start.elapsed(), timeout);
            let stderr = String::from_utf8(output.stderr).unwrap();
            let token = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{stderr}");
            assert!(world.issuer.accepts(token.trim_end()));
            // One process may be quicker than the others, who then find its token.
            assert!(stderr.lines().count() <= 1, "{stderr}");
            assert!(stderr.is_empty() || stderr.contains(&lock), "{stderr}");
            warned += stderr.lines().count();
        }
        assert!(warned >= 1);
        // Their token is in the cache, so that nobody waits any more.
        let cached = answered(token(&world, &[]));

        holder.signal(Signal::CONT);
        assert_eq!(answered(token(&world, &[])), cached);
        holder.signal(Signal::KILL);
        drop(holder);
        let refreshed = answered(token(&world, &["--refresh"]));
        assert!(world.issuer.accepts(&refreshed));
    });
}
