//! `agent`: files that always contain a valid token, through outages and until the exit.

mod check;
mod kubernetes;
mod launchd;
mod metrics;
mod signals;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use rustix::process::Signal;

use crate::support::entry::{age, only};
use crate::support::machine::behind_mounts;
use crate::support::patience::{patient, renewed_in_time, within};
use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary, until};

/// The lifetime of tokens that are renewed about every two seconds: the issuer says a
/// second less, and the margin takes another one.
const SHORT: i64 = 4;

/// The time limit of an exit: an agent that finished a pause or a request first would take
/// seconds. On a busy machine, the exit itself took up to half a second.
const AT_ONCE: Duration = Duration::from_secs(1);

fn short_lived() -> World {
    let world = World::new();
    world.issuer.set_lifetime(SHORT);
    world
}

fn agent(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.home.command(binary());
    command.arg("agent").args(arguments);
    command
}

fn read(world: &World, name: &str) -> String {
    fs::read_to_string(world.home.path().join(name)).unwrap_or_default()
}

/// Stops an agent, and returns its stderr.
fn stop(agent: Running) -> String {
    agent.signal(Signal::TERM);
    let start = Instant::now();
    let output = agent.output();
    within(start.elapsed(), AT_ONCE);
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(0), &b""[..])
    );
    String::from_utf8(output.stderr).unwrap()
}

/// Stops agents, which must have said nothing.
fn stop_silent<const COUNT: usize>(agents: [Running; COUNT]) {
    for told in agents.map(stop) {
        renewed_in_time(&told);
        assert_eq!(told, "");
    }
}

#[test]
fn readers_find_a_whole_valid_token_and_many_agents_mint_once() {
    patient(|| {
        let world = short_lived();
        let files = ["a", "b", "c"];
        let agents = files.map(|file| Running::start(agent(&world, &["--write", file])));
        until("all are written", || {
            files.iter().all(|file| !read(&world, file).is_empty())
        });
        let mut seen = BTreeSet::new();
        while seen.len() < 4 {
            for file in files {
                let token = read(&world, file);
                assert!(world.issuer.accepts(&token), "{token:?}");
                let mode = fs::metadata(world.home.path().join(file)).unwrap().mode();
                assert_eq!(mode & 0o7777, 0o600);
                seen.insert(token);
            }
        }
        assert_eq!(world.issuer.token_requests(), seen.len());
        stop_silent(agents);
        let left = fs::read_dir(world.home.path()).unwrap();
        let left = left.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".zitadel-credential-")
        });
        assert_eq!(left.count(), 0);
    });
}

#[test]
fn a_new_token_is_asked_for_once_and_then_shared() {
    patient(|| {
        let world = short_lived();
        let agents = ["a", "b"].map(|file| {
            let arguments = ["--write", file, "--refresh"];
            let running = Running::start(agent(&world, &arguments));
            until("it is written", || !read(&world, file).is_empty());
            running
        });
        assert_eq!(world.issuer.token_requests(), 2);
        until("both hold the same", || {
            read(&world, "a") == read(&world, "b")
        });
        stop_silent(agents);
    });
}

#[test]
fn an_outage_keeps_the_file_and_is_logged_once() {
    patient(|| {
        let world = short_lived();
        let running = Running::start(agent(&world, &["--write", "token"]));
        until("it is written", || !read(&world, "token").is_empty());
        world
            .issuer
            .fault(Endpoint::Token, Fault::rate_limit(), Times::Forever);
        let held = read(&world, "token");
        let asked = world.issuer.token_requests();
        until("it was tried four times", || {
            world.issuer.token_requests() > asked + 3 * 3
        });
        assert_eq!(read(&world, "token"), held);
        world.issuer.clear_faults();
        until("it is well again", || read(&world, "token") != held);
        let held = read(&world, "token");
        until("and stays so", || read(&world, "token") != held);
        let told = stop(running);
        let lines: Vec<_> = told.lines().collect();
        let [trouble, end, well] = lines[..] else {
            panic!("{told}");
        };
        let passing =
            starts_with("zitadel-credential: warning: http://").and(contains(": HTTP 429"));
        assert!(passing.eval(trouble), "{told}");
        let ends = starts_with("zitadel-credential: error: the token in the files expires at 20");
        assert!(ends.eval(end), "{told}");
        let again = "zitadel-credential: warning: the files have a fresh token again";
        assert_eq!(well, again);
    });
}

#[test]
fn an_issuer_that_is_down_at_the_start_is_waited_for() {
    patient(|| {
        let world = World::new();
        world
            .issuer
            .fault(Endpoint::Any, Fault::rate_limit(), Times::Forever);
        let running = Running::start(agent(&world, &["--write", "token"]));
        until("it was tried twice", || world.issuer.total_requests() > 3);
        assert_eq!(read(&world, "token"), "");
        world.issuer.clear_faults();
        until("it is written", || !read(&world, "token").is_empty());
        assert!(stop(running).contains("HTTP 429"));
    });
}

#[test]
fn a_refused_key_ends_no_running_agent_and_a_new_one_is_used() {
    patient(|| {
        let world = short_lived();
        let running = Running::start(agent(&world, &["--write", "token"]));
        until("it is written", || !read(&world, "token").is_empty());
        world.issuer.expire_key(&world.user.key_id);
        let refused = world.issuer.token_requests() + 2;
        until("it was refused", || {
            world.issuer.token_requests() >= refused
        });
        let held = read(&world, "token");
        world.rotate_key();
        until("the new key is used", || read(&world, "token") != held);
        let told = stop(running);
        assert_eq!(told.matches("the issuer refused").count(), 1, "{told}");
    });
}

