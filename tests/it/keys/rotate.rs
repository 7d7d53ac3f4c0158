//! `key rotate`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;

use super::{NEVER, SOON, key_file, keys, mode, stdout};
use crate::support::{Endpoint, Fault, Run, Running, World, binary, trace};

fn note(world: &World) -> std::path::PathBuf {
    world.home.path().join("key.json.rotation")
}

/// Asserts that the world has one key, which is in the file and works.
#[track_caller]
fn assert_one_key(world: &World) -> String {
    let id = key_file(&world.key_file)["keyId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(keys(world), [id.as_str()]);
    assert!(!note(world).exists());
    let output = world.zitadel(["token", "--no-cache"]).run();
    assert!(output.status.success(), "{output:?}");
    id
}

#[test]
fn a_new_key_takes_the_old_ones_place_and_the_old_one_is_removed() {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    let text = stdout(&world, &["key", "rotate"]);
    let new = assert_one_key(&world);
    assert_ne!(new, world.user.key_id);
    assert!(
        text.contains(&format!("key.json: new key {new}, valid until 20")),
        "{text}"
    );
    let old = &world.user.key_id;
    assert!(
        text.ends_with(&format!("\nkey {old} removed at ZITADEL\n")),
        "{text}"
    );
    assert_eq!(mode(&world.key_file), 0o600);
    // Two intended calls are two rotations.
    stdout(&world, &["key", "rotate"]);
    assert_ne!(assert_one_key(&world), new);
}

#[test]
fn the_old_key_stays_if_it_is_to_be_kept() {
    let world = World::new();
    let text = stdout(&world, &["key", "rotate", "--keep-old"]);
    assert!(text.ends_with(&format!("key {} left at ZITADEL\n", world.user.key_id)));
    let new = key_file(&world.key_file)["keyId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(keys(&world), [world.user.key_id.clone(), new]);
}

#[test]
fn a_key_that_is_valid_for_long_is_not_rotated() {
    let world = World::new();
    let file = || fs::read_to_string(&world.key_file).unwrap();
    // The expiry is from the key file, without a request.
    world.home.write(
        "key.json",
        world.user.key_json_expiring("2040-01-01T00:00:00Z"),
    );
    let before = file();
    let words = ["key", "rotate", "--if-expires-within", "14d"];
    let id = &world.user.key_id;
    let nothing = |end| format!("key {id} is valid until {end}: nothing to do\n");
    assert_eq!(stdout(&world, &words), nothing("2040-01-01T00:00:00Z"));
    assert_eq!(world.issuer.total_requests(), 0);
    // The expiry is from ZITADEL.
    world.home.write("key.json", world.user.key_json());
    world.issuer.set_key_expiry(id, SOON);
    assert_eq!(stdout(&world, &words), nothing("2030-01-01T00:00:00Z"));
    assert_ne!(file(), before);
    assert_eq!(keys(&world), [id.as_str()]);
    // The key has no expiry, as `key list` says.
    world.issuer.set_key_expiry(id, NEVER);
    let never = format!("key {id} never expires: nothing to do\n");
    assert_eq!(stdout(&world, &words), never);
    world.home.write(
        "key.json",
        world.user.key_json_expiring("9999-12-31T23:59:59Z"),
    );
    assert_eq!(stdout(&world, &words), never);
    world.home.write("key.json", world.user.key_json());
    world.issuer.set_key_expiry(id, SOON);
    // The expiry is near enough.
    let soon = [
        "key",
        "rotate",
        "--if-expires-within",
        "3000d",
        "--lifetime",
        "4000d",
    ];
    stdout(&world, &soon);
    assert_ne!(&assert_one_key(&world), id);
}

#[test]
fn a_dry_run_asks_and_changes_nothing() {
    let world = World::new();
    let id = &world.user.key_id;
    let text = stdout(&world, &["key", "rotate", "--dry-run"]);
    assert!(
        text.contains("key.json: would write a new key, valid until 20"),
        "{text}"
    );
    assert!(
        text.ends_with(&format!("and remove key {id} at ZITADEL\n")),
        "{text}"
    );
    let text = stdout(&world, &["key", "rotate", "--dry-run", "--keep-old"]);
    assert!(
        text.ends_with(&format!("and leave key {id} at ZITADEL\n")),
        "{text}"
    );
    assert_eq!(world.issuer.total_requests(), 0);
    assert_eq!(
        fs::read_to_string(&world.key_file).unwrap(),
        world.user.key_json()
    );
}

#[test]
fn a_key_that_works_after_a_moment_is_waited_for() {
    let world = World::new();
    world.issuer.set_key_delay(Duration::from_millis(1500));
    stdout(&world, &["key", "rotate"]);
    assert_one_key(&world);
}

#[test]
fn a_key_that_does_not_work_in_time_is_removed_and_the_old_one_stays() {
    let world = World::new();
    world.issuer.set_key_delay(Duration::from_secs(600));
    world
        .zitadel(["key", "rotate", "--timeout", "2"])
        .assert()
        .code(75)
        .stdout("")
        .stderr(contains("did not work within 2 s").and(contains("no new one is left")));
    assert_eq!(assert_one_key(&world), world.user.key_id);
}

#[test]
fn a_bare_pem_becomes_a_key_file_and_the_config_line_to_change_is_named() {
    let world = World::new();
    let (id, user, url) = (&world.user.key_id, &world.user.user_id, world.issuer.url());
    world.home.write("key.pem", world.user.pkcs8_pem());
    world.home.write_config(&format!(
        "[profiles.ci]\nissuer = \"{url}\"\nkey-file = \"~/key.pem\"\nkey-id = \"{id}\"\nuser-id = \"{user}\"\n"
    ));
    let text = stdout(&world, &["key", "rotate"]);
    let new = key_file(&world.home.path().join("key.pem"));
    let new = new["keyId"].as_str().unwrap();
    let told = format!("config.toml:4: remove key-id, or change it to \"{new}\"");
    assert!(text.contains(&told), "{text}");
    // Everything works even before the line is changed: the new key is known to be in
    // use, and the rotation can be repeated.
    let listed = stdout(&world, &["key", "list"]);
    let line = listed.lines().find(|line| line.starts_with(new)).unwrap();
    assert!(line.ends_with("in use"), "{listed}");
    let remove = ["key", "remove", "--yes", new];
    world.zitadel(remove).assert().code(2);
    assert_eq!(keys(&world).len(), 1);
    world.zitadel(["token", "--refresh"]).assert().success();
    stdout(&world, &["key", "rotate"]);
    world.zitadel(["token", "--refresh"]).assert().success();
    world.zitadel(["doctor"]).assert().success();
    world.home.write_config(&format!(
        "[profiles.ci]\nissuer = \"{url}\"\nkey-file = \"~/key.pem\"\nuser-id = \"{user}\"\n"
    ));
    world.zitadel(["token"]).assert().success();
    assert_eq!(keys(&world).len(), 1);

    let flags = [
        "key",
        "rotate",
        "--key-file",
        "key.pem",
        "--key-id",
        new,
        "--user-id",
        user,
    ];
    let text = stdout(&world, &flags);
    assert!(text.contains("--key-id: remove key-id, or"), "{text}");
}

#[test]
fn a_link_stays_a_link_and_a_wide_mode_becomes_private() {
    let world = World::new();
    let real = world.home.write("keys/real.json", world.user.key_json());
    fs::set_permissions(&real, PermissionsExt::from_mode(0o644)).unwrap();
    fs::remove_file(&world.key_file).unwrap();
    symlink(&real, &world.key_file).unwrap();
    world
        .zitadel(["key", "rotate"])
        .assert()
        .success()
        .stderr(contains("the new one has mode 0600"));
    assert!(world.key_file.is_symlink());
    assert_eq!(mode(&real), 0o600);
    assert_one_key(&world);
    assert_eq!(fs::read_dir(real.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_key_of_another_source_is_not_rotated() {
    let world = World::new();
    world.home.append_config(&format!(
        "[profiles.vault]\nissuer = \"{}\"\nkey-command = [\"cat\", \"{}\"]\n",
        world.issuer.url(),
        world.key_file.display()
    ));
    world
        .zitadel(["key", "rotate", "--profile", "vault"])
        .assert()
        .code(2)
        .stderr(contains("key-command cat: only a key in a file").and(contains("--output FILE")));
    assert_eq!(world.issuer.total_requests(), 0);
    let words = [
        "key",
        "rotate",
        "--profile",
        "vault",
        "--output",
        "new.json",
    ];
    let text = stdout(&world, &words);
    let old = &world.user.key_id;
    assert!(text.contains(&format!("key {old} stays in use")), "{text}");
    assert!(
        text.ends_with(&format!("zitadel-credential key remove {old}\n")),
        "{text}"
    );
    assert_eq!(keys(&world).len(), 2);
    let new = world.home.path().join("new.json");
    assert_eq!(mode(&new), 0o600);
    world
        .zitadel(["token", "--key-file", "new.json"])
        .assert()
        .success();
    assert_eq!(
        fs::read_to_string(&world.key_file).unwrap(),
        world.user.key_json()
    );
    // The next rotation may not remove the first one's only key.
    world
        .zitadel(words)
        .assert()
        .code(2)
        .stderr(contains("is there already"));
}

/// A pipe is empty at the second read, and a command may need a touch each time.
#[test]
fn a_key_beside_a_new_file_is_read_once() {
    let world = World::new();
    let (id, user, url) = (&world.user.key_id, &world.user.user_id, world.issuer.url());
    world.home.write("key.pem", world.user.pkcs8_pem());
    let ids = format!("--key-id {id} --user-id {user}");
    for (command, options) in [
        ("rotate", "--key-file <(cat key.json)"),
        ("rotate", &format!("--key-file <(cat key.pem) {ids}")),
        ("add", "--key-file <(cat key.json)"),
        ("add", &format!("--key-file <(cat key.pem) {ids}")),
    ] {
        let script = format!("$0 key {command} --output new.json {options}");
        let mut shell = world.home.command("bash");
        shell.args(["-c", &script]).arg(binary());
        let output = Running::start(shell).output();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
        fs::remove_file(world.home.path().join("new.json")).unwrap();
    }
    for (file, more) in [
        ("key.json", String::new()),
        (
            "key.pem",
            format!("key-id = \"{id}\"\nuser-id = \"{user}\"\n"),
        ),
    ] {
        world.home.write_config(&format!(
            "[profiles.ci]\nissuer = \"{url}\"\n\
             key-command = [\"sh\", \"-c\", \"echo run >> runs; cat {file}\"]\n{more}"
        ));
        for words in [
            &["key", "rotate", "--output", "new.json"][..],
            &["key", "add", "--output", "other.json"],
            &["key", "list"],
        ] {
            stdout(&world, words);
            let runs = world.home.path().join("runs");
            assert_eq!(fs::read_to_string(&runs).unwrap(), "run\n", "{words:?}");
            fs::remove_file(runs).unwrap();
        }
        for name in ["new.json", "other.json"] {
            fs::remove_file(world.home.path().join(name)).unwrap();
        }
    }
}

#[test]
fn an_answer_that_is_lost_leaves_no_key_behind() {
    let world = World::new();
    // The key was added, and the client asks again.
    world.issuer.fault(Endpoint::AddKey, Fault::CutMidBody, 1);
    stdout(&world, &["key", "rotate"]);
    assert_one_key(&world);
    assert_eq!(world.issuer.requests(Endpoint::AddKey), 2);
}

#[test]
fn a_key_that_was_not_removed_is_removed_by_the_next_call() {
    let world = World::new();
    let forbidden = Fault::status(403, "application/json", r#"{"code":7,"message":"no"}"#);
    world.issuer.fault(Endpoint::RemoveKey, forbidden, 1);
    world.zitadel(["key", "rotate"]).assert().code(1).stderr(
        contains("is in use, but old ones are not removed")
            .and(contains("run zitadel-credential key rotate again")),
    );
    assert_eq!(keys(&world).len(), 2);
    assert_eq!(mode(&note(&world)), 0o600);
    let told = fs::read_to_string(note(&world)).unwrap();
    assert!(
        told.contains(&world.user.key_id) && !told.contains("PRIVATE"),
        "{told}"
    );
    let dry = stdout(&world, &["key", "rotate", "--dry-run"]);
    assert!(
        dry.contains("would finish the rotation that was begun"),
        "{dry}"
    );
    // A timer's call checks too, although the key is new.
    let text = stdout(&world, &["key", "rotate", "--if-expires-within", "14d"]);
    let new = assert_one_key(&world);
    let old = &world.user.key_id;
    assert!(
        text.contains(&format!(
            "finished the rotation to key {new}; key {old} removed at ZITADEL"
        )),
        "{text}"
    );
}

#[test]
fn only_keys_of_the_note_are_removed() {
    let world = World::new();
    // Another machine added its key meanwhile.
    world.issuer.set_key_delay(Duration::from_secs(600));
    let mut command = world.home.command(binary());
    command.args(["key", "rotate"]);
    let running = Running::start(command);
    crate::support::until("it has added a key", || keys(&world).len() == 2);
    drop(running);
    world.issuer.set_key_delay(Duration::ZERO);
    stdout(&world, &["key", "add", "--output", "other.json"]);
    let other = key_file(&world.home.path().join("other.json"))["keyId"].clone();
    assert_eq!(keys(&world).len(), 3);
    stdout(&world, &["key", "rotate"]);
    let now = key_file(&world.key_file)["keyId"].clone();
    assert_eq!(
        keys(&world),
        [other.as_str().unwrap(), now.as_str().unwrap()]
    );
}

#[test]
fn a_call_whose_key_is_removed_meanwhile_fails_temporarily() {
    let world = World::new();
    // The key has signed by then.
    let late = Fault::Delay(Duration::from_secs(4));
    world.issuer.fault(Endpoint::Discovery, late, 1);
    let mut command = world.home.command(binary());
    command.arg("token");
    let running = Running::start(command);
    crate::support::until("it has asked", || {
        world.issuer.requests(Endpoint::Discovery) == 1
    });
    stdout(&world, &["key", "rotate"]);
    let output = running.output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{stderr}");
    assert!(
        stderr.contains("the key was replaced during this call"),
        "{stderr}"
    );
    world.zitadel(["token"]).assert().success();
}

/// After a power failure, the note must still name the key that was uploaded.
#[test]
fn the_note_is_on_disk_before_the_key_is_uploaded() {
    let world = World::new();
    let Some(_) = trace::watched(&world.home) else {
        return;
    };
    let mut command = world.home.command("strace");
    command.args(["-f", "-y", "-qq", "-o", "calls"]);
    command.args(["-e", "trace=/^rename,fsync", "--"]);
    command.arg(binary()).args(["key", "rotate"]);
    assert!(command.run().status.success());
    let calls = world.home.read("calls");
    let mut calls = calls.lines();
    let is_written = |call: &str| call.contains("rename") && call.contains("key.json.rotation");
    calls.find(|call| is_written(call)).unwrap();
    let next = calls.next().unwrap();
    let home = world.home.path().canonicalize().unwrap();
    let home = format!("<{}>)", home.display());
    assert!(next.contains("fsync(") && next.contains(&home), "{next}");
}
