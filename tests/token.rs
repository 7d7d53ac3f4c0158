//! `token` and the rules by which every token is got.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use support::World;
use support::issuer::Endpoint;

#[test]
fn a_token_is_minted_once_and_then_comes_from_the_cache() {
    let world = World::new();
    let first = world.zitadel(["token"]).output().unwrap();
    let first = String::from_utf8(first.stdout).unwrap();
    assert!(world.issuer.accepts(first.trim_end()), "{first}");
    world.zitadel(["token"]).assert().success().stdout(first);
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 1);
    assert_eq!(world.issuer.token_requests(), 1);
    assert_eq!(world.issuer.connections(), 1, "both on one connection");
}
