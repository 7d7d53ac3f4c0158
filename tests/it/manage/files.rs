//! The files that `cache clear` removes.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::Duration;

use predicates::str::contains;

use super::{listed, world};
use crate::support::entry::{files, only};
use crate::support::issuer::TokenKind;
use crate::support::{Endpoint, Fault, Running, Times, World, binary};

#[test]
fn a_web_identity_file_is_cleared_with_and_without_its_entry() {
    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    let exec = ["exec", "--write-web-identity", "--", "true"];
    for clear in [
        ["cache", "clear"].as_slice(),
        &["cache", "clear", "--key-id", &world.user.key_id],
    ] {
        world.zitadel(exec).assert().success();
        assert_eq!(files(&world.home, "token").len(), 1);
        world.zitadel(clear).assert().success();
        assert_eq!(files(&world.home, "token").len(), 0);
    }
    world.zitadel(exec).assert().success();
    fs::remove_file(only(&world.home)).unwrap();
    world.zitadel(["cache", "clear"]).assert().success();
    assert_eq!(files(&world.home, "token").len(), 0);
}

#[test]
fn a_lock_in_use_is_never_removed() {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    let lock = files(&world.home, "lock").remove(0);
    let held = File::open(&lock).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    world.zitadel(["cache", "clear"]).assert().success();
    assert_eq!(files(&world.home, "json").len(), 0);
    assert!(lock.exists());
}

#[test]
fn possible_token_files_are_removed_only_by_a_full_clear() {
    let world = world();
    let entry = files(&world.home, "json").remove(0);
    let foreign = entry.with_file_name("00000000000000000000000000000000.json");
    let written = entry.with_file_name(".zitadel-credential-abc123");
    fs::copy(&entry, &foreign).unwrap();
    fs::copy(&entry, &written).unwrap();
    assert_eq!(listed(&world, &[]).len(), 2);
    let clear = |options: &[&str]| {
        world
            .zitadel(["cache", "clear"])
            .args(options)
            .assert()
            .success();
    };
    clear(&["--key-id", &world.user.key_id]);
    assert!(foreign.exists() && written.exists());
    clear(&[]);
    assert!(!foreign.exists() && !written.exists());
}

#[test]
fn files_of_other_programs_stay() {
    let world = world();
    let digest = "00000000000000000000000000000000";
    let others = [
        "v1/pets/openapi.json".to_owned(),
        "v1/pets/access.token".to_owned(),
        format!("v1/pets/{}.json", &digest[1..]),
        format!("v1/pets/{digest}.yaml"),
        format!("v1/pets.d/{digest}.json"),
        format!("v1/{digest}.json"),
        "openapi.json".to_owned(),
        format!("v2/pets/{digest}.json"),
    ];
    let others = others.map(|name| world.home.write(format!("api/{name}"), "{}"));
    let fill = ["token", "--cache-dir", "api"];
    world.zitadel(fill).assert().success();
    let truncated = world
        .home
        .write(format!("api/v1/pets/{digest}.json"), "{\"acc");
    world
        .zitadel(["cache", "clear", "--cache-dir", "api"])
        .assert()
        .success()
        .stdout(contains("1 token removed"));
    for other in others {
        assert!(other.exists(), "{}", other.display());
    }
    assert!(!truncated.exists());
}

/// The name of another program's file, or of a damaged entry of ours.
const DIGEST: &str = "0123456789abcdef0123456789abcdef";

