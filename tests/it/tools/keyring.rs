//! `keyring`: its command line at the process's edge.

mod errors;
mod negative;
mod setup;

use serde_json::{Value, json};

use crate::support::{Run, World};

const URL: &str = "https://pypi.acme.dev/simple/";

fn world() -> World {
    let world = World::new();
    world.allow("pypi.acme.dev");
    world.allow("named.acme.dev");
    world.home.append_config("username = \"ci\"\n");
    world
}

/// Returns the exit code, stdout and stderr.
fn asked(world: &World, words: &[&str]) -> (i32, String, String) {
    let output = world
        .home
        .command(world.home.link("keyring"))
        .args(words)
        .run();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8(text);
        text.unwrap()
    });
    (output.status.code().unwrap(), stdout, stderr)
}

fn answered(world: &World, words: &[&str]) -> String {
    let (code, stdout, stderr) = asked(world, words);
    assert_eq!((code, &*stderr), (0, ""), "{words:?}");
    stdout
}

#[test]
fn a_password_is_the_token_on_a_line() {
    let world = world();
    let answer = answered(&world, &["get", URL, "__token__"]);
    assert!(world.issuer.accepts(answer.strip_suffix('\n').unwrap()));
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn credentials_have_the_requested_username_the_rules_or_the_user_id() {
    let world = world();
    let token = answered(&world, &["get", URL, "x"]);
    let token = token.trim_end();
    let user_id = world.user.user_id.as_str();
    for (url, username, expected) in [
        (URL, Some("__token__"), "__token__"),
        (URL, None, user_id),
        ("https://named.acme.dev/", None, "ci"),
        ("https://named.acme.dev/", Some("ci"), "ci"),
        // The username is in the URL, as PDM sends it, or empty.
        ("https://ci@pypi.acme.dev/simple/", Some("ci"), "ci"),
        ("https://ci@pypi.acme.dev/simple/", Some(""), "ci"),
        ("https://ci@pypi.acme.dev/simple/", None, "ci"),
        (URL, Some(""), user_id),
        ("https://ci@named.acme.dev/", Some("ci"), "ci"),
        ("https://named.acme.dev/", Some(""), "ci"),
    ] {
        // uv asks first, then pip.
        let words = [&["get", url], username.as_slice(), &["--mode", "creds"]].concat();
        let plain = answered(&world, &words);
        assert_eq!(plain, format!("{expected}\n{token}\n"));
        let words = [
            &["--mode=creds", "--output=json", "get", url],
            username.as_slice(),
        ];
        let json: Value = serde_json::from_str(&answered(&world, &words.concat())).unwrap();
        assert_eq!(json, json!({ "username": expected, "password": token }));
    }
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_host_without_a_rule_gets_exit_1_and_no_output() {
    let world = world();
    for (url, username) in [
        ("https://pypi.org/simple/", "ci"),
        ("http://pypi.acme.dev/simple/", "ci"),
        ("pypi.acme.dev", "ci"),
        ("https://named.acme.dev/", "eve"),
        ("https://eve@named.acme.dev/", ""),
        ("https://ci@pypi.acme.dev/simple/", "eve"),
        ("https://ci:secret@pypi.acme.dev/simple/", "ci"),
        ("https://ci@evil.dev/simple/", "ci"),
    ] {
        for operation in ["get", "del"] {
            let said = asked(&world, &[operation, url, username]);
            assert_eq!(said, (1, String::new(), String::new()), "{url}");
        }
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn del_makes_the_next_get_fetch_another() {
    let world = world();
    let first = answered(&world, &["get", URL, "ci"]);
    assert_eq!(answered(&world, &["del", URL, "ci"]), "");
    assert_ne!(answered(&world, &["get", URL, "ci"]), first);
}

#[test]
fn set_is_refused_and_says_why() {
    let (code, stdout, stderr) = asked(&world(), &["set", URL, "ci"]);
    assert_eq!((code, &*stdout), (1, ""));
    assert_eq!(
        stderr,
        "zitadel-credential: error: keyring set is not supported\n  \
         hint: use another keyring to store passwords: this one only supplies tokens\n"
    );
}

#[test]
fn a_password_without_a_username_is_refused_as_keyring_does() {
    for words in [["get", URL].as_slice(), &["del", URL]] {
        let (code, stdout, stderr) = asked(&world(), words);
        assert_eq!((code, &*stdout), (2, ""));
        assert_eq!(
            stderr,
            "zitadel-credential: error: keyring: missing username after the service\n  \
             hint: add the username, or use get with --mode creds\n"
        );
    }
}
