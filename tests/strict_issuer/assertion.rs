//! The tests' issuer makes all of ZITADEL's checks on an assertion, and responds like
//! servers of its version.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::exchange::{
    access_token, assertion, claims, exchange, header, now, refusal, token,
};
use crate::support::jwt::{compact, sign, sign_pss};
use crate::support::{Issuer, Jwt, ServiceUser, Version};

fn expected(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

#[test]
fn an_assertion_may_be_used_again() {
    let issuer = Issuer::start();
    let assertion = assertion(&issuer.new_user(), &issuer);
    let tokens: HashSet<_> = (0..2)
        .map(|_| access_token(&exchange(&issuer, &assertion, "openid")))
        .collect();
    assert_eq!(tokens.len(), 2);
}

#[test]
fn assertions_just_within_the_rules_pass() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    let changed = |claim: &str, value: Value| {
        let mut claims = claims(&user, &issuer);
        claims[claim] = value;
        sign(&user.private, &header(&user), &claims)
    };
    let mut pss = header(&user);
    pss["alg"] = "PS256".into();
    for assertion in [
        changed("aud", json!(["https://other.test", issuer.url()])),
        changed("iat", json!(now() + 1)),
        changed("iat", json!(now() - 3590)),
        changed("exp", json!(now() + 10)),
        changed("exp", json!(now() + 1_000_000_000)),
        sign_pss(&user.private, &pss, &claims(&user, &issuer)),
    ] {
        let answer = exchange(&issuer, &assertion, "openid");
        assert_eq!(answer.status, 200, "{:?}", Jwt::parse(&assertion));
    }
}

/// Returns assertions that differ from a valid one in one detail, with the response of
/// newer servers.
fn bad_assertions(user: &ServiceUser, issuer: &Issuer) -> Vec<(String, &'static str)> {
    const UNKNOWN: &str = "invalid assertion";
    const AUDIENCE: &str = "audience is not valid: issuer is not among them";
    const FUTURE: &str = "issuedAt of token is in the future: ahead of the server";
    const ALGORITHM: &str = "signature algorithm not supported";
    const SIGNATURE: &str = "invalid signature";
    const PARSING: &str = "parsing of request failed";
    const DELEGATION: &str = "delegation not allowed, issuer and sub must be identical";

    let (header, claims) = (header(user), claims(user, issuer));
    let in_claims = |claim: &str, value: Value| {
        let mut claims = claims.clone();
        claims[claim] = value;
        sign(&user.private, &header, &claims)
    };
    let in_header = |field: &str, value: &str| {
        let mut header = header.clone();
        header[field] = value.into();
        sign(&user.private, &header, &claims)
    };
    let without = |claim: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        sign(&user.private, &header, &claims)
    };
    let unsigned = json!({ "alg": "none", "kid": user.key_id });
    let stranger = ServiceUser::with_bits(1024);
    let neighbour = issuer.new_user();
    let url = issuer.url();

    vec![
        (in_claims("aud", format!("{url}/").into()), AUDIENCE),
        (in_claims("aud", format!("{url}:443").into()), AUDIENCE),
        (in_claims("aud", json!([])), AUDIENCE),
        (without("aud"), AUDIENCE),
        (in_claims("exp", json!(now() + 1)), "token has expired"),
        (without("exp"), "token has expired"),
        (in_claims("exp", "tomorrow".into()), PARSING),
        (in_claims("iat", json!(now() + 10)), FUTURE),
        (
            in_claims("iat", json!(now() - 3601)),
            "issuedAt of token is to old: more than an hour",
        ),
        (without("iat"), "issuedAt of token is missing"),
        (
            in_claims("sub", neighbour.user_id.clone().into()),
            DELEGATION,
        ),
        (without("sub"), DELEGATION),
        (without("iss"), PARSING),
        (compact(&unsigned, &claims, |_| Vec::new()), ALGORITHM),
        (in_header("alg", "HS256"), ALGORITHM),
        (in_header("alg", "RS384"), ALGORITHM),
        (in_header("alg", "RS512"), ALGORITHM),
        (in_header("alg", "ES256"), SIGNATURE),
        (in_header("alg", "PS256"), SIGNATURE),
        (sign(&stranger.private, &header, &claims), SIGNATURE),
        (in_header("kid", "310000000000000000"), UNKNOWN),
        (in_header("kid", &neighbour.key_id), UNKNOWN),
        (
            sign(&user.private, &json!({ "alg": "RS256" }), &claims),
            UNKNOWN,
        ),
        (assertion(&ServiceUser::new(), issuer), UNKNOWN),
        ("garbage".to_owned(), PARSING),
        ("a.b.c".to_owned(), PARSING),
    ]
}

#[test]
fn every_check_on_the_assertion_is_made_in_every_shape() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    for (assertion, text) in bad_assertions(&user, &issuer) {
        for version in Version::ALL {
            let unknown_key = text == "invalid assertion";
            let expected = match version {
                Version::OlderNotFound if unknown_key => {
                    expected(404, "invalid_request", "Errors.AuthNKey.NotFound")
                }
                Version::Older | Version::OlderNotFound | Version::V2025 => {
                    expected(500, "server_error", "Errors.Internal")
                }
                Version::BetweenInvalidClient if !unknown_key => {
                    expected(400, "invalid_client", text)
                }
                Version::V2026 => expected(400, "invalid_grant", "invalid assertion"),
                Version::Between | Version::BetweenInvalidClient => {
                    expected(400, "invalid_grant", text)
                }
            };
            issuer.set_version(version);
            let answer = exchange(&issuer, &assertion, "openid");
            assert_eq!(refusal(&answer), expected, "{:?}", Jwt::parse(&assertion));
        }
    }
    assert!(issuer.issued_tokens().is_empty());
}

#[test]
fn an_expired_and_a_deleted_key_look_alike() {
    let issuer = Issuer::start();
    let (expired, deleted) = (issuer.new_user(), issuer.new_user());
    assert_eq!(token(&issuer, &expired).status, 200);
    assert_eq!(token(&issuer, &deleted).status, 200);
    issuer.expire_key(&expired.key_id);
    issuer.remove_key(&deleted.key_id);
    let unknown = expected(400, "invalid_grant", "invalid assertion");
    assert_eq!(refusal(&token(&issuer, &expired)), unknown);
    assert_eq!(refusal(&token(&issuer, &deleted)), unknown);
}

#[test]
fn a_deactivated_user_loses_its_tokens_for_good() {
    for version in Version::ALL {
        let issuer = Issuer::start();
        issuer.set_version(version);
        let (user, other) = (issuer.new_user(), issuer.new_user());
        let [dead, living] = [&user, &other].map(|user| access_token(&token(&issuer, user)));
        issuer.deactivate(&user.user_id);
        assert!(!issuer.accepts(&dead));
        issuer.reactivate(&user.user_id);
        assert!(!issuer.accepts(&dead) && issuer.accepts(&living));
        assert!(issuer.accepts(&access_token(&token(&issuer, &user))));
    }
}

#[test]
fn only_newer_servers_refuse_a_deactivated_user() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    issuer.deactivate(&user.user_id);
    assert_eq!(
        refusal(&token(&issuer, &user)),
        expected(400, "invalid_request", "Errors.User.NotActive")
    );
    issuer.set_version(Version::Older);
    assert_eq!(token(&issuer, &user).status, 200);
}
