//! The tests' issuer is as strict, and as odd, as ZITADEL servers.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::{BoxedUint, PublicKey};
use serde_json::{Value, json};

use crate::support::exchange::{
    GRANT, access_token, assertion, claims, exchange, header, refusal, token,
};
use crate::support::jwt::sign;
use crate::support::{
    Answer, Ca, Client, Endpoint, Issuer, Jwt, TokenKind, UserinfoRefusal, Version,
};

fn client(issuer: &Issuer) -> Client {
    Client::http(issuer.port())
}

fn userinfo(issuer: &Issuer, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    client(issuer).get("/oidc/v1/userinfo", &headers).unwrap()
}

#[test]
fn a_good_assertion_becomes_an_opaque_token() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    let answer = token(&issuer, &user);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("date").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 43199);
    assert!(access_token(&answer).len() >= 80);
    assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
    assert_eq!(issuer.issued_tokens(), [access_token(&answer)]);

    let id_token = Jwt::parse(body["id_token"].as_str().unwrap()).unwrap();
    assert!(id_token.is_signed_by(&Issuer::public_key()));
    assert_eq!(id_token.claims["exp"], id_token.claims["iat"]);
}

#[test]
fn there_is_no_id_token_without_openid() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    let answer = exchange(&issuer, &assertion(&user, &issuer), "profile email");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().get("id_token"), None);
}

#[test]
fn a_token_request_has_to_be_the_right_form() {
    let issuer = Issuer::start();
    let assertion = assertion(&issuer.new_user(), &issuer);
    let grant = ("grant_type", GRANT);
    let scope = ("scope", "openid");
    let assertion = ("assertion", assertion.as_str());
    for (form, error) in [
        (vec![scope, assertion], "invalid_request"),
        (
            vec![("grant_type", "password"), scope, assertion],
            "unsupported_grant_type",
        ),
        (vec![grant, assertion], "invalid_request"),
        (vec![grant, scope], "invalid_request"),
        (
            vec![grant, scope, ("assertion", ""), assertion],
            "invalid_request",
        ),
    ] {
        for version in Version::ALL {
            issuer.set_version(version);
            let answer = client(&issuer).post("/oauth/v2/token", &form).unwrap();
            assert_eq!((answer.status, &*refusal(&answer).1), (400, error));
        }
    }
    let json = [("Content-Type", "application/json")];
    let answer = client(&issuer).request("POST", "/oauth/v2/token", &json, b"{}");
    assert_eq!(refusal(&answer.unwrap()).1, "invalid_request");
    let answer = client(&issuer).request("PUT", "/oauth/v2/token", &json, b"{}");
    assert_eq!(answer.unwrap().status, 405);
}

#[test]
fn a_wrong_path_is_plain_text_only_below_a_known_one() {
    let issuer = Issuer::start();
    for (path, content_type) in [
        ("/", "application/json"),
        ("/oauth/token", "application/json"),
        ("/oauth/v2/elsewhere", "text/plain; charset=utf-8"),
        ("/oauth/v2/token/", "text/plain; charset=utf-8"),
    ] {
        let answer = client(&issuer).get(path, &[]).unwrap();
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("content-type"), Some(content_type));
    }
    assert_eq!(issuer.requests(Endpoint::Elsewhere), 4);
}

#[test]
fn discovery_names_the_issuer_and_its_endpoints() {
    let issuer = Issuer::start();
    let document = discovery(&issuer);
    assert_eq!(document["issuer"], issuer.url());
    assert_eq!(
        document["token_endpoint"],
        format!("{}/oauth/v2/token", issuer.url())
    );
}

#[test]
fn an_issuer_behind_a_proxy_uses_its_own_name() {
    let issuer = Issuer::builder().named("https://acme.test").start();
    let user = issuer.new_user();
    assert_eq!(discovery(&issuer)["issuer"], "https://acme.test");
    assert_ne!(token(&issuer, &user).status, 200);

    let mut claims = claims(&user, &issuer);
    claims["aud"] = "https://acme.test".into();
    let assertion = sign(&user.private, &header(&user), &claims);
    assert_eq!(exchange(&issuer, &assertion, "openid").status, 200);
}

#[test]
fn the_issuer_uses_its_own_clock() {
    let issuer = Issuer::start();
    issuer.set_version(Version::Between);
    let user = issuer.new_user();
    let given = access_token(&token(&issuer, &user));

    issuer.set_date_offset(-3600);
    let early = token(&issuer, &user);
    assert!(refusal(&early).2.contains("in the future"));

    issuer.set_date_offset(2 * 24 * 3600);
    let late = token(&issuer, &user);
    assert_eq!(refusal(&late).2, "token has expired");
    assert!(!issuer.accepts(&given));
    assert_ne!(
        early.header("date").unwrap().split(' ').nth(1),
        late.header("date").unwrap().split(' ').nth(1)
    );
}

