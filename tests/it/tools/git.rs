//! `git`: the protocol at the process's edge.

mod doctor;
mod errors;
mod negative;
mod setup;

use std::fs;

use predicates::prelude::*;
use predicates::str::{contains, is_empty};

use crate::support::entry::{age_check, files, only};
use crate::support::{Command, Endpoint, Fault, Times, World};

const GET: &str = "protocol=https\nhost=git.acme.dev\n\n";

fn world() -> World {
    let world = World::new();
    world.home.append_config(
        "[hosts.\"git.acme.dev\"]\nprofile = \"test\"\nusername = \"ci\"\n\
         [hosts.\"old.acme.dev\"]\nallow-http = true\n",
    );
    world
}

fn asked(world: &World, operation: &str, message: &str) -> String {
    let output = world.zitadel(["git", operation]).write_stdin(message).run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn password(answer: &str) -> &str {
    let mut lines = answer.lines();
    lines.find_map(|l| l.strip_prefix("password=")).unwrap()
}

#[test]
fn a_host_with_a_rule_gets_a_login() {
    let world = world();
    let answer = asked(&world, "get", GET);
    assert!(world.issuer.accepts(password(&answer)));
    assert!(answer.starts_with("username=ci\npassword="), "{answer}");
    assert!(answer.contains("\npassword_expiry_utc="), "{answer}");
    let plain = asked(&world, "get", "protocol=http\nhost=old.acme.dev\n\n");
    let user_id = &world.user.user_id;
    assert!(
        plain.starts_with(&format!("username={user_id}\n")),
        "{plain}"
    );
    assert_eq!(world.issuer.token_requests(), 1, "one token for both");
}

#[test]
fn a_requested_username_is_kept_and_an_empty_one_is_ignored() {
    let world = world();
    let user_id = world.user.user_id.as_str();
    for (host, username, expected) in [
        ("git.acme.dev", "username=\n", "ci"),
        ("git.acme.dev", "username=ci\n", "ci"),
        ("free.acme.dev", "username=oauth2\n", "oauth2"),
        ("free.acme.dev", "username=\n", user_id),
        ("free.acme.dev", "", user_id),
    ] {
        let message = format!("protocol=https\nhost={host}\n{username}\n");
        let mut command = world.zitadel(["git", "get", "--host", "free.acme.dev"]);
        command
            .write_stdin(message)
            .assert()
            .success()
            .stderr("")
            .stdout(contains(format!("username={expected}\n")));
    }
}

#[test]
fn bearer_is_answered_where_git_knows_it_and_the_server_nothing_else() {
    const BEARER: &str = "capability[]=authtype\nauthtype=Bearer\ncredential=";
    let world = world();
    world
        .home
        .append_config("[hosts.\"b.dev\"]\nauth = \"bearer\"\n");
    for (challenge, host, expected) in [
        ("Bearer", "git.acme.dev", BEARER),
        ("Negotiate, Bearer realm=\"x\"", "git.acme.dev", BEARER),
        ("Basic realm=\"x\", Bearer", "git.acme.dev", "username="),
        ("Bearer, Basic realm=\"x\"", "git.acme.dev", "username="),
        ("Basic realm=\"x\", Bearer", "b.dev", BEARER),
    ] {
        let message = format!(
            "capability[]=authtype\nwwwauth[]={challenge}\nprotocol=https\nhost={host}\n\n"
        );
        let answer = asked(&world, "get", &message);
        assert!(answer.starts_with(expected), "{challenge}: {answer}");
    }
}

#[test]
fn the_symlinks_name_decides_the_command() {
    let world = world();
    let link = world.home.link("git-credential-zitadel");
    for options in [["--profile", "test", "get"].as_slice(), &["get"]] {
        let mut command = world.home.command(&link);
        command.args(options);
        Command::from(command)
            .write_stdin(GET)
            .assert()
            .success()
            .stdout(contains("username=ci\n"));
    }
}

#[test]
fn ignored_requests_are_logged_at_v_without_an_escape() {
    let world = world();
    world
        .zitadel(["git", "get", "-v"])
        .write_stdin("protocol=https\nhost=evil.test\n\n")
        .assert()
        .success()
        .stdout(is_empty())
        .stderr(contains("no host rule for https://evil.test"));
    for (message, told) in [
        (
            "protocol=https\nhost=git.acme.dev:8443\n\n",
            "is for another port",
        ),
        ("protocol=http\nhost=git.acme.dev\n\n", "is for https"),
        (
            "protocol=https\nhost=git.acme.dev\nusername=bob\n\n",
            "has the username ci, but another one was requested",
        ),
    ] {
        world
            .zitadel(["git", "get", "-v"])
            .write_stdin(message)
            .assert()
            .success()
            .stdout(is_empty())
            .stderr(contains(told));
    }
}

/// Erases this token as git does after a 401.
fn erase(world: &World, token: &str) {
    let message = format!("protocol=https\nhost=git.acme.dev\nusername=ci\npassword={token}\n\n");
    assert_eq!(asked(world, "erase", &message), "");
}

#[test]
fn erase_doubts_only_the_given_token() {
    let world = world();
    let token = password(&asked(&world, "get", GET)).to_owned();
    let get = || password(&asked(&world, "get", GET)).to_owned();
    erase(&world, "another");
    assert_eq!(get(), token, "an entry whose token differs");
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 0);
    for _ in 0..5 {
        erase(&world, &token);
        assert_eq!(get(), token, "the issuer accepts it");
    }
    let bearer = format!(
        "capability[]=authtype\nauthtype=Bearer\ncredential={token}\nprotocol=https\nhost=git.acme.dev\n\n"
    );
    assert_eq!(asked(&world, "erase", &bearer), "");
    assert_eq!(get(), token);
    assert_eq!(
        world.issuer.requests(Endpoint::Userinfo),
        1,
        "not more than one check in 30 s"
    );
    age_check(&only(&world.home));
    assert_eq!(get(), token);
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 2);
    age_check(&only(&world.home));
    assert_eq!(get(), token, "the doubt is over");
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 2);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_doubted_token_that_the_issuer_refuses_is_replaced_for_every_tool() {
    for arguments in [&["git", "get"][..], &["token"], &["kubectl"], &["whoami"]] {
        let world = world();
        let token = password(&asked(&world, "get", GET)).to_owned();
        world.issuer.revoke_all();
        erase(&world, &token);
        world
            .zitadel(arguments)
            .write_stdin(GET)
            .assert()
            .success()
            .stderr(contains("the issuer refuses the cached token").or(is_empty()));
        assert_eq!(world.issuer.token_requests(), 2, "{arguments:?}");
        let new = password(&asked(&world, "get", GET)).to_owned();
        assert!(new != token && world.issuer.accepts(&new));
        erase(&world, &token);
        assert_eq!(
            password(&asked(&world, "get", GET)),
            new,
            "the old one is not cached"
        );
        assert_eq!(world.issuer.token_requests(), 2);
    }
}

