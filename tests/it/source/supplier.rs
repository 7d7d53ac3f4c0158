//! `token-file` and `token-command`: tokens from another program.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{login, printed, profile, refused};
use crate::support::exchange::now;
use crate::support::jwt::sign;
use crate::support::{Answer, ServiceUser, World};

fn jwt(user: &ServiceUser, subject: &str, expires_in: i64) -> String {
    let claims = json!({ "sub": subject, "exp": now() + expires_in });
    sign(&user.private, &json!({ "alg": "RS256" }), &claims)
}

/// Writes a profile of this line, without an issuer.
fn alone(world: &World, line: &str) {
    let rule = "[hosts.\"git.acme.dev\"]\n";
    world
        .home
        .write_config(&format!("[profiles.test]\n{line}\n{rule}"));
}

#[test]
fn a_token_file_is_read_at_each_call_and_never_cached() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    for token in ["first", "second"] {
        world.home.write("token", format!("{token}\n"));
        assert_eq!(printed(&world, &["token"]), format!("{token}\n"));
        assert_eq!(login(&world), ("token".to_owned(), token.to_owned()));
        assert_eq!(
            printed(&world, &["token", "--refresh"]),
            format!("{token}\n")
        );
    }
    assert_eq!(
        printed(&world, &["cache", "list", "--output", "json"]).trim(),
        "[]"
    );
    assert_eq!(world.issuer.total_requests(), 0);
    for words in [&["--token-file", "token"][..], &[]] {
        let mut call = world.zitadel([&["token", "--config", "/dev/null"], words].concat());
        if words.is_empty() {
            call.env("ZITADEL_CREDENTIAL_TOKEN_FILE", "~/token");
        }
        assert_eq!(call.run().stdout, b"second\n");
    }
}

/// These are the forms of `token --output json` and of an OAuth response.
#[test]
fn the_expiry_comes_from_json_or_the_jwt() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    let user = &world.user;
    let end = |text: &str| -> Value {
        let answer: Value = serde_json::from_str(text).unwrap();
        answer["expires_at"].clone()
    };
    let made = printed(
        &world,
        &[
            "token",
            "--output",
            "json",
            "--config",
            "/dev/null",
            "--key-file",
            "key.json",
            "--issuer",
            &world.issuer.url(),
        ],
    );
    world.home.write("token", &made);
    let read = printed(&world, &["token", "--output", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&read).unwrap()["access_token"],
        serde_json::from_str::<Value>(&made).unwrap()["access_token"]
    );
    assert!(end(&read).is_string());
    world.home.write("token", jwt(user, "u", 3600));
    assert!(end(&printed(&world, &["token", "--output", "json"])).is_string());
    world.home.write("token", "opaque");
    assert!(end(&printed(&world, &["token", "--output", "json"])).is_null());
    world
        .home
        .write("token", r#"{"access_token":"a","expires_in":60}"#);
    assert!(end(&printed(&world, &["token", "--output", "json"])).is_string());
}

#[test]
fn an_expired_token_is_reported_and_not_returned() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    world.home.write("token", jwt(&world.user, "u", -1));
    for words in [&["token"][..], &["kubectl"], &["exec", "--", "true"]] {
        let said = refused(&world, words, 75);
        assert!(said.contains("its token expired at"), "{said}");
        assert!(said.contains("check what writes this file"), "{said}");
    }
    // A token near its expiry is still valid.
    world.home.write("token", jwt(&world.user, "u", 20));
    printed(&world, &["token"]);
}

#[test]
fn an_invalid_token_is_reported_without_its_content() {
    let key = World::new().user.pkcs1_pem();
    for (text, code, why) in [
        ("", 75, "empty"),
        ("SECRET WORD", 1, "not a token"),
        (
            &*format!("{{\"key\": \"{}\"}}", key.replace('\n', "\\n")),
            1,
            "a private key, not a token",
        ),
        ("{\"access_token\": \"SECRET WORD\"}", 1, "not a token"),
        (
            "{\"token\": \"SECRET\"}",
            1,
            "JSON without a text access_token",
        ),
        (
            "{\"access_token\": \"a\", \"expires_in\": \"SECRET\"}",
            1,
            "expires_in is not a number",
        ),
    ] {
        let world = World::new();
        alone(&world, "token-file = \"~/token\"");
        world.home.write("token", text);
        let said = refused(&world, &["token"], code);
        assert!(said.contains(why) && !said.contains("SECRET"), "{said}");
    }
    let world = World::new();
    alone(&world, "token-file = \"~/absent\"");
    let said = refused(&world, &["token"], 2);
    assert!(said.contains("absent: no such file or directory"), "{said}");
    assert!(said.contains("--token-file"), "{said}");
}

