//! `cache`: its output, and the files that it removes or keeps.

mod files;

use std::fs::{self};

use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use serde_json::Value;

use crate::support::entry::{age, files};
use crate::support::issuer::TokenKind;
use crate::support::program::{client, stdout_of_success};
use crate::support::{World, binary};

/// Returns a world whose cache has an opaque token and a JWT, one of which has expired.
fn world() -> World {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    let opaque = files(&world.home, "json").remove(0);
    age(&opaque, 50_000);
    world.issuer.set_token_kind(TokenKind::Jwt);
    world
        .zitadel(["token", "--scope", "profile", "--project", "7"])
        .assert()
        .success();
    world
}

fn listed(world: &World, options: &[&str]) -> Vec<Value> {
    let output = world
        .zitadel(["cache", "list", "--output", "json"])
        .args(options)
        .run();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn entries_are_shown_without_their_tokens() {
    let world = world();
    let entries = listed(&world, &[]);
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(entry["key_id"], world.user.key_id);
        assert_eq!(entry["user_id"], world.user.user_id);
        assert_eq!(entry["issuer"], world.issuer.url());
        let is_jwt = entry["scopes"].as_array().unwrap().len() == 2;
        assert_eq!(entry["kind"], if is_jwt { "jwt" } else { "opaque" });
        assert_eq!(entry["expires_in"].as_u64().unwrap() > 0, is_jwt);
    }
    let tokens = world.issuer.issued_tokens();
    world
        .zitadel(["cache", "list"])
        .assert()
        .success()
        .stdout(contains("KEY ID").and(contains("11 h 59 min")))
        .stdout(contains(&tokens[0]).or(contains(&tokens[1])).not());
    assert_eq!(listed(&world, &["--key-id", "1"]).len(), 0);
}

#[test]
fn expired_entries_are_dim_on_a_terminal_with_colour() {
    let Some(script) = client("script") else {
        return;
    };
    let world = world();
    // The command runs on a separate terminal.
    let on_terminal = |variable: (&str, &str)| {
        let mut command = world.home.command(&script);
        let call = format!("{} cache list", binary().display());
        command.args(["--quiet", "--return", "--command", &call, "/dev/null"]);
        command.env("TERM", "xterm").envs([variable]);
        stdout_of_success(command)
    };
    let coloured = on_terminal(("NO_COLOR", ""));
    let dim: Vec<_> = coloured
        .lines()
        .filter(|l| l.contains("\u{1b}[2m"))
        .collect();
    assert_eq!(dim.len(), 1, "{coloured}");
    assert!(dim[0].contains("none"), "{coloured}");
    assert_eq!(coloured.matches('\u{1b}').count(), 2, "{coloured}");
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        assert!(!on_terminal(plain).contains('\u{1b}'), "{plain:?}");
    }
    let output = world.zitadel(["cache", "list"]).run();
    assert!(!output.stdout.contains(&0x1b), "no terminal");
}

#[test]
fn an_empty_cache_is_listed_and_cleared_as_empty() {
    let world = World::new();
    assert_eq!(listed(&world, &[]).len(), 0);
    let cache = world.home.path().join(".cache/zitadel-credential");
    for (options, of) in [(&[][..], ""), (&["--key-id", "1"], " of key ID 1")] {
        world
            .zitadel(["cache", "list"])
            .args(options)
            .assert()
            .success()
            .stdout(format!("no tokens{of} in {}\n", cache.display()));
    }
    world
        .zitadel(["cache", "clear"])
        .assert()
        .success()
        .stdout("0 tokens removed\n");
}

#[test]
fn only_the_named_entries_are_cleared() {
    let world = world();
    let clear = |options: &[&str], count: &str| {
        let mut command = world.zitadel(["cache", "clear"]);
        command
            .args(options)
            .assert()
            .success()
            .stdout(contains(count));
    };
    clear(&["--key-id", "1"], "0 tokens");
    clear(&["--expired"], "1 token ");
    assert_eq!(listed(&world, &[]).len(), 1);
    clear(&["--key-id", &world.user.key_id], "1 token ");
    for extension in ["json", "lock", "parents"] {
        assert_eq!(files(&world.home, extension).len(), 0, "{extension}");
    }
    world.zitadel(["token"]).assert().success();
    assert_eq!(world.issuer.token_requests(), 3);
}

/// Returns a world with two profiles with a key each, one of which has two hosts and two
/// scopes.
fn two_profiles() -> World {
    let world = World::new();
    let other = world.issuer.new_user();
    world.home.write("other.json", other.key_json());
    let issuer = world.issuer.url();
    world.home.append_config(&format!(
        "[profiles.other]\nissuer = \"{issuer}\"\nkey-file = \"~/other.json\"\n\
         [profiles.wide]\nissuer = \"{issuer}\"\nkey-file = \"~/other.json\"\nscopes = [\"profile\"]\n\
         [hosts.\"git.acme.dev\"]\n\
         [hosts.\"*.acme.test\"]\nprofile = \"other\"\n\
         [hosts.\"wide.acme.test\"]\nprofile = \"wide\"\n"
    ));
    for profile in ["test", "other", "wide"] {
        world
            .zitadel(["token", "--profile", profile])
            .assert()
            .success();
    }
    world
}

