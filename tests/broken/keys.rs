//! `key rotate` that is killed, meets itself, or has no room: the key file always holds a
//! key that works, and done again it ends with one key.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use serde_json::Value;

use crate::support::exchange::{assertion, exchange};
use crate::support::keys::ServiceUser;
use crate::support::machine::{behind_mounts, has_time};
use crate::support::trace::injecting;
use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary};

fn rotate(world: &World) -> Command {
    let mut command = world.home.command(binary());
    command.args(["key", "rotate"]);
    command
}

fn keys(world: &World) -> Vec<String> {
    world.issuer.key_ids(&world.user.user_id)
}

/// The key in the file, by means of the tests' own.
fn in_file(world: &World) -> ServiceUser {
    let text = fs::read(&world.key_file).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    let field = |name: &str| file[name].as_str().unwrap();
    ServiceUser {
        key_id: field("keyId").to_owned(),
        user_id: field("userId").to_owned(),
        private: PrivateKey::from_pkcs1_pem(field("key")).unwrap(),
    }
}

/// Fails unless the file holds a key that works. Returns its ID.
#[track_caller]
fn assert_works(world: &World) -> String {
    let key = in_file(world);
    let answer = exchange(&world.issuer, &assertion(&key, &world.issuer), "openid");
    assert_eq!(answer.status, 200, "{}", key.key_id);
    key.key_id
}

/// Rotates once more, which must go well: one key is left, and nothing lies beside it.
#[track_caller]
fn assert_ends_with_one_key(world: &World) {
    let output = Running::start(rotate(world)).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let id = assert_works(world);
    assert_eq!(keys(world), [id]);
    let mut left = beside(world);
    left.retain(|name| ![".config", "key.json"].contains(&name.to_str().unwrap()));
    assert!(left.is_empty(), "{left:?}");
}

fn beside(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.home.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into())
        .collect()
}

/// The calls by which a rotation changes what others see: requests and files.
const STEPS: [&str; 5] = ["sendto", "fsync", "rename", "renameat", "unlink"];

#[test]
fn a_rotation_that_is_killed_at_any_step_goes_on_when_done_again() {
    let world = World::new();
    let mut killed = 0;
    for call in STEPS {
        // Each call of this name is one, until none is left.
        for step in 1.. {
            let before = assert_works(&world);
            let inject = format!("{call}:signal=KILL:when={step}");
            let Some(mut command) = injecting(&world.home, &inject) else {
                return;
            };
            command.arg(binary()).args(["key", "rotate"]);
            let output = Running::start(command).output();
            let now = assert_works(&world);
            if output.status.success() {
                assert_ne!(now, before);
                break;
            }
            killed += 1;
            assert_ends_with_one_key(&world);
        }
    }
    assert!(killed > 12, "{killed} steps");
}

#[test]
fn a_rotation_that_is_killed_at_any_moment_goes_on_when_done_again() {
    const WORLDS: usize = 4;
    let rounds = if has_time() { 1000 } else { 200 };
    let killed = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..WORLDS {
            scope.spawn(|| {
                let world = World::new();
                let one = (0..2).map(|_| {
                    let start = Instant::now();
                    assert_ends_with_one_key(&world);
                    start.elapsed()
                });
                let one = one.max().unwrap();
                for _ in 0..rounds / WORLDS {
                    let mut running = Running::start(rotate(&world));
                    thread::sleep(one.mul_f64(fastrand::f64()));
                    *killed.lock().unwrap() += usize::from(!running.is_over());
                    // That kills it.
                    drop(running);
                    assert_works(&world);
                    assert_ends_with_one_key(&world);
                }
            });
        }
    });
    let killed = *killed.lock().unwrap();
    assert!(killed > rounds / 5, "{killed} of {rounds} were killed");
}

