//! `key list`, `key add`, `key rotate`, `key remove`: their effects at ZITADEL and on the
//! key file.

mod refusals;
mod rotate;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use crate::support::entry::files;
use crate::support::screen::Screen;
use crate::support::{Endpoint, Fault, Jwt, World};

/// The start of 2030.
pub const SOON: i64 = 1_893_456_000;

/// The end of the year 9999: ZITADEL's expiry of a key without one.
pub const NEVER: i64 = 253_402_300_799;

pub fn key_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// Returns the IDs of the keys of the world's user.
pub fn keys(world: &World) -> Vec<String> {
    world.issuer.key_ids(&world.user.user_id)
}

pub fn stdout(world: &World, words: &[&str]) -> String {
    let output = world.zitadel(words).run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {stderr}");
    assert_eq!(stderr, "", "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_list_shows_each_key_and_which_is_in_use() {
    let world = World::new();
    world.issuer.set_key_expiry(&world.user.key_id, SOON);
    let other = world.issuer.new_user();
    stdout(&world, &["key", "add", "--output", "new.json"]);
    let new = key_file(&world.home.path().join("new.json"));

    let text = stdout(&world, &["key", "list"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("KEY ID "), "{text}");
    assert!(lines[1].starts_with(new["keyId"].as_str().unwrap()));
    let own = format!(
        "{}  1970-01-01T00:00:00Z  2030-01-01T00:00:00Z  in use",
        world.user.key_id
    );
    assert_eq!(lines[2], own);
    assert!(!text.contains(&other.key_id));

    let json = stdout(&world, &["key", "list", "--output", "json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["key_id"], new["keyId"]);
    assert_eq!(listed[0]["expires_at"], new["expirationDate"]);
    assert_eq!(listed[0]["in_use"], false);
    assert_eq!(listed[1]["in_use"], true);
    assert_eq!(listed[1]["user_id"], world.user.user_id);
    assert_eq!(listed[1]["issuer"], world.issuer.url());
    assert_eq!(listed[1]["created_at"], "1970-01-01T00:00:00Z");
}

#[test]
fn a_key_without_an_end_never_expires() {
    let world = World::new();
    assert!(stdout(&world, &["key", "list"]).contains("  never    in use\n"));
    let json = stdout(&world, &["key", "list", "--output", "json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert!(listed[0]["expires_at"].is_null());
}

#[test]
fn more_keys_than_an_answer_has_are_all_listed() {
    let world = World::new();
    for _ in 0..130 {
        let more = world.user.clone();
        let id = fastrand::u64(100_000_000_000_000_000..).to_string();
        world.issuer.register(&more.with_key_id(id));
    }
    assert_eq!(stdout(&world, &["key", "list"]).lines().count(), 132);
    // The total includes keys of other users.
    world.issuer.new_user();
    assert_eq!(stdout(&world, &["key", "list"]).lines().count(), 132);
}

#[test]
fn the_api_token_is_requested_once_and_never_stored() {
    let world = World::new();
    stdout(&world, &["key", "list"]);
    assert_eq!(world.issuer.token_requests(), 1);
    let scope = world.issuer.last_token_request().form_value("scope");
    let expected = "openid urn:zitadel:iam:org:project:id:zitadel:aud";
    assert_eq!(scope.as_deref(), Some(expected));
    assert!(files(&world.home, "json").is_empty());
    let token = world.issuer.issued_tokens().remove(0);
    for node in crate::support::tree(world.home.path(), &[]).values() {
        assert!(!format!("{node:?}").contains(&token));
    }
}

#[test]
fn an_added_key_works_and_its_private_half_is_never_sent() {
    let world = World::new();
    let text = stdout(&world, &["key", "add", "--output", "new.json"]);
    let path = world.home.path().join("new.json");
    let new = key_file(&path);
    let (id, end) = (
        new["keyId"].as_str().unwrap(),
        new["expirationDate"].as_str().unwrap(),
    );
    assert_eq!(
        text,
        format!("[new.json]: new key {id}, valid until {end}\n").replace(['[', ']'], "")
    );
    assert_eq!(mode(&path), 0o600);
    assert_eq!(new["userId"], world.user.user_id);
    assert_eq!(new["type"], "serviceaccount");
    assert_eq!(keys(&world), [world.user.key_id.as_str(), id]);
    // The key got a token before the file was written.
    let assertion = world.issuer.last_token_request().form_value("assertion");
    assert_eq!(Jwt::parse(&assertion.unwrap()).unwrap().key_id(), Some(id));
    let output = world.zitadel(["token", "--key-file", "new.json"]).run();
    assert!(output.status.success());

    let pem = new["key"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let secret = pem.lines().nth(3).unwrap();
    for request in world.issuer.log(Endpoint::Any) {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!text.contains(secret), "{}", request.target);
    }
    assert!(!world.home.path().join("new.json.rotation").exists());
}

#[test]
fn an_added_key_has_the_requested_lifetime() {
    let world = World::new();
    let now = crate::support::exchange::now();
    for (lifetime, secs) in [(None, 90 * 86_400), (Some("36h"), 36 * 3600)] {
        let mut words = vec!["key", "add", "--output", "new.json"];
        words.extend(lifetime.iter().flat_map(|span| ["--lifetime", span]));
        stdout(&world, &words);
        let path = world.home.path().join("new.json");
        let end = key_file(&path)["expirationDate"]
            .as_str()
            .unwrap()
            .to_owned();
        let end = zitadel_credential::text::clock::UnixTime::parse_rfc3339(&end).unwrap();
        let end = i64::try_from(end.as_secs()).unwrap();
        assert!(
            (0..60).contains(&(end - now - secs)),
            "{end} - {now} - {secs}"
        );
        fs::remove_file(path).unwrap();
    }
}

/// The key is in its file by then, and works.
#[test]
fn a_new_file_is_complete_even_if_the_last_request_fails() {
    for words in [
        ["key", "add", "--output", "new.json"],
        ["key", "rotate", "--output", "new.json"],
    ] {
        let world = World::new();
        let forbidden = Fault::status(403, "application/json", r#"{"code":7,"message":"no"}"#);
        // The first response is lost, so the key is added twice.
        world.issuer.fault(Endpoint::AddKey, Fault::CutMidBody, 1);
        world.issuer.fault(Endpoint::ListKeys, forbidden, 1);
        let warning = "new.json: the new key works, but ZITADEL may have a second copy of it: ";
        world
            .zitadel(words)
            .assert()
            .success()
            .stdout(contains("new.json: new key "))
            .stderr(contains(warning).and(contains("; check with zitadel-credential key list")));
        let file = world.home.path().join("new.json");
        let new = key_file(&file)["keyId"].clone();
        assert!(!world.home.path().join("new.json.rotation").exists());
        world
            .zitadel(["token", "--key-file", "new.json"])
            .assert()
            .success();
        // The same call later removes no key, wherever the file is by then.
        fs::rename(&file, world.home.path().join("stored.json")).unwrap();
        stdout(&world, &words);
        assert_eq!(keys(&world).len(), 4);
        assert!(keys(&world).contains(&new.as_str().unwrap().to_owned()));
    }
}

#[test]
fn a_removed_key_is_gone_and_the_one_in_use_stays() {
    let world = World::new();
    stdout(&world, &["key", "add", "--output", "new.json"]);
    let id = keys(&world).pop().unwrap();
    world
        .zitadel(["key", "remove", &world.user.key_id, "--yes"])
        .assert()
        .code(2)
        .stderr(contains("is in use by this profile").and(contains("key rotate")));
    world
        .zitadel(["key", "remove", &id])
        .assert()
        .code(2)
        .stderr(contains("no terminal to ask for confirmation").and(contains("--yes")));
    assert_eq!(keys(&world).len(), 2);
    let text = stdout(&world, &["key", "remove", &id, "--yes"]);
    let rest = "removed; its tokens stay valid at ZITADEL until they expire";
    assert_eq!(text, format!("key {id} {rest}\n"));
    assert_eq!(keys(&world), [world.user.key_id.as_str()]);
    for unknown in [&id, &world.issuer.new_user().key_id] {
        world
            .zitadel(["key", "remove", unknown, "--yes"])
            .assert()
            .code(1)
            .stderr(contains(format!("has no key {unknown}")));
    }
}

#[test]
fn the_user_is_asked_before_a_key_is_removed() {
    if crate::support::program::client("script").is_none() {
        return;
    }
    let world = World::new();
    stdout(&world, &["key", "add", "--output", "new.json"]);
    let id = keys(&world).pop().unwrap();
    let remove = |answer: &str| {
        let mut screen = Screen::of(&world.home, &format!("key remove {id}"));
        screen.answers("? [y/N] ", answer);
        screen.end()
    };
    for answer in ["", "n", "maybe"] {
        let (code, shown) = remove(answer);
        assert_eq!(code, Some(1), "{shown}");
        assert!(
            shown.contains(&format!("Remove key {id}, created 20")),
            "{shown}"
        );
        assert!(shown.ends_with("nothing removed\n"), "{shown}");
        assert_eq!(keys(&world).len(), 2);
    }
    let (code, shown) = remove("y");
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(keys(&world), [world.user.key_id.as_str()]);
}

#[test]
fn the_api_gets_its_own_token_for_any_profile() {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    let cached = files(&world.home, "json");
    let before: Vec<_> = cached.iter().map(|path| fs::read(path).unwrap()).collect();
    for words in [
        &[
            "key",
            "list",
            "--project",
            "7",
            "--roles",
            "--scope",
            "profile",
        ][..],
        &["key", "list", "--zitadel-api"],
        &["key", "list", "--refresh"],
    ] {
        stdout(&world, words);
        let scope = world.issuer.last_token_request().form_value("scope");
        let expected = "openid urn:zitadel:iam:org:project:id:zitadel:aud";
        assert_eq!(scope.as_deref(), Some(expected));
    }
    let after: Vec<_> = cached.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(after, before);
    assert_eq!(files(&world.home, "json"), cached);
}

#[test]
fn a_key_that_has_expired_is_marked() {
    let world = World::new();
    let old = world
        .user
        .clone()
        .with_key_id("317240000000000009".to_owned());
    world.issuer.register(&old);
    world.issuer.set_key_expiry(&old.key_id, 1_600_000_000);
    let text = stdout(&world, &["key", "list"]);
    let line = |id: &str| text.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line(&old.key_id).ends_with("Z  expired"), "{text}");
    assert!(line(&world.user.key_id).ends_with("  in use"), "{text}");
    let json = stdout(&world, &["key", "list", "--output", "json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    for key in listed.as_array().unwrap() {
        assert_eq!(key["expired"], key["key_id"] == old.key_id, "{json}");
    }
}
