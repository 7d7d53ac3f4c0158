//! The memory of a mint that waits for the issuer, read from outside.

use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use crate::needles::Needles;
use crate::support::machine::is_root;
use crate::support::{Endpoint, Fault, Running, World, binary, until};

/// What a process could still write to, each part with its name.
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

/// The memory of a mint with these arguments while the issuer is silent.
fn while_it_waits(world: &World, arguments: &[&str]) -> Vec<(String, Vec<u8>)> {
    let asked = world.issuer.token_requests();
    let late = Fault::Delay(Duration::from_secs(20));
    world.issuer.fault(Endpoint::Token, late, 1usize);
    let mut command = world.home.command(binary());
    command.args(["kubectl", "--no-cache"]).args(arguments);
    let running = Running::start(command);
    until("the assertion is sent", || {
        world.issuer.token_requests() > asked
    });
    writable_memory(running.id())
}

/// The parts that hold a piece.
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

#[test]
fn no_byte_of_the_key_is_left_once_it_has_signed() {
    if !may_look() {
        return;
    }
    let world = World::new();
    let mut key = Needles::default();
    key.add_key(&world.user);
    let (issuer, key_id, user_id) = (world.issuer.url(), &world.user.key_id, &world.user.user_id);
    world.home.append_config(&format!(
        "[profiles.command]\nissuer = \"{issuer}\"\nkey-command = [\"cat\", \"key.json\"]\n\
         [profiles.ids]\nissuer = \"{issuer}\"\nkey-file = \"~/key.pem\"\n\
         key-id = \"{key_id}\"\nuser-id = \"{user_id}\"\n"
    ));
    for pem in [world.user.pkcs1_pem(), world.user.pkcs8_pem()] {
        world.home.write("key.pem", pem);
        for profile in ["test", "command", "ids"] {
            let memory = while_it_waits(&world, &["--profile", profile]);
            let sent = world.issuer.last_token_request().form_value("assertion");
            let mut assertion = Needles::default();
            assertion.add_token(&sent.unwrap());
            let found = holding(&memory, &assertion);
            assert!(!found.is_empty(), "it is its memory that is read");
            assert_eq!(holding(&memory, &key), [""; 0], "{profile}");
        }
    }
}
