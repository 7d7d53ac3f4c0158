//! `token-endpoint`: a first token in one request. Also the uses of an application's key.

use super::{printed, profile, refused};
use crate::support::{Endpoint, Jwt, World};

#[test]
fn a_first_token_takes_one_request() {
    let world = World::new();
    let endpoint = format!("{}{}", world.issuer.url(), Endpoint::TOKEN_PATH);
    let lines = format!("key-file = \"~/key.json\"\ntoken-endpoint = \"{endpoint}\"\n");
    profile(&world, &lines);
    let token = printed(&world, &["token"]);
    assert!(world.issuer.accepts(token.trim()));
    assert_eq!(world.issuer.total_requests(), 1);
    assert_eq!(printed(&world, &["token"]), token);
    assert_eq!(world.issuer.total_requests(), 1);
    printed(&world, &["token", "--refresh"]);
    assert_eq!(world.issuer.total_requests(), 2);
    // The owner of the token is found through discovery.
    printed(&world, &["whoami"]);
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 1);
}

#[test]
fn an_address_that_is_wrong_is_an_error() {
    let world = World::new();
    for (endpoint, code, why) in [
        (format!("{}/oauth/token", world.issuer.url()), 75, "404"),
        ("acme".to_owned(), 2, "invalid token-endpoint"),
        (
            "https://acme.test/token".to_owned(),
            2,
            "is not at the issuer",
        ),
    ] {
        let lines = format!("key-file = \"~/key.json\"\ntoken-endpoint = \"{endpoint}\"\n");
        profile(&world, &lines);
        let said = world.zitadel(["token", "--timeout", "2"]).run();
        let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(
            [Some(code), Some(1)].contains(&said.status.code()),
            "{stderr}"
        );
        assert!(stderr.contains(why), "{stderr}");
        assert_eq!(world.issuer.requests(Endpoint::Discovery), 0);
    }
}

/// Neither an assertion nor a secret for one issuer is sent to another one, and tokens
/// are cached by issuer.
#[test]
fn an_endpoint_is_used_only_for_its_issuer() {
    let world = World::new();
    let other = World::new();
    let endpoint = format!("{}{}", world.issuer.url(), Endpoint::TOKEN_PATH);
    profile(
        &world,
        &format!("key-file = \"~/key.json\"\ntoken-endpoint = \"{endpoint}\"\n"),
    );
    other.issuer.register(&world.user);
    let token = printed(&world, &["token", "--issuer", &other.issuer.url()]);
    assert!(other.issuer.accepts(token.trim()));
    assert_eq!(world.issuer.total_requests(), 0);
    assert_eq!(other.issuer.token_requests(), 1);
}

/// A server introspects with such an assertion.
#[test]
fn an_applications_key_signs_an_assertion_and_nothing_else() {
    let world = World::new();
    let application = world.issuer.new_application("310000000000000042");
    let json = serde_json::json!({
        "type": "application", "keyId": application.key.key_id, "appId": "1",
        "key": application.key.pkcs1_pem(), "clientId": application.client_id,
    });
    world.home.write("key.json", json.to_string());
    let assertion = printed(&world, &["assertion"]);
    let jwt = Jwt::parse(assertion.trim()).unwrap();
    for claim in ["iss", "sub"] {
        assert_eq!(jwt.claims[claim], application.client_id);
    }
    for words in [&["token"][..], &["kubectl"], &["whoami"]] {
        let said = refused(&world, words, 1);
        assert!(
            said.contains("an application's key, not a service user's"),
            "{said}"
        );
    }
}