/// Returns the output of `cache clear`.
fn said_by_clear(world: &World, options: &[&str]) -> String {
    let output = world.zitadel(["cache", "clear"]).args(options).run();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Clears the cache in `api`, beside one entry of ours. Returns the output.
fn cleared(world: &World) -> String {
    let fill = ["token", "--cache-dir", "api"];
    world.zitadel(fill).assert().success();
    let said = said_by_clear(world, &["--cache-dir", "api"]);
    assert!(said.starts_with("1 token removed; "), "{said}");
    said
}

#[test]
fn files_of_other_programs_stay_also_if_their_names_have_our_form() {
    let jwt = format!("{}.{}.c2ln", "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiIxIn0");
    for (name, content) in [
        ("json", "{\"name\":\"Rex\"}"),
        ("json", "[1]"),
        ("json", "{\"name\":\"Re"),
        ("json", "not JSON"),
        ("json", "{\"access_token\":\"abc\",\"expires_at\":1}"),
        // These are a discovery document and a part of one.
        (
            "json",
            "{\"issuer\":\"https://a.test\",\"token_endpoint\":\"t\",\"userinfo_endpoint\":\"u\"}",
        ),
        ("json", "{\"issuer\":\"https://a.test\",\"token_end"),
        ("token", "{}"),
        ("token", "a sentence of another program"),
        // No file beside it is ours.
        ("token", &jwt),
        ("lock", "4711\n"),
        ("parents", "mother, father"),
    ] {
        let world = World::new();
        let other = world
            .home
            .write(format!("api/v1/pets/{DIGEST}.{name}"), content);
        let said = cleared(&world);
        assert!(
            said.ends_with("\n1 file of other programs stays in api\n"),
            "{name} {content}: {said}"
        );
        assert_eq!(fs::read_to_string(other).unwrap(), content);
    }
    let world = World::new();
    let (dir, link) = (
        format!("api/v1/pets/{DIGEST}.json/its.json"),
        format!("api/v1/pets/{}.json", DIGEST.replace('0', "1")),
    );
    world.home.write(dir.as_str(), "{}");
    let target = world.home.write("api/target.json", "");
    symlink(target, world.home.path().join(&link)).unwrap();
    world
        .home
        .write("api/v1/pets/.zitadel-credential-notes", "a note");
    let said = cleared(&world);
    assert!(
        said.contains("3 files of other programs stay in "),
        "{said}"
    );
    for stays in [dir, link] {
        assert!(world.home.path().join(&stays).exists(), "{stays}");
    }
}

#[test]
fn our_damaged_files_are_removed() {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    let whole = fs::read(only(&world.home)).unwrap();
    let place = only(&world.home).parent().unwrap().to_owned();
    let mut zeroed = whole.clone();
    zeroed[..30].fill(0);
    let mut flipped = whole.clone();
    let key_id = String::from_utf8_lossy(&whole).find("key_id").unwrap();
    flipped[key_id] ^= 1;
    let cut_off = [0, 1, 5, 12, 40, whole.len() / 2, whole.len() - 1];
    let cut_off = cut_off.map(|end| whole[..end].to_vec());
    let damaged = [whole.clone(), zeroed, flipped, vec![0; 512]];
    for damaged in cut_off.into_iter().chain(damaged) {
        for name in [
            format!("{DIGEST}.json"),
            ".zitadel-credential-abc123".into(),
        ] {
            let file = place.join(name);
            fs::write(&file, &damaged).unwrap();
            fs::write(place.join(format!("{DIGEST}.lock")), "").unwrap();
            let said = said_by_clear(&world, &[]);
            assert!(!said.contains("other programs"), "{said}");
            assert!(!file.exists(), "{:?}", String::from_utf8_lossy(&damaged));
            let lock = place.join(format!("{DIGEST}.lock"));
            let had_entry = file.extension().is_some();
            assert_eq!(!lock.exists(), had_entry, "the lock goes with its entry");
        }
    }
}

#[test]
fn a_lock_of_a_damaged_entry_stays_while_it_is_in_use() {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    fs::write(only(&world.home), "{\"issuer\":\"ht").unwrap();
    let lock = files(&world.home, "lock").remove(0);
    let held = File::open(&lock).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    world
        .zitadel(["cache", "clear"])
        .assert()
        .success()
        .stdout("0 tokens removed\n");
    assert_eq!(files(&world.home, "json").len(), 0);
    assert!(lock.exists());
    drop(held);
}

#[test]
fn a_broken_lock_does_not_prevent_removal() {
    let world = world();
    for lock in files(&world.home, "lock") {
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
    }
    world
        .zitadel(["cache", "clear"])
        .assert()
        .success()
        .stdout(contains("2 tokens removed"));
    assert_eq!(files(&world.home, "json").len(), 0);
}

#[test]
fn clearing_beside_waiting_processes_makes_no_storm() {
    let world = World::new();
    let slow = Fault::Delay(Duration::from_millis(300));
    world.issuer.fault(Endpoint::Token, slow, Times::Forever);
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let mut command = world.home.command(binary());
            command.arg("token");
            Running::start(command)
        })
        .collect();
    let mut clears = 0;
    while world.issuer.token_requests() == 0 || clears < 5 {
        world.zitadel(["cache", "clear"]).assert().success();
        clears += 1;
    }
    for running in waiting {
        let output = running.output();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    }
    let mints = world.issuer.token_requests();
    assert!(mints <= clears + 1, "{mints} mints for {clears} clears");
}
