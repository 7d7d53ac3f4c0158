//! `key add` and `key rotate` that are killed, run twice at once, or have a bad disk: the
//! key file always has a working key, a repeated rotation leaves one key, and no call
//! removes a key that may be in use elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
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
use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary, side_by_side, until};

fn key(world: &World, words: &str) -> Command {
    let mut command = world.home.command(binary());
    command.arg("key").args(words.split(' '));
    command
}

fn rotate(world: &World) -> Command {
    key(world, "rotate")
}

/// Runs a `key` command with strace's injection. Returns its exit code, `None` after a
/// signal, and stderr; `None` without strace.
fn injected(world: &World, words: &str, inject: &str) -> Option<(Option<i32>, String)> {
    let mut command = injecting(&world.home, inject)?;
    command.arg(binary()).arg("key").args(words.split(' '));
    Some(ended(Running::start(command)))
}

fn ended(running: Running) -> (Option<i32>, String) {
    let output = running.output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

fn keys(world: &World) -> Vec<String> {
    world.issuer.key_ids(&world.user.user_id)
}

/// Returns the key in the file, in the tests' form.
fn in_file(world: &World) -> ServiceUser {
    key_at(&world.key_file)
}

fn key_at(path: &Path) -> ServiceUser {
    let text = fs::read(path).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    let field = |name: &str| file[name].as_str().unwrap();
    ServiceUser {
        key_id: field("keyId").to_owned(),
        user_id: field("userId").to_owned(),
        private: PrivateKey::from_pkcs1_pem(field("key")).unwrap(),
    }
}

/// Asserts that the file has a working key. Returns its ID.
#[track_caller]
fn assert_works(world: &World) -> String {
    let key = in_file(world);
    let answer = exchange(&world.issuer, &assertion(&key, &world.issuer), "openid");
    assert_eq!(answer.status, 200, "{}", key.key_id);
    key.key_id
}

/// Rotates once more, and asserts success: one key is left, and no other file is beside
/// it.
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

/// The calls by which a rotation changes requests and files.
const STEPS: [&str; 5] = ["sendto", "fsync", "rename", "renameat", "unlink"];

#[test]
fn a_rotation_killed_at_any_step_resumes_when_repeated() {
    let world = World::new();
    let mut killed = 0;
    for call in STEPS {
        // The kill is at each call of this name, until there is none.
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
fn a_rotation_killed_at_any_moment_resumes_when_repeated() {
    const WORLDS: usize = 8;
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
                    // Dropping it kills the process.
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
fn of_twenty_concurrent_rotations_one_creates_a_key() {
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
            "another call already replaced the key: the new key is {id}"
        ))
    });
    assert_eq!(others.count(), 19, "{told:?}");
}