#[test]
fn of_twenty_rotations_at_once_one_makes_a_key() {
    let world = World::new();
    let all: Vec<_> = (0..20).map(|_| Running::start(rotate(&world))).collect();
    let mut told = Vec::new();
    for running in all {
        let output = running.output();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
        told.push(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(world.issuer.requests(Endpoint::AddKey), 1);
    let id = assert_works(&world);
    assert_eq!(keys(&world), [id.as_str()]);
    let others = told.iter().filter(|text| {
        text.contains(&format!(
            "another call has replaced the key meanwhile, by {id}"
        ))
    });
    assert_eq!(others.count(), 19, "{told:?}");
}

/// A small disk for the key file, with this many KiB left.
fn almost_full(kib: usize) -> String {
    format!(
        r#"
    cp "$HOME/key.json" "$HOME/saved"
    mount -t tmpfs -o size=64k,mode=700 tmpfs "$HOME/small"
    cp "$HOME/saved" "$HOME/small/key.json"
    cat /dev/zero > "$HOME/small/full" 2>/dev/null || true
    truncate -s -{kib}K "$HOME/small/full"
    "$@" && code=0 || code=$?
    cp "$HOME/small/key.json" "$HOME/key.json"
    ls -A "$HOME/small" > "$HOME/left"
    exit $code"#
    )
}

#[test]
fn a_disk_that_is_full_costs_no_key() {
    let world = World::new();
    fs::create_dir(world.home.path().join("small")).unwrap();
    // No room for the note; then for the note alone.
    for (kib, added) in [(0, 0), (4, 1)] {
        let Some(mut command) = behind_mounts(&world.home, &almost_full(kib)) else {
            return;
        };
        let words = ["key", "rotate", "--key-file", "small/key.json"];
        command.arg(binary()).args(words);
        let output = command.run();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("no space left on device"), "{stderr}");
        assert_eq!(world.issuer.requests(Endpoint::AddKey), added);
        assert_eq!(assert_works(&world), world.user.key_id);
        assert_eq!(keys(&world), [world.user.key_id.as_str()]);
        assert_eq!(world.home.read("left"), "full\nkey.json\n", "{stderr}");
    }
}

#[test]
fn a_directory_that_is_read_only_is_told_before_any_request() {
    let world = World::new();
    let script = r#"
    mkdir "$HOME/keys"
    cp "$HOME/key.json" "$HOME/keys"
    mount --bind "$HOME/keys" "$HOME/keys"
    mount -o remount,ro,bind "$HOME/keys"
    exec "$@""#;
    let Some(mut command) = behind_mounts(&world.home, script) else {
        return;
    };
    command.arg(binary());
    command.args(["key", "rotate", "--key-file", "keys/key.json"]);
    let output = command.run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("no file can be created there"), "{stderr}");
    assert!(stderr.contains("--output FILE"), "{stderr}");
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn a_key_file_that_is_a_mount_point_keeps_its_key() {
    let world = World::new();
    let script = "mount --bind \"$HOME/key.json\" \"$HOME/key.json\"\nexec \"$@\"";
    let Some(mut command) = behind_mounts(&world.home, script) else {
        return;
    };
    command.arg(binary()).args(["key", "rotate"]);
    let output = command.run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("a mount point, which cannot be replaced"),
        "{stderr}"
    );
    assert!(stderr.contains("no new one is left"), "{stderr}");
    assert_eq!(assert_works(&world), world.user.key_id);
    assert_eq!(keys(&world), [world.user.key_id.as_str()]);
    assert_ends_with_one_key(&world);
}

#[test]
fn an_issuer_that_goes_away_in_the_middle_leaves_a_key_that_works() {
    let world = World::new();
    for (endpoint, fault) in [
        (Endpoint::AddKey, Fault::Close),
        (Endpoint::AddKey, Fault::CutMidBody),
        (Endpoint::RemoveKey, Fault::Close),
        (Endpoint::RemoveKey, Fault::CutMidBody),
        (Endpoint::ListKeys, Fault::rate_limit()),
    ] {
        world.issuer.fault(endpoint, fault, Times::Forever);
        let mut command = rotate(&world);
        command.args(["--timeout", "1"]);
        let output = Running::start(command).output_within(Duration::from_secs(50));
        assert_eq!(output.status.code(), Some(75), "{endpoint:?}");
        assert_works(&world);
        world.issuer.clear_faults();
        assert_ends_with_one_key(&world);
    }
}