#[test]
fn the_username_is_the_subject_where_a_tool_can_take_it() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    for (subject, expected) in [("100507", "100507"), ("a b", "token"), ("x\ny", "token")] {
        world.home.write("token", jwt(&world.user, subject, 3600));
        assert_eq!(login(&world).0, expected);
    }
}

#[test]
fn a_commands_token_is_cached_while_its_expiry_is_known() {
    for (answer, runs) in [
        (r#"{"access_token":"abc","expires_in":3600}"#, "x"),
        ("abc", "xx"),
    ] {
        let world = World::new();
        let script = "printf x >> runs; echo \"$ANSWER\"";
        alone(
            &world,
            &format!("token-command = [\"sh\", \"-c\", '''{script}''']"),
        );
        for _ in 0..2 {
            let mut call = world.zitadel(["token"]);
            let output = call.env("ANSWER", answer).run();
            assert_eq!(output.stdout, b"abc\n");
        }
        assert_eq!(world.home.read("runs"), runs, "{answer}");
    }
}

/// A server refused the token, and there is no issuer to ask.
#[test]
fn a_refused_token_of_a_command_is_asked_for_again() {
    let world = World::new();
    let script = "printf x >> runs; echo \"{\\\"access_token\\\":\\\"t$(wc -c < runs)\\\",\\\"expires_in\\\":3600}\"";
    alone(
        &world,
        &format!("token-command = [\"sh\", \"-c\", '''{script}''']"),
    );
    assert_eq!(login(&world).1, "t1");
    let mut erase = world.zitadel(["git", "erase"]);
    erase.write_stdin("protocol=https\nhost=git.acme.dev\nusername=token\npassword=t1\n\n");
    assert!(erase.run().status.success());
    let mut get = world.zitadel(["git", "get", "-v"]);
    get.write_stdin("protocol=https\nhost=git.acme.dev\n\n");
    let said = String::from_utf8(get.run().stderr).unwrap();
    assert!(
        said.contains("a server refused the token: requesting another one"),
        "{said}"
    );
    assert!(!said.contains("issuer"), "nobody was asked: {said}");
    assert_eq!(login(&world).1, "t2");
    assert_eq!(login(&world).1, "t2");
}

/// With an issuer, the token can be checked there.
#[test]
fn whoami_and_doctor_ask_the_issuer_if_there_is_one() {
    let world = World::new();
    let token = crate::support::exchange::access_token(&answer(&world));
    world.home.write("token", &token);
    profile(&world, "token-file = \"~/token\"");
    let told = printed(&world, &["whoami"]);
    assert!(told.contains(&world.user.user_id), "{told}");
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("has a token"), "{text}");
    alone(&world, "token-file = \"~/token\"");
    let said = refused(&world, &["whoami"], 2);
    assert!(said.contains("no issuer is configured"), "{said}");
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("no issuer is configured"), "{text}");
}

fn answer(world: &World) -> Answer {
    crate::support::exchange::token(&world.issuer, &world.user)
}

#[test]
fn setup_writes_a_profile_for_a_token_file() {
    let world = World::new();
    world.home.write("token", "abc");
    let said = printed(
        &world,
        &["setup", "profile", "pat", "--token-file", "token"],
    );
    assert!(said.contains("gave an opaque token"), "{said}");
    let config = world.home.read(".config/zitadel-credential/config.toml");
    assert!(config.contains("token-file = \""), "{config}");
    assert_eq!(printed(&world, &["token", "--profile", "pat"]), "abc\n");
}

/// The token is read from this file.
#[test]
fn no_token_is_written_over_a_token_file() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    world.home.write("token", "abc");
    let said = refused(&world, &["token", "--write", "token"], 2);
    assert!(
        said.contains("the token would replace the token file of a profile"),
        "{said}"
    );
}

/// The same words may be another program in another directory.
#[test]
fn the_cache_separates_programs_of_the_same_name() {
    let world = World::new();
    let script = |name: &str| {
        let text =
            format!("#!/bin/sh\necho '{{\"access_token\":\"{name}\",\"expires_in\":3600}}'\n");
        for place in [format!("{name}/gt"), format!("{name}/config/gt")] {
            let program = world.home.write(place, &text);
            fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        }
    };
    script("one");
    script("two");
    for name in ["one", "two"] {
        alone(&world, "token-command = [\"gt\"]");
        let path = format!("{}:/usr/bin:/bin", world.home.path().join(name).display());
        let mut call = world.zitadel(["token"]);
        assert_eq!(
            call.env("PATH", path).run().stdout,
            format!("{name}\n").as_bytes()
        );
        // A path is relative to the config file, and not to the directory of the call.
        let config = world.home.write(
            format!("{name}/config/c.toml"),
            "[profiles.p]\ntoken-command = [\"./gt\"]\n",
        );
        let mut call = world.zitadel(["token"]);
        call.arg("--config")
            .arg(config)
            .current_dir(world.home.path().join("one"));
        assert_eq!(call.run().stdout, format!("{name}\n").as_bytes());
    }
}

