//! `bazel`: the protocol at the process's edge.

mod doctor;
mod negative;
mod setup;

use serde_json::{Value, json};

use crate::support::{Run, World};

fn asked(world: &World, uri: &str) -> Value {
    let mut command = world
        .home
        .command(world.home.link("bazel-credential-zitadel"));
    command.arg("get");
    let output = command.run_with(json!({ "uri": uri }).to_string());
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_host_with_a_rule_gets_a_header_that_the_issuer_accepts() {
    let world = World::new();
    world.allow("*.acme.dev");
    let answer = asked(&world, "https://cache.acme.dev/ac/0123");
    let header = answer["headers"]["Authorization"][0].as_str().unwrap();
    let token = header.strip_prefix("Bearer ").unwrap();
    assert!(world.issuer.accepts(token));
    assert!(answer["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(asked(&world, "https://remote.acme.dev/"), answer);
    assert_eq!(world.issuer.token_requests(), 1);
}