#[test]
fn a_jwt_access_token_is_for_the_projects_of_the_scopes() {
    let issuer = Issuer::start();
    issuer.set_token_kind(TokenKind::Jwt);
    issuer.set_lifetime(300);
    let user = issuer.new_user();
    let scope = "openid urn:zitadel:iam:org:project:id:42:aud \
                 urn:zitadel:iam:org:project:id:zitadel:aud";
    let answer = exchange(&issuer, &assertion(&user, &issuer), scope);
    assert_eq!(answer.json()["expires_in"], 299);

    let token = Jwt::parse(&access_token(&answer)).unwrap();
    assert!(token.is_signed_by(&published_key(&issuer)));
    assert_eq!(token.claims["iss"], issuer.url());
    assert_eq!(token.claims["sub"], user.user_id);
    let zitadel = crate::support::issuer::ZITADEL_PROJECT_ID;
    assert_eq!(token.claims["aud"], json!(["42", zitadel]));
    let seconds = |claim: &str| token.claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 300);
    assert!(token.claims["jti"].is_string());
}

/// Reads the key from the key set, as a resource server does.
fn published_key(issuer: &Issuer) -> PublicKey {
    let answer = client(issuer).get("/oauth/v2/keys", &[]).unwrap();
    let key = &answer.json()["keys"][0];
    let number = |name: &str| {
        let bytes = BASE64URL.decode(key[name].as_str().unwrap()).unwrap();
        BoxedUint::from_be_slice_vartime(&bytes)
    };
    PublicKey::new(number("n"), number("e")).unwrap()
}

fn discovery(issuer: &Issuer) -> Value {
    let answer = client(issuer).get("/.well-known/openid-configuration", &[]);
    answer.unwrap().json()
}

#[test]
fn userinfo_knows_a_good_token() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    let answer = exchange(&issuer, &assertion(&user, &issuer), "openid profile");
    let token = access_token(&answer);
    let answer = userinfo(&issuer, &token);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["sub"], user.user_id);
    for claim in ["name", "preferred_username", "updated_at"] {
        assert!(answer.json().get(claim).is_some(), "{claim}");
    }
    let bearer = [("Authorization", &*format!("bearer {token}"))];
    let posted = client(&issuer).request("POST", "/oidc/v1/userinfo", &bearer, b"");
    assert_eq!(posted.unwrap().status, 200);
}

#[test]
fn userinfo_refuses_every_other_token() {
    let issuer = Issuer::start();
    let user = issuer.new_user();
    let [revoked, good] = [(); 2].map(|()| access_token(&token(&issuer, &user)));
    issuer.set_lifetime(0);
    let expired = access_token(&token(&issuer, &user));
    issuer.revoke(&revoked);

    for (shape, status, content_type) in [
        (UserinfoRefusal::Json401, 401, "application/json"),
        (UserinfoRefusal::Text401, 401, "text/plain; charset=utf-8"),
        (UserinfoRefusal::Json403, 403, "application/json"),
    ] {
        issuer.set_userinfo_refusal(shape);
        for bad in ["unknown", &revoked, &expired] {
            let answer = userinfo(&issuer, bad);
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("content-type"), Some(content_type));
            assert!(!issuer.accepts(bad));
        }
        assert_eq!(userinfo(&issuer, &good).status, 200);
        assert!(issuer.accepts(&good));
    }
    issuer.revoke_all();
    assert!(!issuer.accepts(&good));
}

#[test]
fn requests_and_connections_are_counted_and_kept() {
    let issuer = Issuer::start();
    let assertion = assertion(&issuer.new_user(), &issuer);
    let mut client = client(&issuer);
    client
        .get("/.well-known/openid-configuration", &[])
        .unwrap();
    let form = [
        ("grant_type", GRANT),
        ("scope", "openid profile"),
        ("assertion", &assertion),
    ];
    client.post("/oauth/v2/token", &form).unwrap();
    assert_eq!(issuer.requests(Endpoint::Discovery), 1);
    assert_eq!(issuer.token_requests(), 1);
    assert_eq!(issuer.total_requests(), 2);
    assert_eq!(issuer.connections(), 1);

    let request = issuer.last_token_request();
    assert_eq!(request.form_value("scope").unwrap(), "openid profile");
    assert_eq!(request.form_value("assertion").unwrap(), assertion);
    assert_eq!(issuer.log(Endpoint::Any).len(), 2);
}

#[test]
fn over_tls_it_serves_those_who_trust_its_authority() {
    let ca = Ca::new();
    let issuer = Issuer::start_tls(&ca);
    assert_eq!(issuer.url(), format!("https://localhost:{}", issuer.port()));
    let mut client = Client::https(issuer.port(), &ca.client_config());
    let answer = client.get("/.well-known/openid-configuration", &[]);
    assert_eq!(answer.unwrap().json()["issuer"], issuer.url());
}