#[test]
fn a_doubted_token_is_used_while_the_issuer_does_not_answer() {
    let world = world();
    let token = password(&asked(&world, "get", GET)).to_owned();
    for fault in [Fault::Close, Fault::status(503, "text/plain", "down")] {
        world.issuer.fault(Endpoint::Any, fault, Times::Forever);
        erase(&world, &token);
        assert_eq!(password(&asked(&world, "get", GET)), token);
        world.issuer.clear_faults();
        age_check(&only(&world.home));
    }
    world.issuer.revoke_all();
    // The entry is still doubted.
    world
        .zitadel(["git", "get"])
        .write_stdin(GET)
        .assert()
        .success()
        .stdout(contains(&*token).not());
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn a_manual_reject_without_a_token_drops_the_hosts_entry() {
    let world = world();
    asked(&world, "get", GET);
    assert_eq!(asked(&world, "erase", GET), "");
    assert!(files(&world.home, "json").is_empty());
    asked(&world, "get", GET);
    let empty = format!("password=\n{GET}");
    assert_eq!(asked(&world, "erase", &empty), "");
    assert!(
        files(&world.home, "json").is_empty(),
        "an empty password is none"
    );
    let other = "protocol=https\nhost=other.acme.dev\n\n";
    asked(&world, "get", GET);
    assert_eq!(asked(&world, "erase", other), "");
    assert!(only(&world.home).exists(), "another host");
}

#[test]
fn store_capability_and_unknown_words_need_no_configuration() {
    let world = world();
    fs::write(world.home.config_path(), "not toml").unwrap();
    assert_eq!(asked(&world, "store", GET), "");
    assert_eq!(asked(&world, "whatever", GET), "");
    assert_eq!(
        asked(&world, "capability", ""),
        "version 0\ncapability authtype\n"
    );
}

#[test]
fn a_flag_or_a_variable_stands_for_a_rule() {
    let world = World::new();
    assert_eq!(asked(&world, "get", GET), "");
    world
        .zitadel(["git", "get", "--host", "git.acme.dev"])
        .write_stdin(GET)
        .assert()
        .stdout(contains("password="));
    world
        .zitadel(["git", "get"])
        .env("ZITADEL_CREDENTIAL_HOSTS", "*.acme.dev b.dev")
        .write_stdin(GET)
        .assert()
        .stdout(contains("password="));
}