/// kubectl and others cannot read a date after the year 9999.
#[test]
fn a_huge_expiry_becomes_one_that_tools_can_read() {
    let world = World::new();
    alone(&world, "token-file = \"~/token\"");
    for text in [
        r#"{"access_token":"a","expires_at":253402343969}"#,
        r#"{"access_token":"a","expires_in":1e300}"#,
        r#"{"access_token":"a","expires_in":18446744073709551615}"#,
    ] {
        world.home.write("token", text);
        let answer = printed(&world, &["kubectl"]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let end = answer["status"]["expirationTimestamp"].as_str().unwrap();
        assert!(end.starts_with("21") && end.ends_with('Z'), "{end}");
    }
    world
        .home
        .write("token", r#"{"access_token":"a","expires_in":59.5}"#);
    printed(&world, &["token"]);
}

#[test]
fn no_token_is_written_over_a_profiles_file_even_if_it_is_broken() {
    let world = World::new();
    world.home.write("token", "abc");
    let rest = "[profiles.bad]\nkey-file = \"~/victim.json\"\npublic-key-file = \"~/x.pub\"\n\
        [profiles.run]\nkey-command = [\"~/run\"]\n";
    for name in ["victim.json", "x.pub", "run", "key.json.rotation"] {
        world.home.write_config(&format!(
            "[profiles.test]\ntoken-file = \"~/token\"\n{rest}"
        ));
        world.home.write(name, "kept");
        for words in [
            &["token", "--profile", "test", "--write", name][..],
            &[
                "agent",
                "--once",
                "--profile",
                "test",
                "--write",
                "other",
                "--metrics-file",
                name,
            ],
        ] {
            let output = world.zitadel(words).run();
            assert!(!output.status.success(), "{words:?}");
            assert_eq!(world.home.read(name), "kept", "{words:?}");
        }
    }
}

#[test]
fn a_failing_token_command_gets_a_hint_of_each_form() {
    let world = World::new();
    for (script, hint) in [
        (
            "exit 1",
            "it must print only the token, or JSON with access_token, and exit with 0",
        ),
        (
            "true",
            "it must print only the token, or JSON with access_token, and exit with 0",
        ),
        (
            "echo a b",
            "it must print one token and nothing else, or JSON",
        ),
    ] {
        alone(
            &world,
            &format!("token-command = [\"sh\", \"-c\", \"{script}\"]"),
        );
        let said = refused(&world, &["token"], 1);
        assert!(said.contains(hint), "{script}: {said}");
    }
    alone(&world, "token-file = \"~/token\"");
    for (text, hint) in [
        (
            "a b".to_owned(),
            "it must hold one token and nothing else, or JSON",
        ),
        (
            "a".repeat(2 << 20),
            "name a file with one token, or JSON with access_token",
        ),
    ] {
        world.home.write("token", text);
        let said = refused(&world, &["token"], 1);
        assert!(said.contains(hint), "{said}");
    }
}

/// Another program got the token, at any time.
#[test]
fn doctor_does_not_call_a_read_token_new() {
    let world = World::new();
    world.home.write("token", jwt(&world.user, "7", 600));
    for (lines, origin) in [
        (
            "token-file = \"~/token\"",
            "from the file, not verified, a JWT",
        ),
        (
            "token-command = [\"cat\", \"token\"]",
            "from the command, not verified, a JWT",
        ),
    ] {
        alone(&world, lines);
        let text = printed(&world, &["doctor"]);
        assert!(text.contains(origin) && !text.contains("new,"), "{text}");
    }
    let token = printed(
        &world,
        &[
            "token",
            "--config",
            "/dev/null",
            "--key-file",
            "key.json",
            "--issuer",
            &world.issuer.url(),
        ],
    );
    world.home.write("token", token);
    profile(&world, "token-file = \"~/token\"");
    let text = printed(&world, &["doctor"]);
    assert!(
        text.contains("from the file, opaque, ") && text.contains("ok       userinfo"),
        "{text}"
    );
}
