//! `exec`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use predicates::prelude::*;
use predicates::str::contains;

use super::cached;
use crate::support::entry::only;
use crate::support::issuer::Endpoint;
use crate::support::{Fault, TokenKind, World};

#[test]
fn exec_suggests_a_file_for_a_token_too_large_for_a_variable() {
    let world = World::new();
    // The token exceeds the kernel's limit for one variable.
    let large = Fault::edit(|answer| answer["access_token"] = "x".repeat(140_000).into());
    world.issuer.fault(Endpoint::Token, large, 1);
    world
        .zitadel(["exec", "--", "true"])
        .assert()
        .code(126)
        .stderr(contains("hint: give the program the token in a file"));
}

#[test]
fn exec_becomes_the_command_with_a_token_in_its_environment() {
    let world = World::new();
    let token = cached(&world);
    world
        .zitadel([
            "exec",
            "--",
            "sh",
            "-c",
            "echo $ZITADEL_ACCESS_TOKEN; exit 7",
        ])
        .assert()
        .code(7)
        .stdout(format!("{token}\n"));
    world
        .zitadel(["exec", "--env", "TOKEN", "--", "sh", "-c", "echo $TOKEN"])
        .assert()
        .success()
        .stdout(format!("{token}\n"));
    world
        .zitadel(["exec", "--", "no-such-program"])
        .assert()
        .code(127)
        .stderr(contains("cannot run no-such-program"));
    world.home.write("not-executable", "#!/bin/sh\n");
    for program in ["./not-executable", "/"] {
        world
            .zitadel(["exec", "--", program])
            .assert()
            .code(126)
            .stderr(contains(format!("cannot run {program}: permission denied")))
            .stderr(contains("hint: name a program that you may execute"));
    }
    world
        .zitadel(["exec", "--env", "TOKEN", "--", "sh", "-c"])
        .arg("echo $TOKEN$ZITADEL_ACCESS_TOKEN")
        .env("ZITADEL_ACCESS_TOKEN", "of-an-exec-around-it")
        .assert()
        .success()
        .stdout(format!("{token}\n"));
    world
        .zitadel(["exec", "--env", "A=B", "--", "true"])
        .assert()
        .code(2)
        .stderr(contains("invalid variable name"));
}

/// Returns the two values that `exec --write-web-identity` passes to its command: the
/// file's path, and the variable for the token.
fn web_identity(world: &World, options: &[&str]) -> (PathBuf, String) {
    let script = "printf '%s\n' \"$AWS_WEB_IDENTITY_TOKEN_FILE\" \"$ZITADEL_ACCESS_TOKEN$NAMED\"";
    let mut command = world.zitadel(["exec", "--write-web-identity"]);
    let output = command
        .env("ZITADEL_ACCESS_TOKEN", "of an exec around it")
        .args(options)
        .args(["--", "sh", "-c", script])
        .run();
    let output = String::from_utf8(output.stdout).unwrap();
    let (file, token) = output.split_once('\n').unwrap();
    (file.into(), token.trim_end().to_owned())
}

#[test]
fn a_web_identity_is_a_file_in_the_cache_and_no_variable() {
    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    let (file, variable) = web_identity(&world, &[]);
    let entry = only(&world.home);
    assert_eq!(file, entry.with_extension("token"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&file).unwrap(), cached(&world));
    assert_eq!(variable, "");
    assert_eq!(web_identity(&world, &["--env", "NAMED"]).1, cached(&world));
    assert_eq!(world.issuer.token_requests(), 1);

    // The path stays the same for every source of the cache's path, with one request.
    let refreshed = web_identity(
        &world,
        &["--refresh", "--cache-dir", "here", "--env", "NAMED"],
    );
    assert!(refreshed.0.is_absolute());
    assert_eq!(fs::read_to_string(&refreshed.0).unwrap(), refreshed.1);
    assert_eq!(world.issuer.token_requests(), 2);
    let before = fs::File::open(&file).unwrap();
    web_identity(&world, &["--refresh"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), cached(&world));
    assert_ne!(
        before.metadata().unwrap().ino(),
        fs::metadata(&file).unwrap().ino()
    );
}

#[test]
fn the_variable_of_a_web_identitys_file_holds_no_token() {
    let world = World::new();
    world
        .zitadel([
            "exec",
            "--write-web-identity",
            "--env",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ])
        .args(["--", "true"])
        .assert()
        .code(2)
        .stderr(contains("conflicts with --write-web-identity"));
}

#[test]
fn a_web_identity_needs_a_jwt_and_a_cache() {
    let world = World::new();
    let exec = |options: &[&str]| {
        let mut command = world.zitadel(["exec", "--write-web-identity"]);
        command.args(options).args(["--", "touch", "ran"]).assert()
    };
    exec(&[])
        .code(1)
        .stderr(contains("opaque").and(contains("Access Token Type")));
    let files = |extension| crate::support::entry::files(&world.home, extension).len();
    assert_eq!((files("json"), files("token")), (1, 0));
    let asked = world.issuer.total_requests();
    exec(&["--no-cache"])
        .code(2)
        .stderr(contains("token --write FILE"));
    assert_eq!(world.issuer.total_requests(), asked);
    world.issuer.set_token_kind(TokenKind::Jwt);
    fs::create_dir(only(&world.home).with_extension("token")).unwrap();
    exec(&["--refresh"])
        .code(1)
        .stderr(contains("cannot write").and(contains("token --write FILE")));
    assert!(!world.home.path().join("ran").exists());
}

/// env(1) and sudo(8) take their commands in the same way.
#[test]
fn the_command_of_exec_needs_no_dashes_before_it() {
    let world = World::new();
    for (words, said) in [
        (&["exec", "echo", "-n", "a"][..], "a"),
        (&["exec", "--env", "echo", "echo", "b"], "b\n"),
        (
            &[
                "--timeout",
                "20",
                "exec",
                "--env",
                "T",
                "echo",
                "--env",
                "c",
            ],
            "--env c\n",
        ),
        (&["exec", "echo", "--", "d"], "-- d\n"),
        (&["exec", "printf", "%s", "--help"], "--help"),
        (&["exec", "--", "echo", "exec", "e"], "exec e\n"),
        (
            &["exec", "--env", "T", "sh", "-c", "test -n \"$T\" && echo f"],
            "f\n",
        ),
    ] {
        let output = world.zitadel(words).run();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {stderr}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{words:?}");
    }
    // A token is not a command, and is not shown.
    let token = cached(&world);
    let output = world.zitadel(["exec", token.trim()]).run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(!stderr.contains(token.trim()), "{stderr}");
    // These calls are usage errors.
    for words in [
        &["exec", "--evn", "T", "true"][..],
        &["token", "exec", "true"],
        &["exec"],
    ] {
        let output = world.zitadel(words).run();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
}
