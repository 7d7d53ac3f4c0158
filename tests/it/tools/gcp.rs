//! `gcp`: the protocol at the process's edge.

mod negative;
mod setup;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::exchange::now;
use crate::support::issuer::TokenKind;
use crate::support::{Endpoint, Fault, Times, World};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn world(kind: TokenKind) -> World {
    let world = World::new();
    world.issuer.set_token_kind(kind);
    world
}

/// Returns the response; stderr is empty, and the exit code always 0.
fn answer(world: &World, variables: &[(&str, &str)]) -> Value {
    serde_json::from_str(&stdout(world, variables)).unwrap()
}

fn stdout(world: &World, variables: &[(&str, &str)]) -> String {
    let mut command = world.zitadel(["gcp"]);
    command.env(
        "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE",
        "//iam.googleapis.com/x/providers/y",
    );
    command.env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", JWT);
    command.env("ZITADEL_CREDENTIAL_LOG", "debug");
    let output = command.envs(variables.iter().copied()).run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_failure(answer: &Value, code: &str, message: &str) {
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["success"], false);
    assert_eq!(answer["code"], code, "{answer}");
    let said = answer["message"].as_str().unwrap();
    assert!(said.contains(message), "{said}");
    assert_eq!(answer.as_object().unwrap().len(), 4);
}

#[test]
fn a_jwt_is_returned_with_its_expiry_and_from_the_cache() {
    let world = world(TokenKind::Jwt);
    let given = answer(&world, &[]);
    assert_eq!(given["version"], 1);
    assert_eq!(given["success"], true);
    assert_eq!(given["token_type"], JWT);
    assert!(world.issuer.accepts(given["id_token"].as_str().unwrap()));
    let left = given["expiration_time"].as_i64().unwrap() - now();
    assert!((43_160..43_170).contains(&left), "{left}");
    let id_token = JWT.replace("jwt", "id_token");
    let same = answer(&world, &[("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", &id_token)]);
    assert_eq!(same["token_type"], id_token);
    assert_eq!(same["id_token"], given["id_token"]);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn an_opaque_token_is_refused_with_a_hint() {
    let world = world(TokenKind::Opaque);
    let given = answer(&world, &[]);
    assert_failure(&given, "FAILED", "set its Access Token Type to JWT");
    assert_failure(&given, "FAILED", &world.user.key_id);
    assert_eq!(world.issuer.token_requests(), 1);
    world.pass(31);
    let given = answer(&world, &[]);
    assert_failure(
        &given,
        "FAILED",
        "and run the command again half a minute later",
    );
    assert_eq!(world.issuer.token_requests(), 2);
    // The remedy of the response:
    world.issuer.set_token_kind(TokenKind::Jwt);
    world.pass(25);
    assert_eq!(answer(&world, &[])["success"], false);
    world.pass(31);
    assert_eq!(answer(&world, &[])["success"], true);
    assert_eq!(world.issuer.token_requests(), 3);
}

#[test]
fn every_failure_is_an_answer() {
    let world = world(TokenKind::Jwt);
    let down = Fault::status(503, "text/plain", "down");
    world.issuer.fault(Endpoint::Any, down, Times::Forever);
    let given = answer(&world, &[("ZITADEL_CREDENTIAL_TIMEOUT", "2")]);
    assert_failure(&given, "TRY_AGAIN", "HTTP 503");
    world.issuer.clear_faults();
    world.issuer.remove_key(&world.user.key_id);
    assert_failure(&answer(&world, &[]), "FAILED", "hint: ");
    fs::remove_file(&world.key_file).unwrap();
    assert_failure(&answer(&world, &[]), "CONFIGURATION", "key.json");
    world.home.write_config("no TOML");
    assert_failure(&answer(&world, &[]), "CONFIGURATION", "config.toml");
}

#[test]
fn warnings_do_not_get_into_the_answer() {
    let world = world(TokenKind::Jwt);
    world.home.write(".cache", "no directory");
    let warned = world.zitadel(["token"]).run();
    assert!(!warned.stderr.is_empty());
    assert_eq!(answer(&world, &[])["success"], true);
}

/// google-auth for Python merges the two streams.
#[test]
fn a_key_commands_stderr_does_not_get_into_the_answer() {
    let world = world(TokenKind::Jwt);
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"{}\"\n\
         key-command = [\"sh\", \"-c\", \"echo unlocked >&2; cat ~/key.json\"]\n",
        world.issuer.url()
    ));
    assert_eq!(answer(&world, &[])["success"], true);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn only_an_interactive_client_finds_its_answer_in_the_file() {
    let world = world(TokenKind::Jwt);
    let file = world.home.path().join("answer");
    let name = file.to_str().unwrap();
    let named = ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", name);
    let interactive = ("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "1");
    let given = answer(&world, &[named]);
    assert_eq!(given["success"], true);
    assert!(!file.exists());
    let written = || -> Value {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        serde_json::from_slice(&fs::read(&file).unwrap()).unwrap()
    };
    assert_eq!(stdout(&world, &[named, interactive]), "");
    assert_eq!(written(), given);
    world.home.write_config("no TOML");
    assert_eq!(stdout(&world, &[named, interactive]), "");
    assert_failure(&written(), "CONFIGURATION", "config.toml");

    let nowhere = ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", "nowhere/answer");
    let mut command = world.zitadel(["gcp"]);
    let unwritten = command.envs([nowhere, interactive]).assert().code(1);
    let hint = predicates::str::contains("hint: check output_file");
    unwritten.stdout("").stderr(hint);
}

#[test]
fn revoking_forgets_the_token() {
    let world = world(TokenKind::Jwt);
    let revoke = ("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", "1");
    let first = answer(&world, &[]);
    assert_eq!(
        stdout(&world, &[revoke]),
        "{\"version\":1,\"success\":true}\n"
    );
    assert_eq!(world.issuer.token_requests(), 1);
    assert_ne!(answer(&world, &[])["id_token"], first["id_token"]);
    assert_eq!(world.issuer.token_requests(), 2);
}
