//! The memory of a mint that waits for the issuer, read from outside.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use crate::needles::Needles;
use crate::support::machine::is_root;
use crate::support::{Endpoint, Fault, Running, World, binary, until};

/// Returns the writable memory of a process, each part with its name.
fn writable_memory(pid: u32) -> Vec<(String, Vec<u8>)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines()
        .filter(|line| line.split(' ').nth(1).unwrap().contains("rw"))
        .map(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let address = |hex| u64::from_str_radix(hex, 16).unwrap();
            let (start, end) = (address(start), address(end));
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            let _ = memory.read_exact_at(&mut bytes, start);
            (line.to_owned(), bytes)
        })
        .collect()
}

/// Returns the memory of a call with these arguments while the issuer is silent at this
/// endpoint.
fn while_it_waits(world: &World, at: Endpoint, arguments: &[&str]) -> Vec<(String, Vec<u8>)> {
    let asked = world.issuer.requests(at);
    let late = Fault::Delay(Duration::from_secs(20));
    world.issuer.fault(at, late, 1usize);
    let mut command = world.home.command(binary());
    command.args(arguments);
    let running = Running::start(command);
    until("the request is sent", || world.issuer.requests(at) > asked);
    let memory = writable_memory(running.id());
    world.issuer.clear_faults();
    memory
}

/// Returns the parts that contain a piece.
fn holding<'a>(memory: &'a [(String, Vec<u8>)], needles: &Needles) -> Vec<&'a str> {
    let parts = memory.iter();
    let holding = parts.filter(|(_, bytes)| needles.find(bytes).is_some());
    holding.map(|(name, _)| name.as_str()).collect()
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn may_look() -> bool {
    if !is_root() {
        eprintln!("skipped: only root may look into a process that cannot be dumped");
    }
    is_root()
}

/// Returns a world, and the pieces of its user's key.
fn with_a_key() -> (World, Needles) {
    let world = World::new();
    let mut key = Needles::default();
    key.add_key(&world.user);
    (world, key)
}

/// Returns the pieces of the last assertion.
fn assertion(world: &World) -> Needles {
    let sent = world.issuer.last_token_request().form_value("assertion");
    let mut needles = Needles::default();
    needles.add_token(&sent.unwrap());
    needles
}

#[test]
fn no_byte_of_the_key_is_left_once_it_has_signed() {
    if !may_look() {
        return;
    }
    let (world, key) = with_a_key();
    let (issuer, key_id, user_id) = (world.issuer.url(), &world.user.key_id, &world.user.user_id);
    world.home.append_config(&format!(
        "[profiles.command]\nissuer = \"{issuer}\"\nkey-command = [\"cat\", \"key.json\"]\n\
         [profiles.ids]\nissuer = \"{issuer}\"\nkey-file = \"~/key.pem\"\n\
         key-id = \"{key_id}\"\nuser-id = \"{user_id}\"\n"
    ));
    for pem in [world.user.pkcs1_pem(), world.user.pkcs8_pem()] {
        world.home.write("key.pem", pem);
        for profile in ["test", "command", "ids"] {
            let arguments = ["kubectl", "--no-cache", "--profile", profile];
            // Discovery is the first request: little of the stack is overwritten by then.
            let memory = while_it_waits(&world, Endpoint::Discovery, &arguments);
            assert_eq!(holding(&memory, &key), [""; 0], "{profile}");
            let memory = while_it_waits(&world, Endpoint::Token, &arguments);
            let found = holding(&memory, &assertion(&world));
            assert!(!found.is_empty(), "it is its memory that is read");
            assert_eq!(holding(&memory, &key), [""; 0], "{profile}");
        }
    }
}

#[test]
fn no_byte_of_the_key_is_left_while_any_command_waits() {
    if !may_look() {
        return;
    }
    let (world, key) = with_a_key();
    for (at, arguments) in [
        (Endpoint::Discovery, &["token"][..]),
        (Endpoint::Discovery, &["doctor"]),
        (Endpoint::Token, &["doctor"]),
        (Endpoint::Token, &["agent", "--write", "token"]),
        (Endpoint::Userinfo, &["whoami"]),
        (Endpoint::ListKeys, &["key", "list"]),
        (Endpoint::AddKey, &["key", "rotate"]),
        // The issuer does not respond to this renewal.
        (Endpoint::Token, &["token", "--refresh"]),
    ] {
        let memory = while_it_waits(&world, at, arguments);
        assert_eq!(holding(&memory, &key), [""; 0], "{arguments:?}");
    }
}

/// kubectl asks again after a 401: the token is checked, after the key was read for its
/// IDs.
#[test]
fn no_byte_of_the_key_is_left_while_a_token_is_checked() {
    if !may_look() {
        return;
    }
    let (world, key) = with_a_key();
    Running::start(world.home.command(binary()).arg("kubectl")).output();
    let memory = while_it_waits(&world, Endpoint::Userinfo, &["kubectl"]);
    assert_eq!(holding(&memory, &key), [""; 0]);
}

/// The first process mints, slowly, and the second one has read the key for its IDs.
#[test]
fn no_byte_of_the_key_is_left_while_another_process_mints() {
    if !may_look() {
        return;
    }
    let (world, key) = with_a_key();
    let late = Fault::Delay(Duration::from_secs(20));
    world.issuer.fault(Endpoint::Token, late, 1usize);
    let token = || {
        let mut command = world.home.command(binary());
        command.arg("token");
        Running::start(command)
    };
    let _first = token();
    until("the assertion is sent", || {
        world.issuer.token_requests() == 1
    });
    let second = token();
    until("it waits for the lock", || sleeps(second.id()));
    let memory = writable_memory(second.id());
    assert_eq!(holding(&memory, &key), [""; 0]);
}

/// True once a process has slept a few times, as between two attempts to lock.
fn sleeps(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let times = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    times.is_some_and(|times| times.trim().parse().unwrap_or(0) > 20)
}
