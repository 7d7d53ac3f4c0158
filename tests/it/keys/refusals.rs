//! Refusals of `key`, and their messages.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

use predicates::prelude::*;
use predicates::str::contains;
use rustix::fs::{FlockOperation, flock};

use super::{keys, stdout};
use crate::support::issuer::Trouble;
use crate::support::{Case, Endpoint, Fault, Times, World};

#[test]
fn a_missing_role_is_explained_in_any_language() {
    let case = Case::new();
    case.world.issuer.forbid_own_keys(true);
    case.run(["key", "list"]).fails(
        1,
        snapbox::str![[r#"
zitadel-credential: error: [ISSUER]/v2/users/keys/search: HTTP 403: No matching permissions found (AUTH-AWfge)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: ask an administrator to let the service user manage its own keys (user.write, a role such as Org User Manager): this version of ZITADEL requires that

"#]],
    );
    case.world.issuer.translate(true);
    for words in [
        &["key", "rotate"][..],
        &["key", "add", "--output", "new.json"],
        &["key", "remove", "1", "--yes"],
    ] {
        case.world
            .zitadel(words)
            .assert()
            .code(1)
            .stderr(contains("Keine passende Berechtigung").and(contains("user.write")));
    }
    assert_eq!(keys(&case.world).len(), 1);
    assert!(!case.world.home.path().join("key.json.rotation").exists());
    assert!(!case.world.home.path().join("new.json").exists());
}

#[test]
fn an_api_that_does_not_know_the_user_is_explained() {
    let case = Case::new();
    let fault = Fault::status(
        404,
        "application/json",
        r#"{"code":5,"message":"Not Found"}"#,
    );
    case.world
        .issuer
        .fault(Endpoint::AddKey, fault, Times::Forever);
    case.run(["key", "add", "--output", "new.json"]).fails(
        1,
        snapbox::str![[r#"
zitadel-credential: error: [ISSUER]/v2/users/[USER_ID]/keys: HTTP 404: Not Found
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: make the key in ZITADEL (the service user's Keys, New): this version of ZITADEL does not let a user manage its own keys, or the issuer is not the user's instance

"#]],
    );
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let world = World::new();
    for name in ["key.json", ".config/zitadel-credential/config.toml"] {
        let before = fs::read(world.home.path().join(name)).unwrap();
        world
            .zitadel(["key", "add", "--output", name])
            .assert()
            .code(2)
            .stderr(contains("the file is there already"));
        assert_eq!(fs::read(world.home.path().join(name)).unwrap(), before);
    }
    for name in ["absent/key.json", "/dev/null/key.json", ".."] {
        world
            .zitadel(["key", "add", "--output", name])
            .assert()
            .code(2);
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn a_missing_directory_is_named_with_the_remedy() {
    let case = Case::new();
    for command in ["add", "rotate"] {
        case.run(["key", command, "--output", "new/dir/key.json"])
            .fails(
                2,
                snapbox::str![[r#"
zitadel-credential: error: new/dir/key.json: no new key: there is no directory new/dir
  hint: create it, or choose another directory

"#]],
            );
    }
    assert_eq!(case.requests(), 0);
}

#[test]
fn an_error_about_an_invalid_answer_shows_no_secret() {
    let world = World::new();
    for body in [
        r#"{"keyId":"../etc","keyContent":"hunter2hunter2"}"#,
        r#"{"access_token":"hunter2hunter2"}"#,
        "<html>hunter2hunter2</html>",
    ] {
        world
            .issuer
            .fault(Endpoint::AddKey, Fault::body("application/json", body), 1);
        world
            .zitadel(["key", "rotate", "-vv"])
            .assert()
            .code(1)
            .stderr(contains("hunter2").not());
        assert_eq!(keys(&world), [world.user.key_id.as_str()]);
    }
    let flood = vec![b' '; 2 * 1024 * 1024];
    world.issuer.fault(
        Endpoint::ListKeys,
        Fault::body("application/json", flood),
        1,
    );
    world
        .zitadel(["key", "list"])
        .assert()
        .code(1)
        .stderr(contains("larger than 1048576 bytes"));
    world.issuer.fault(
        Endpoint::ListKeys,
        Fault::redirect("https://elsewhere.test/"),
        1,
    );
    world
        .zitadel(["key", "list"])
        .assert()
        .code(1)
        .stderr(contains("redirects to"));
}

#[test]
fn outages_are_temporary_errors() {
    let world = World::new();
    for fault in [
        Fault::rate_limit(),
        Fault::status(
            503,
            "application/json",
            r#"{"code":14,"message":"unavailable"}"#,
        ),
        Fault::Close,
    ] {
        world
            .issuer
            .fault(Endpoint::ListKeys, fault, Times::Forever);
        world
            .zitadel(["key", "list", "--timeout", "1"])
            .assert()
            .code(75);
        world.issuer.clear_faults();
    }
    world.issuer.set_trouble(Trouble::DatabaseDown);
    world
        .zitadel(["key", "rotate", "--timeout", "1"])
        .assert()
        .code(75);
    world.issuer.set_trouble(None);
    assert_eq!(keys(&world), [world.user.key_id.as_str()]);
    stdout(&world, &["key", "list"]);
}

#[test]
fn a_damaged_note_and_one_of_another_user_stop_the_rotation() {
    let world = World::new();
    world.home.write("key.json.rotation", "{}");
    world
        .zitadel(["key", "rotate"])
        .assert()
        .code(2)
        .stderr(contains("not a note of a rotation").and(contains("rm ")));
    let other = r#"{"version":1,"issuer":"https://a.dev","user_id":"1","begun_at":"2026-01-01T00:00:00Z","expiration_date":"2027-01-01T00:00:00Z","new_key_id":"2","old_key_id":"3"}"#;
    world.home.write("key.json.rotation", other);
    world
        .zitadel(["key", "rotate"])
        .assert()
        .code(2)
        .stderr(contains("another user's key"));
    assert_eq!(keys(&world), [world.user.key_id.as_str()]);
    assert_eq!(world.issuer.requests(Endpoint::RemoveKey), 0);
}

#[test]
fn a_call_with_the_same_directory_is_waited_for() {
    let world = World::new();
    let dir = File::open(world.home.path()).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    for words in [&["rotate"][..], &["rotate", "--output", "new.json"]] {
        world
            .zitadel(["key"])
            .args(words)
            .args(["--timeout", "1"])
            .assert()
            .code(75)
            .stderr(contains("another setup or key rotation is under way"));
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn invalid_arguments_are_refused_before_any_request() {
    let case = Case::new();
    case.run(["key", "rotate", "--if-expires-within", "90d"])
        .fails(
            2,
            snapbox::str![[r#"
zitadel-credential: error: --if-expires-within is not shorter than --lifetime
  hint: give the new key a longer --lifetime: else each call would replace it

"#]],
        );
    case.run(["key", "rotate", "--lifetime", "90"]).fails(
        2,
        snapbox::str![[r#"
zitadel-credential: error: invalid value '90' for '--lifetime <SPAN>': write a number with s, m, h, d or w, such as 90d
  hint: run zitadel-credential key rotate -h for the options

"#]],
    );
    case.run(["key", "remove", "a/b", "--yes"]).fails(
        2,
        snapbox::str![[r#"
zitadel-credential: error: invalid key ID: "a/b"
  hint: use an ID of zitadel-credential key list

"#]],
    );
    let pasted = "AVqMTKIZfEuyPYwLv0uT4enfihoj50kMQ4v9gopVI6jS0xr1i0dgPDgeuWE2Mw6R";
    case.run(["key", "remove", pasted, "--yes"]).fails(
        2,
        snapbox::str![[r#"
zitadel-credential: error: invalid key ID: "[…]"
  hint: use an ID of zitadel-credential key list

"#]],
    );
    case.run(["key", "add"]).fails(
        2,
        snapbox::str![[r#"
zitadel-credential: error: missing argument --output <FILE>
  hint: usage: zitadel-credential key add --output <FILE>
  hint: run zitadel-credential key add -h for the options

"#]],
    );
    assert_eq!(case.requests(), 0);
}

/// Without the slash, the file was written.
#[test]
fn a_directory_name_is_refused_as_a_file() {
    let world = World::new();
    for (words, code) in [
        ("key add --output new.json/", 2),
        ("key add --output ./new.json/.", 2),
        ("key rotate --output new.json/", 2),
        ("token --write new.json/", 1),
        ("agent --once --write new.json/", 1),
        ("setup docker r.dev --authfile new.json/", 2),
        (
            "setup profile new --config new.toml/ --key-file key.json --issuer https://a.dev",
            2,
        ),
    ] {
        let output = world.zitadel(words.split(' ')).run();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        assert!(said.contains("the name of a directory"), "{words}: {said}");
    }
    for name in ["new.json", "new.toml"] {
        assert!(!world.home.path().join(name).exists(), "{name}");
    }
    assert_eq!(keys(&world).len(), 1);
    let words = "agent --once --write token --metrics-file m.prom/";
    let output = world.zitadel(words.split(' ')).run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("m.prom/") && said.contains("the name of a directory"),
        "{said}"
    );
    assert!(!world.home.path().join("m.prom").exists());
}

#[test]
fn a_key_that_others_can_swap_or_that_has_another_name_is_reported() {
    let world = World::new();
    let key = world.home.path().join("shared/key.json");
    world.home.write("shared/key.json", world.user.key_json());
    let dir = world.home.path().join("shared");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let rotate = |mode| {
        fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
        let mut call = world.zitadel(["key", "rotate", "--key-file", "shared/key.json"]);
        let output = call.run();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for mode in [0o777, 0o770, 0o720] {
        let said = rotate(mode);
        let told = format!("other users can write to its directory (mode 0{mode:o})");
        assert!(
            said.contains(&told) && said.contains("run chmod go-w "),
            "{said}"
        );
    }
    for mode in [0o755, 0o700, 0o1777] {
        assert_eq!(rotate(mode), "");
    }
    fs::hard_link(&key, world.home.path().join("other.json")).unwrap();
    let said = rotate(0o700);
    assert!(said.contains("has other names (hard links)"), "{said}");
    // The file was replaced.
    assert_eq!(rotate(0o700), "");
    for mode in [0o777, 0o770] {
        fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
        let mut call = world.zitadel(["key", "add", "--output", "shared/new.json"]);
        let output = call.run();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("other users can write to its directory"),
            "{said}"
        );
    }
}