/// Returns a small disk for the key file, with this many KiB left.
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
fn a_full_disk_loses_no_key() {
    let world = World::new();
    fs::create_dir(world.home.path().join("small")).unwrap();
    // There is no room for the note; then only for the note.
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
fn a_read_only_directory_fails_before_any_request() {
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
fn an_issuer_that_vanishes_midway_leaves_a_working_key() {
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

/// The key of a new file may be in use under any other name.
#[test]
fn a_new_file_that_is_moved_keeps_its_key_wherever_the_call_was_killed() {
    let calls = STEPS.into_iter().chain(["renameat2"]);
    let cuts = calls.map(|call| (call, "KILL"));
    let cuts: Vec<_> = cuts.chain([("fsync", "TERM"), ("fsync", "INT")]).collect();
    side_by_side(["add", "rotate"], |command| {
        let world = World::new();
        let words = format!("{command} --output new.json");
        let new = world.home.path().join("new.json");
        let mut used = vec![world.user.key_id.clone()];
        let mut completed = 0;
        for (call, signal) in &cuts {
            for step in 1.. {
                let inject = format!("{call}:signal={signal}:when={step}");
                let Some((code, said)) = injected(&world, &words, &inject) else {
                    return;
                };
                assert!(code.is_none() || code == Some(0), "{inject}: {said}");
                if new.exists() {
                    completed += usize::from(code.is_none());
                    if step % 2 == 0 {
                        // The repeated call drops the note.
                        let (code, said) = ended(Running::start(key(&world, &words)));
                        assert_eq!(code, Some(2), "{said}");
                        assert!(said.contains("the file is there already"), "{said}");
                        assert!(!world.home.path().join("new.json.rotation").exists());
                    }
                    used.push(key_at(&new).key_id);
                    fs::rename(&new, world.home.path().join("moved.json")).unwrap();
                }
                let (next, said) = ended(Running::start(key(&world, &words)));
                assert_eq!(next, Some(0), "{inject}: {said}");
                used.push(key_at(&new).key_id);
                fs::remove_file(&new).unwrap();
                let now = keys(&world);
                let lost: Vec<_> = used.iter().filter(|id| !now.contains(id)).collect();
                assert!(lost.is_empty(), "{inject}: {lost:?}: {said}");
                // A key that nobody may use is removed; one that is left is named.
                for id in now.iter().filter(|id| !used.contains(id)) {
                    let told = format!("run zitadel-credential key remove {id}");
                    assert!(said.contains(&told), "{inject}: {said}");
                    let remove = format!("remove {id} --yes");
                    assert_eq!(ended(Running::start(key(&world, &remove))).0, Some(0));
                }
                if code == Some(0) {
                    break;
                }
            }
        }
        assert!(completed > 3, "{completed}");
    });
}

#[test]
fn a_note_that_cannot_be_removed_costs_no_key() {
    let world = World::new();
    let words = "add --output new.json";
    let Some((code, said)) = injected(&world, words, "unlink:error=EIO") else {
        return;
    };
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("new.json.rotation: cannot be removed"),
        "{said}"
    );
    let dry = "rotate --output new.json --dry-run";
    let (code, said) = ended(Running::start(key(&world, dry)));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the file is there already"), "{said}");
    let new = world.home.path().join("new.json");
    let moved = key_at(&new).key_id;
    fs::rename(&new, world.home.path().join("moved.json")).unwrap();
    let (code, said) = ended(Running::start(key(&world, words)));
    assert_eq!(code, Some(0), "{said}");
    let told = format!(
        "zitadel-credential: warning: new.json: key {moved} of an interrupted call may be in use: if not, run zitadel-credential key remove {moved}\n"
    );
    assert_eq!(said, told);
    assert!(keys(&world).contains(&moved));
    assert!(!world.home.path().join("new.json.rotation").exists());
}

#[test]
fn a_call_that_waited_for_one_that_was_killed_keeps_its_key() {
    let world = World::new();
    let words = "add --output new.json";
    // The second call starts while the first one waits for its key.
    world.issuer.set_key_delay(Duration::from_secs(2));
    let Some(mut first) = injecting(&world.home, "unlink:signal=KILL") else {
        return;
    };
    first.arg(binary()).arg("key").args(words.split(' '));
    let first = Running::start(first);
    until("it has added a key", || keys(&world).len() == 2);
    let second = Running::start(key(&world, words));
    assert_eq!(ended(first).0, None);
    let (code, said) = ended(second);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the file is there already"), "{said}");
    let id = key_at(&world.home.path().join("new.json")).key_id;
    assert_eq!(keys(&world), [world.user.key_id.clone(), id]);
    assert!(!world.home.path().join("new.json.rotation").exists());
}

#[test]
fn of_several_concurrent_calls_for_one_new_file_one_uploads_a_key() {
    let world = World::new();
    let words = "add --output new.json";
    let all: Vec<_> = (0..5).map(|_| Running::start(key(&world, words))).collect();
    let ended: Vec<_> = all.into_iter().map(ended).collect();
    let losers: Vec<_> = ended.iter().filter(|(code, _)| *code == Some(2)).collect();
    assert_eq!(losers.len(), 4, "{ended:?}");
    for (_, said) in losers {
        let told = "new.json: no new key: the file is there already\n  hint: choose a file that does not exist yet";
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(world.issuer.requests(Endpoint::AddKey), 1);
    assert_eq!(keys(&world).len(), 2);
}

/// The file of the killed rotation is moved, and another key of the user takes its place.
#[test]
fn a_rotated_file_that_is_moved_keeps_its_key_wherever_the_call_was_killed() {
    let mut moved = 0;
    for step in 1.. {
        let world = World::new();
        let before = world.user.key_id.clone();
        let inject = format!("fsync:signal=KILL:when={step}");
        let Some((code, said)) = injected(&world, "rotate", &inject) else {
            return;
        };
        if code == Some(0) {
            break;
        }
        assert_eq!(code, None, "{said}");
        let rotated = in_file(&world).key_id;
        if rotated == before {
            continue;
        }
        moved += 1;
        let other = ServiceUser::with_bits(2048).with_user_id(&world.user.user_id);
        world.issuer.register(&other);
        fs::rename(&world.key_file, world.home.path().join("moved.json")).unwrap();
        let note = fs::read(world.home.path().join("key.json.rotation")).unwrap();
        let named = format!("run zitadel-credential key remove {rotated}\n");

        world.home.write("other.json", other.key_json());
        let words = "add --output key.json --key-file other.json";
        let (code, said) = ended(Running::start(key(&world, words)));
        assert_eq!(code, Some(0), "{said}");
        assert!(
            keys(&world).contains(&rotated) && said.ends_with(&named),
            "{said}"
        );

        world.home.write("key.json", other.key_json());
        world.home.write("key.json.rotation", note);
        let (code, said) = ended(Running::start(rotate(&world)));
        assert_eq!(code, Some(0), "{said}");
        assert!(
            keys(&world).contains(&rotated) && said.ends_with(&named),
            "{said}"
        );
    }
    assert!(moved > 0);
}

/// A power failure might restore the old key file.
#[test]
fn a_rotation_whose_files_are_not_on_disk_removes_no_old_key() {
    let world = World::new();
    let mut is_told = false;
    for step in 1.. {
        let before = assert_works(&world);
        let inject = format!("fsync:error=EIO:when={step}");
        let Some((code, said)) = injected(&world, "rotate", &inject) else {
            return;
        };
        let now = assert_works(&world);
        if code == Some(0) {
            assert_ne!(now, before);
            break;
        }
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("key.json") && said.contains("input/output error"),
            "{said}"
        );
        assert!(keys(&world).contains(&before), "step {step}: {said}");
        if now != before {
            is_told = true;
            assert!(
                said.contains("key.json: its directory is not fsynced: "),
                "{said}"
            );
            let hint = "hint: run zitadel-credential key rotate again: it finishes this rotation";
            assert!(said.contains(hint), "{said}");
        }
        assert_ends_with_one_key(&world);
    }
    assert!(is_told);
}

#[test]
fn a_new_file_that_is_not_on_disk_is_removed_with_its_key() {
    let world = World::new();
    let mut failed = 0;
    for step in 1.. {
        let inject = format!("fsync:error=EIO:when={step}");
        let words = "add --output new.json";
        let Some((code, said)) = injected(&world, words, &inject) else {
            return;
        };
        if code == Some(0) {
            break;
        }
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("new.json") && said.contains("input/output error"),
            "{said}"
        );
        assert_eq!(keys(&world), [world.user.key_id.as_str()], "step {step}");
        let mut left = beside(&world);
        left.sort();
        assert_eq!(left, [".config", "key.json"].map(PathBuf::from), "{said}");
        failed += 1;
    }
    assert!(failed > 5, "{failed} steps");
}

#[test]
fn a_key_that_was_not_written_and_not_removed_is_removed_by_the_next_call() {
    let forbidden = Fault::status(403, "application/json", r#"{"code":7,"message":"no"}"#);
    let words = "add --output new.json";
    // The note is not marked; then the key file is not written.
    for step in [5, 7] {
        let world = World::new();
        world
            .issuer
            .fault(Endpoint::RemoveKey, forbidden.clone(), 1);
        let inject = format!("fsync:error=EIO:when={step}");
        let Some((code, said)) = injected(&world, words, &inject) else {
            return;
        };
        assert_eq!(code, Some(1), "{said}");
        let hint = "hint: run the command again: it removes that key";
        assert!(said.contains(hint), "{said}");
        assert_eq!(keys(&world).len(), 2);
        let ended = ended(Running::start(key(&world, words)));
        assert_eq!(ended, (Some(0), String::new()));
        let id = key_at(&world.home.path().join("new.json")).key_id;
        assert_eq!(keys(&world), [world.user.key_id.clone(), id]);
    }
}

#[test]
fn a_file_system_that_cannot_fsync_directories_is_no_failure() {
    let world = World::new();
    for error in ["EINVAL", "EOPNOTSUPP", "ENOSYS"] {
        // Each file's fsync is before that of its directory.
        let inject = format!("fsync:error={error}:when=2+2");
        let Some(ended) = injected(&world, "rotate", &inject) else {
            return;
        };
        assert_eq!(ended, (Some(0), String::new()));
        assert_ends_with_one_key(&world);
    }
}