#[test]
fn a_refusal_in_the_refresh_window_is_told_once() {
    patient(|| {
        let world = World::new();
        world.zitadel(["token"]).assert().success();
        // Five minutes of the token's twelve hours are left.
        age(&only(&world.home), 43_199 - 300);
        world.issuer.remove_key(&world.user.key_id);
        let manager = Manager::new(&world);
        let mut command = agent(&world, &["--write", "token"]);
        command.env("NOTIFY_SOCKET", &manager.path);
        let running = Running::start(command);
        let why = "cannot renew the token: the issuer refused";
        let status = manager.heard();
        assert!(
            status.starts_with(&format!("READY=1\nSTATUS={why}")),
            "{status}"
        );
        let told = stop(running);
        assert!(
            told.starts_with(&format!("zitadel-credential: warning: {why}")),
            "{told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    });
}

#[test]
fn permanent_errors_end_it_before_the_first_file() {
    let world = World::new();
    let run = |arguments: &[&str]| world.zitadel([&["agent"], arguments].concat()).assert();
    run(&["--write", "nowhere/token"])
        .code(1)
        .stderr(contains("nowhere/token: token not written"));
    run(&["--write", "token", "--profile", "none"])
        .code(2)
        .stderr(contains("\"none\""));
    run(&["--write", "token", "--signal", "2147483647"])
        .code(2)
        .stderr(contains("--signal 2147483647: ").and(contains("a running process")));
    world.issuer.remove_key(&world.user.key_id);
    run(&["--write", "token", "--refresh"]).code(1);
    assert_eq!(read(&world, "token"), "");
}

#[test]
fn a_key_on_a_pipe_works_only_with_once() {
    let world = World::new();
    let bash = |arguments: &str| {
        let mut command = world.home.command("bash");
        let script =
            format!("\"$ZITADEL\" agent --write token --key-file <(cat key.json) {arguments}");
        command.args(["-c", &script]).env("ZITADEL", binary());
        command
    };
    bash("")
        .assert()
        .code(2)
        .stderr(contains("a pipe can be read only once"));
    bash("--once").assert().success();
    assert!(world.issuer.accepts(&read(&world, "token")));
}

#[test]
fn once_writes_every_file_that_can_be_written_and_ends() {
    let world = World::new();
    let once = |arguments: &[&str]| {
        let arguments = [&["agent", "--once"], arguments].concat();
        world.zitadel(arguments).assert().stdout("")
    };
    once(&["--write", "a", "--write", "b"]).success().stderr("");
    assert_eq!(read(&world, "a"), read(&world, "b"));
    once(&["--write", "nowhere/x", "--write", "c"])
        .code(1)
        .stderr(contains("nowhere/x: token not written"));
    assert_eq!(read(&world, "c"), read(&world, "a"));
    world
        .issuer
        .fault(Endpoint::Token, Fault::rate_limit(), Times::Forever);
    once(&["--write", "a", "--refresh"]).code(75);
    assert_eq!(read(&world, "c"), read(&world, "a"));
}

/// The service manager of a test.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(world: &World) -> Self {
        let path = world.home.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let patience = Some(Duration::from_secs(30));
        socket.set_read_timeout(patience).unwrap();
        Self { socket, path }
    }

    fn heard(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }
}

#[test]
fn a_service_manager_gets_ready_once_the_files_exist() {
    patient(|| {
        let world = World::new();
        let manager = Manager::new(&world);
        world
            .issuer
            .fault(Endpoint::Any, Fault::rate_limit(), Times::Forever);
        let mut command = agent(&world, &["--write", "a", "--write", "b"]);
        command.env("NOTIFY_SOCKET", &manager.path);
        let running = Running::start(command);
        let waiting = manager.heard();
        assert!(
            waiting.starts_with("STATUS=http://") && waiting.contains("HTTP 429"),
            "{waiting}"
        );
        world.issuer.clear_faults();
        let ready = manager.heard();
        assert!(
            ready.starts_with("READY=1\nSTATUS=token valid until 20"),
            "{ready}"
        );
        assert!(world.issuer.accepts(&read(&world, "a")));
        assert_eq!(read(&world, "a"), read(&world, "b"));
        stop(running);
    });
}

/// A small disk that is full for a while.
const FULL: &str = r#"
    mkdir -p "$HOME/run"
    mount -t tmpfs -o size=16k,mode=700 tmpfs "$HOME/run"
    cat /dev/zero > "$HOME/run/full" 2>/dev/null || true
    (while ! [ -e "$HOME/free" ]; do sleep 0.01; done; rm "$HOME/run/full") &
    exec "$@""#;

#[test]
fn a_full_disk_does_not_block_other_files_and_is_retried() {
    patient(|| {
        let world = World::new();
        let Some(mut command) = behind_mounts(&world.home, FULL) else {
            return;
        };
        let manager = Manager::new(&world);
        command.arg(binary());
        command.args(["agent", "--write", "run/token", "--write", "token"]);
        command.env("NOTIFY_SOCKET", &manager.path);
        let running = Running::start(command);
        let full = manager.heard();
        assert!(
            full.starts_with("STATUS=run/token: token not written: no space"),
            "{full}"
        );
        assert!(world.issuer.accepts(&read(&world, "token")));
        world.home.write("free", "");
        assert!(
            manager
                .heard()
                .starts_with("READY=1\nSTATUS=token valid until")
        );
        let inside = format!("/proc/{}/root", running.id());
        let inside = Path::new(&inside).join(world.home.path().strip_prefix("/").unwrap());
        assert_eq!(
            fs::read_to_string(inside.join("run/token")).unwrap(),
            read(&world, "token")
        );
        let told = stop(running);
        assert_eq!(told.matches("no space").count(), 1, "{told}");
        assert_eq!(world.issuer.token_requests(), 1);
    });
}
