//! The exchange by hand: a token without the binary, and assertions for tests to change.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::issuer::{Endpoint, Issuer};
use super::jwt;
use super::keys::ServiceUser;

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Unix time.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub fn header(user: &ServiceUser) -> Value {
    json!({ "alg": "RS256", "kid": user.key_id })
}

pub fn claims(user: &ServiceUser, issuer: &Issuer) -> Value {
    json!({
        "iss": user.user_id,
        "sub": user.user_id,
        "aud": issuer.url(),
        "iat": now() - 60,
        "exp": now() + 600,
    })
}

/// Returns a valid assertion.
pub fn assertion(user: &ServiceUser, issuer: &Issuer) -> String {
    jwt::sign(&user.private, &header(user), &claims(user, issuer))
}

/// Returns the token endpoint's answer. The issuer must be without TLS.
pub fn exchange(issuer: &Issuer, assertion: &str, scope: &str) -> Answer {
    let form = [
        ("grant_type", GRANT),
        ("scope", scope),
        ("assertion", assertion),
    ];
    let mut client = Client::http(issuer.port());
    client.post(Endpoint::TOKEN_PATH, &form).unwrap()
}

/// Returns the answer to a valid assertion.
pub fn token(issuer: &Issuer, user: &ServiceUser) -> Answer {
    exchange(issuer, &assertion(user, issuer), "openid")
}

pub fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Returns the status, the OAuth error and its description.
pub fn refusal(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (answer.status, text("error"), text("error_description"))
}
