//! `self-signed`: the assertion itself is the token of a system user.

use super::{login, printed, profile, refused};
use crate::support::exchange::now;
use crate::support::{Jwt, World};

const LINES: &str = "key-file = \"~/system.pem\"\nuser-id = \"cypress\"\nself-signed = true\n";

fn world(more: &str) -> World {
    let world = World::new();
    world.home.write("system.pem", world.user.pkcs1_pem());
    profile(&world, &format!("{LINES}{more}"));
    world
}

#[test]
fn a_token_is_signed_without_a_request_for_an_hour_at_most() {
    let world = world("");
    let token = printed(&world, &["token"]);
    assert_eq!(printed(&world, &["token"]), token, "from the cache");
    assert_eq!(world.issuer.total_requests(), 0);
    let jwt = Jwt::parse(token.trim()).unwrap();
    assert!(jwt.is_signed_by(&world.user.public()));
    assert_eq!(jwt.key_id(), None);
    for claim in ["iss", "sub"] {
        assert_eq!(jwt.claims[claim], "cypress");
    }
    assert_eq!(jwt.claims["aud"], world.issuer.url());
    let of = |claim: &str| jwt.claims[claim].as_i64().unwrap();
    assert!(of("exp") - of("iat") <= 3600);
    assert!(of("iat") <= now() && of("exp") > now() + 3000);
    assert_eq!(
        login(&world),
        ("cypress".to_owned(), token.trim().to_owned())
    );
}

#[test]
fn a_key_id_is_named_if_it_is_given() {
    let world = world("key-id = \"7\"\n");
    let token = printed(&world, &["token"]);
    assert_eq!(Jwt::parse(token.trim()).unwrap().key_id(), Some("7"));
}

/// The same key and user may also have tokens of the issuer.
#[test]
fn it_is_never_used_as_the_issuers_token() {
    let world = World::new();
    let lines = "key-file = \"~/key.json\"\n";
    profile(&world, lines);
    let issued = printed(&world, &["token"]);
    profile(&world, &format!("{lines}self-signed = true\n"));
    let signed = printed(&world, &["token"]);
    assert_ne!(signed, issued);
    profile(&world, lines);
    assert_eq!(printed(&world, &["token"]), issued);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn another_key_signs_another_token() {
    let world = world("");
    let old = printed(&world, &["token"]);
    let other = crate::support::ServiceUser::with_bits(2048);
    world.home.write("system.pem", other.pkcs1_pem());
    assert_ne!(printed(&world, &["token"]), old);
}

#[test]
fn the_user_is_needed() {
    let world = World::new();
    world.home.write("system.pem", world.user.pkcs1_pem());
    profile(&world, "key-file = \"~/system.pem\"\nself-signed = true\n");
    let said = refused(&world, &["token"], 2);
    assert!(
        said.contains("without its") && said.contains("user-id"),
        "{said}"
    );
}

/// kube asks three times at its start.
#[test]
fn a_process_that_asks_again_causes_no_request() {
    let world = world("");
    let ask = || {
        let output = world.zitadel(["kubectl", "-v"]).run();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    ask();
    let said = ask();
    assert!(
        said.contains(
            "a server may have refused the token, because the same process asks again: requesting another one"
        ),
        "{said}"
    );
    assert!(!said.contains("issuer"), "{said}");
    ask();
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn doctor_reports_no_userinfo() {
    let world = world("");
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("a system user has none"), "{text}");
}
