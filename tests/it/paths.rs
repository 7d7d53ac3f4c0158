//! `~/` in paths: this program's own paths are below the home directory, and a directory
//! named `~` is never used.

use std::fs;

use predicates::str::contains;

use crate::support::World;
use crate::support::issuer::TokenKind;

/// Asserts that nothing with that name is created.
#[track_caller]
fn no_tilde(world: &World) {
    assert!(!world.home.path().join("~").exists());
}

#[test]
fn every_path_of_ours_may_begin_with_a_tilde() {
    let world = World::new();
    let ca = world.home.write("ca.pem", crate::support::Ca::new().pem());
    let issuer = world.issuer.url();
    let flags = [
        ["token", "--write", "~/one", "--cache-dir", "~/cache"].as_slice(),
        &["token", "--write=~/one", "--key-file=~/key.json"],
        &["agent", "--once", "--write", "~/one", "--write=~/run/two"],
        &["token", "--config=~/.config/zitadel-credential/config.toml"],
        &["token", "--ca-file", "~/ca.pem"],
    ];
    fs::create_dir(world.home.path().join("run")).unwrap();
    for words in flags {
        let mut command = world.zitadel(words);
        command.assert().success().stderr("");
        no_tilde(&world);
    }
    for file in ["one", "run/two", "cache"] {
        assert!(world.home.path().join(file).exists(), "{file}");
    }
    for (variable, value) in [
        (
            "ZITADEL_CREDENTIAL_CONFIG",
            "~/.config/zitadel-credential/config.toml",
        ),
        ("ZITADEL_CREDENTIAL_KEY_FILE", "~/key.json"),
        ("ZITADEL_CREDENTIAL_CA_FILE", "~/ca.pem"),
        ("ZITADEL_CREDENTIAL_CACHE_DIR", "~/other"),
    ] {
        world
            .zitadel(["token"])
            .env(variable, value)
            .assert()
            .success();
        no_tilde(&world);
    }
    assert!(ca.exists() && world.home.path().join("other/v1").exists());

    let script = world.home.write("bin/key", "#!/bin/sh\ncat ~/key.json\n");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    world.home.write_config(&format!(
        "[profiles.command]\nissuer = \"{issuer}\"\nkey-command = [\"~/bin/key\"]\n\
         ca-file = \"~/ca.pem\"\n"
    ));
    world.zitadel(["token", "--refresh"]).assert().success();
}

#[test]
fn setups_write_below_the_home_directory_and_refuse_a_tools_own_tilde() {
    let world = World::new();
    let dry = "--dry-run";
    for words in [
        [
            "setup",
            "docker",
            "registry.acme.dev",
            "--authfile",
            "~/auth.json",
        ]
        .as_slice(),
        &[
            "setup",
            "kubectl",
            "--user",
            "ci",
            "--kubeconfig=~/kube/config",
        ],
    ] {
        if words[1] == "kubectl" && crate::support::machine::program("kubectl").is_none() {
            continue;
        }
        world.zitadel(words).assert().success();
        no_tilde(&world);
    }
    assert!(world.home.path().join("auth.json").exists());
    for (variable, tool, words) in [
        (
            "KUBECONFIG",
            "kubectl",
            ["setup", "kubectl", "--user", "ci"].as_slice(),
        ),
        (
            "DOCKER_CONFIG",
            "docker",
            &["setup", "docker", "b.acme.dev"],
        ),
        (
            "GIT_CONFIG_GLOBAL",
            "git",
            &["setup", "git", "git.acme.dev"],
        ),
        ("XDG_CONFIG_HOME", "git", &["setup", "git", "git.acme.dev"]),
        ("CARGO_HOME", "cargo", &["setup", "cargo", "c.acme.dev"]),
        (
            "TF_CLI_CONFIG_FILE",
            "Terraform",
            &["setup", "terraform", "t.acme.dev"],
        ),
    ] {
        for options in [&[dry][..], &[]] {
            let expected = format!("{variable} begins with ~, which {tool} does not expand");
            world
                .zitadel(words)
                .args(options)
                .env(variable, "~/mine")
                .assert()
                .code(2)
                .stderr(contains(expected));
            no_tilde(&world);
        }
    }
}

#[test]
fn a_tilde_in_googles_output_file_is_refused() {
    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    world
        .zitadel(["gcp"])
        .env("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "1")
        .env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", "~/answer")
        .assert()
        .code(2)
        .stderr(contains("output_file begins with ~"));
    no_tilde(&world);
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn without_a_home_directory_a_tilde_is_an_error() {
    let world = World::new();
    let issuer = world.issuer.url();
    for (option, value) in [
        ("--write", "~/token"),
        ("--cache-dir", "~/cache"),
        ("--ca-file", "~/ca.pem"),
    ] {
        let output = world
            .zitadel(["token", "--issuer", &issuer, option, value])
            .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
            .env("HOME", "relative")
            .run();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let expected = format!("{option} begins with ~, but the home directory is unknown");
        assert!(stderr.contains(&expected), "{stderr}");
        no_tilde(&world);
    }
}
