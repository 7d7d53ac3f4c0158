//! `terraform`: the protocol at the process's edge.

mod doctor;
mod errors;
mod negative;
mod setup;

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Run, World};

fn asked(world: &World, words: &[&str]) -> Output {
    let mut command = world
        .home
        .command(world.home.link("terraform-credentials-zitadel"));
    command.args(words);
    command.run_with(r#"{"token":"x"}"#)
}

fn answered(world: &World, words: &[&str]) -> Value {
    let output = asked(world, words);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_host_with_a_rule_gets_a_token_that_the_issuer_accepts() {
    let world = World::new();
    world.allow("app.acme.dev:8443");
    let answer = answered(&world, &["get", "app.acme.dev:8443"]);
    assert!(world.issuer.accepts(answer["token"].as_str().unwrap()));
    // Terraform puts the helper's args before the operation.
    let words = ["--profile", "test", "get", "app.acme.dev:8443"];
    assert_eq!(answered(&world, &words), answer);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_host_without_a_rule_gets_no_token() {
    let world = World::new();
    world.allow("app.acme.dev:8443");
    for host in ["app.acme.dev", "registry.terraform.io"] {
        assert_eq!(answered(&world, &["get", host]), json!({}));
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn forget_makes_the_next_get_fetch_another() {
    let world = World::new();
    world.allow("app.acme.dev");
    let first = answered(&world, &["get", "app.acme.dev"]);
    for _ in 0..2 {
        let forgot = asked(&world, &["forget", "app.acme.dev"]);
        assert!(forgot.status.success(), "{forgot:?}");
        assert_eq!((forgot.stdout, forgot.stderr), (vec![], vec![]));
    }
    assert_ne!(answered(&world, &["get", "app.acme.dev"]), first);
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn store_fails_and_says_why() {
    let world = World::new();
    world.allow("app.acme.dev");
    let output = asked(&world, &["store", "app.acme.dev"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "zitadel-credential: error: terraform store is not supported\n  \
         hint: skip terraform login: this program supplies the tokens\n"
    );
}
