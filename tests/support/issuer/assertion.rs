//! The checks on an assertion (RFC 7523 section 3), in a ZITADEL server's order.

use serde_json::Value;

use super::answers::Refusal;
use super::users::Users;
use crate::support::jwt::Jwt;

/// How far ahead of the server's clock `iat` may be, and the minimum time until `exp`, in
/// milliseconds.
const LEEWAY: i64 = 1000;
const MAX_AGE: i64 = 3_600_000;

/// Algorithms that the server accepts by name. Its keys are RSA keys, so an ES256
/// signature then fails as a signature.
const ALGORITHMS: [&str; 3] = ["RS256", "PS256", "ES256"];

/// Returns the user of the assertion. `issuer` is the name that the audience must
/// contain, `now` the server's own Unix time in milliseconds.
pub(super) fn check(
    assertion: &str,
    issuer: &str,
    now: i64,
    users: &Users,
) -> Result<String, Refusal> {
    let jwt = Jwt::parse(assertion).ok_or(Refusal::Garbage)?;
    let claims = &jwt.claims;

    if !audience(claims).contains(&issuer) {
        return Err(Refusal::Audience);
    }
    let expiry = seconds(claims, "exp")?.ok_or(Refusal::Expired)?;
    if expiry <= rounded(now + LEEWAY) {
        return Err(Refusal::Expired);
    }
    let issued_at = seconds(claims, "iat")?.ok_or(Refusal::NoIssuedAt)?;
    if issued_at > rounded(now + LEEWAY) {
        return Err(Refusal::IssuedInFuture);
    }
    if issued_at < rounded(now - MAX_AGE) {
        return Err(Refusal::IssuedTooLongAgo);
    }
    let user_id = claims["iss"].as_str().ok_or(Refusal::Garbage)?;
    if claims["sub"].as_str() != Some(user_id) {
        return Err(Refusal::Delegation);
    }
    if !jwt.algorithm().is_some_and(|alg| ALGORITHMS.contains(&alg)) {
        return Err(Refusal::Algorithm);
    }
    let key = jwt
        .key_id()
        .and_then(|key_id| users.public_key(key_id, user_id, now))
        .ok_or(Refusal::UnknownKey)?;
    if !jwt.is_signed_by(key) {
        return Err(Refusal::Signature);
    }
    Ok(user_id.to_owned())
}

/// Returns the audience: a string or an array of strings.
fn audience(claims: &Value) -> Vec<&str> {
    match &claims["aud"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Returns the nearest full second, which the server compares with.
fn rounded(millis: i64) -> i64 {
    (millis + 500).div_euclid(1000)
}

/// Returns a time claim; `None` if the claim is missing. A fraction is cut off.
fn seconds(claims: &Value, claim: &str) -> Result<Option<i64>, Refusal> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::Number(seconds)) => {
            let whole = seconds.to_string();
            let whole = whole.split('.').next().and_then(|whole| whole.parse().ok());
            whole.map(Some).ok_or(Refusal::Garbage)
        }
        Some(_) => Err(Refusal::Garbage),
    }
}