#[test]
fn a_host_or_a_profile_selects_its_entries() {
    for (options, removed) in [
        (&["--host", "git.acme.dev"][..], 1),
        (&["--host", "https://ci@git.acme.dev/team/app.git"], 1),
        (&["--host", "a.acme.test"], 1),
        (&["--host", "*.acme.test"], 1),
        (&["--host", "git.acme.dev", "--host", "wide.acme.test"], 2),
        (&["--profile", "test"], 1),
        // Its tokens have one key, and both are removed.
        (&["--profile", "other"], 2),
        (&["--profile", "wide"], 2),
        (&["--host", "git.acme.dev", "--profile", "wide"], 1),
        (&["--host", "git.acme.dev", "--expired"], 0),
        (&[], 3),
    ] {
        let world = two_profiles();
        let shown = if options.contains(&"--expired") {
            1
        } else {
            removed
        };
        let list: Vec<_> = options
            .iter()
            .filter(|word| **word != "--expired")
            .copied()
            .collect();
        assert_eq!(listed(&world, &list).len(), shown, "{options:?}");
        let plural = if removed == 1 { "token" } else { "tokens" };
        world
            .zitadel(["cache", "clear"])
            .args(options)
            .assert()
            .success()
            .stdout(starts_with(format!("{removed} {plural} removed")));
        assert_eq!(listed(&world, &[]).len(), 3 - removed, "{options:?}");
    }
    let world = two_profiles();
    world
        .zitadel(["cache", "clear"])
        .env("ZITADEL_CREDENTIAL_PROFILE", "other")
        .assert()
        .stdout(starts_with("3 tokens"));
}

/// A CI system sets it for every call with a bare PEM.
#[test]
fn the_key_id_of_the_environment_selects_nothing() {
    let with_id = |words: &[&str]| {
        let world = two_profiles();
        let id = world.user.key_id.clone();
        let mut command = world.zitadel(words);
        command.env("ZITADEL_CREDENTIAL_KEY_ID", id);
        (command, world)
    };
    let (mut list, _world) = with_id(&["cache", "list", "--output", "json"]);
    let shown: Vec<Value> = serde_json::from_slice(&list.run().stdout).unwrap();
    assert_eq!(shown.len(), 3);
    let (mut clear, world) = with_id(&["cache", "clear"]);
    clear.assert().success().stdout(starts_with("3 tokens"));
    for extension in ["json", "lock", "parents"] {
        assert_eq!(files(&world.home, extension).len(), 0, "{extension}");
    }
    let (mut clear, world) = with_id(&["cache", "clear", "--profile", "test"]);
    clear.assert().success().stdout(starts_with("1 token "));
    assert_eq!(listed(&world, &[]).len(), 2);
}

#[test]
fn a_profile_and_a_key_id_are_not_selected_together() {
    let world = two_profiles();
    for action in ["list", "clear"] {
        let mut command = world.zitadel(["cache", action, "--profile", "other"]);
        let call = command.args(["--key-id", &world.user.key_id]).assert();
        let what = "--profile and --key-id are both given\n  hint: leave one of them out";
        call.code(2).stdout("").stderr(contains(what));
    }
    assert_eq!(listed(&world, &[]).len(), 3);
}

#[test]
fn a_host_without_a_rule_and_an_unknown_profile_remove_nothing() {
    let world = two_profiles();
    for (options, told) in [
        (
            ["--host", "evil.test"],
            "no host rule for https://evil.test\n  hint: run zitadel-credential config show to see the hosts, and zitadel-credential cache list to see all tokens\n",
        ),
        (["--host", "git.acme.dev:8443"], "is for another port"),
        (["--host", "a b"], "invalid host"),
        (
            ["--host", "git@git.acme.dev:team/app.git"],
            "write --host git.acme.dev\n",
        ),
        (["--host", "GIT.acme.dev."], "write --host git.acme.dev\n"),
        (["--profile", "none"], "\"none\""),
    ] {
        let mut command = world.zitadel(["cache", "clear"]);
        let clear = command.args(options).assert();
        clear.code(2).stdout("").stderr(contains(told));
    }
    fs::remove_file(world.home.path().join("other.json")).unwrap();
    let mut command = world.zitadel(["cache", "clear", "--profile", "other"]);
    command.assert().failure().stderr(contains("--key-id"));
    assert_eq!(listed(&world, &[]).len(), 3);
    world
        .zitadel(["cache", "clear", "--host", "env.test"])
        .env("ZITADEL_CREDENTIAL_HOSTS", "env.test")
        .assert()
        .stdout(starts_with("1 token "));
}
