//! User API v2 for a user's own keys, and the answers of ZITADEL's other APIs to such a
//! user.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::uncached;
use super::claims::{ORGANIZATION_ID, ZITADEL_PROJECT_ID};
use super::core::State;
use super::log::Endpoint;
use super::users::Key;
use crate::support::http::{Request, Response};
use crate::support::keys::{ServiceUser, snowflake};

/// The most keys in an answer.
const LIMIT: usize = 100;

/// The API's settings.
#[derive(Default)]
pub(super) struct Settings {
    /// True if a user needs a role to manage its own keys.
    pub(super) is_forbidden: bool,
    /// True for texts in another language than English.
    pub(super) is_translated: bool,
    /// The time until a new key works, in milliseconds.
    pub(super) delay_millis: i64,
}

/// An error in the form of the gRPC gateway.
enum Refusal {
    Token,
    Role,
    NoMembership,
    NoUser,
    NoKey,
    NoExpiry,
    Expired,
    PublicKey,
    Body,
}

impl Refusal {
    fn to_response(&self, is_translated: bool) -> Response {
        // Status, code, text, its translation, ID.
        let (status, code, text, translated, id) = match self {
            Self::Token => (401, 16, "Errors.Token.Invalid", None, "AUTH-7fs1e"),
            Self::Role => (
                403,
                7,
                "No matching permissions found",
                Some("Keine passende Berechtigung gefunden"),
                "AUTH-AWfge",
            ),
            Self::NoMembership => (404, 5, "membership not found", None, "AUTHZ-cdgFk"),
            Self::NoUser => (
                400,
                9,
                "User could not be found",
                Some("Benutzer konnte nicht gefunden werden"),
                "COMMAND-bnipwm1",
            ),
            Self::NoKey => (
                404,
                5,
                "Machine key not found",
                Some("Maschinenschlüssel nicht gefunden"),
                "COMMAND-4m77G",
            ),
            Self::Expired => (
                400,
                3,
                "Errors.AuthNKey.ExpireBeforeNow",
                None,
                "DOMAIN-dv3t5",
            ),
            Self::PublicKey => (
                400,
                3,
                "Public key is not a valid RSA public key in PKIX format with PEM encoding",
                Some("Öffentlicher Schlüssel ist kein gültiger RSA-Schlüssel"),
                "COMMAND-5F3h1",
            ),
            Self::NoExpiry => {
                let message = "invalid AddKeyRequest.ExpirationDate: value is required";
                return Response::json(400, &json!({ "code": 3, "message": message }));
            }
            Self::Body => {
                let message = "proto: syntax error (line 1:1): unexpected token";
                return Response::json(400, &json!({ "code": 3, "message": message }));
            }
        };
        let text = translated.filter(|_| is_translated).unwrap_or(text);
        let message = format!("{text} ({id})");
        let body = json!({
            "code": code,
            "message": message,
            "details": [{
                "@type": "type.googleapis.com/zitadel.v1.ErrorDetail",
                "id": id,
                "message": text,
            }],
        });
        let response = Response::json(status, &body);
        match self {
            Self::Token => response.with_header("Www-Authenticate", message),
            _ => response,
        }
    }
}

/// Answers a request to one of ZITADEL's own APIs.
pub(super) fn answer(state: &mut State, endpoint: Endpoint, request: &Request) -> Response {
    let is_translated = state.user_keys.is_translated;
    let answer = act(state, endpoint, request);
    let response = match answer {
        Ok(body) => Response::json(200, &body),
        Err(refusal) => refusal.to_response(is_translated),
    };
    match endpoint {
        Endpoint::OwnUser => uncached(response),
        _ => response,
    }
}

fn act(state: &mut State, endpoint: Endpoint, request: &Request) -> Result<Value, Refusal> {
    let token = request.bearer().unwrap_or_default();
    let grant = state.tokens.good(token, state.now());
    let own = grant
        .filter(|grant| grant.projects().contains(&ZITADEL_PROJECT_ID))
        .map(|grant| grant.user_id.clone())
        .ok_or(Refusal::Token)?;
    if endpoint == Endpoint::OwnUser {
        return Ok(own_user(state, &own));
    }
    if endpoint == Endpoint::Management {
        return Err(Refusal::NoMembership);
    }
    if state.user_keys.is_forbidden {
        return Err(Refusal::Role);
    }
    let mut parts = request.path().split('/').skip(3);
    let user_id = parts.next().unwrap_or_default();
    match endpoint {
        Endpoint::ListKeys => list(state, &own, &body(request)?),
        Endpoint::AddKey => {
            let asked = body(request)?;
            check_user(state, &own, user_id)?;
            add(state, &own, &asked)
        }
        _ => {
            check_user(state, &own, user_id)?;
            let key_id = parts.nth(1).unwrap_or_default();
            let is_own = state.users.owner(key_id) == Some(&own);
            if !is_own {
                return Err(Refusal::NoKey);
            }
            state.users.remove_key(key_id);
            Ok(json!({ "deletionDate": rfc3339(state.now_millis() * 1000) }))
        }
    }
}

fn body(request: &Request) -> Result<Value, Refusal> {
    serde_json::from_slice(&request.body)
        .ok()
        .filter(Value::is_object)
        .ok_or(Refusal::Body)
}

/// Checks that a user manages only its own keys, which takes no role.
fn check_user(state: &State, own: &str, user_id: &str) -> Result<(), Refusal> {
    if !state.users.is_known(user_id) {
        return Err(Refusal::NoUser);
    }
    if user_id == own {
        Ok(())
    } else {
        Err(Refusal::NoMembership)
    }
}

fn add(state: &mut State, own: &str, asked: &Value) -> Result<Value, Refusal> {
    let now = state.now_millis();
    let expires_at = asked["expirationDate"].as_str().ok_or(Refusal::NoExpiry)?;
    let expires_at = OffsetDateTime::parse(expires_at, &Rfc3339).map_err(|_| Refusal::Body)?;
    let expires_at = i64::try_from(expires_at.unix_timestamp_nanos() / 1000).unwrap();
    if expires_at <= now * 1000 {
        return Err(Refusal::Expired);
    }
    let key_id = snowflake();
    let made = asked.get("publicKey").is_none().then(ServiceUser::new);
    let public = match &made {
        Some(made) => Some(made.public()),
        None => uploaded(asked["publicKey"].as_str().unwrap_or_default())?,
    };
    let key = Key {
        user_id: own.to_owned(),
        public,
        is_expired: false,
        created_at: now,
        works_from: now + state.user_keys.delay_millis,
        expires_at,
    };
    let mut answer = json!({ "creationDate": rfc3339(now * 1000), "keyId": key_id });
    if let Some(made) = made {
        let made = made.with_key_id(&key_id).with_user_id(own);
        answer["keyContent"] = BASE64.encode(made.key_json()).into();
    }
    state.users.add_key(key_id, key);
    Ok(answer)
}

/// Returns the RSA key of an upload; `None` for a key of another kind, which is accepted
/// and never works.
fn uploaded(public_key: &str) -> Result<Option<PublicKey>, Refusal> {
    let pem = BASE64.decode(public_key).map_err(|_| Refusal::Body)?;
    let pem = String::from_utf8(pem).map_err(|_| Refusal::PublicKey)?;
    let is_spki = rsa::pkcs8::Document::from_pem(&pem).is_ok_and(|(label, document)| {
        label == "PUBLIC KEY"
            && rsa::pkcs8::SubjectPublicKeyInfoRef::try_from(document.as_bytes()).is_ok()
    });
    if !is_spki {
        return Err(Refusal::PublicKey);
    }
    Ok(PublicKey::from_public_key_pem(&pem).ok())
}

/// Returns the user's own keys. The total counts all that match the filter, shown or not.
fn list(state: &State, own: &str, asked: &Value) -> Result<Value, Refusal> {
    let of_user = asked["filters"][0]["userIdFilter"]["id"].as_str();
    let mut found: Vec<_> = state
        .users
        .keys()
        .filter(|(_, key)| of_user.is_none_or(|user_id| key.user_id == user_id))
        .collect();
    let by_expiry = asked["sortingColumn"] == "KEY_FIELD_NAME_KEY_EXPIRATION_DATE";
    found.sort_by_key(|(key_id, key)| {
        let expiry = if by_expiry { key.expires_at } else { 0 };
        (expiry, key.created_at, (*key_id).clone())
    });
    if asked["pagination"]["asc"] != true {
        found.reverse();
    }
    let offset = match &asked["pagination"]["offset"] {
        Value::Null => 0,
        Value::Number(number) => usize::try_from(number.as_u64().ok_or(Refusal::Body)?).unwrap(),
        other => other
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or(Refusal::Body)?,
    };
    let mut answer = json!({ "pagination": { "appliedLimit": LIMIT.to_string() } });
    // Zero and the empty list are left out, as in all JSON from protobuf.
    if !found.is_empty() {
        answer["pagination"]["totalResult"] = found.len().to_string().into();
    }
    let page = found.into_iter().skip(offset).take(LIMIT);
    let seen: Vec<_> = page.filter(|(_, key)| key.user_id == own).collect();
    if !seen.is_empty() {
        let entry = |(id, key): (&String, &Key)| {
            json!({
                "creationDate": rfc3339(key.created_at * 1000),
                "changeDate": rfc3339(key.created_at * 1000),
                "id": id,
                "userId": key.user_id,
                "organizationId": ORGANIZATION_ID,
                "expirationDate": rfc3339(key.expires_at),
            })
        };
        answer["result"] = seen.into_iter().map(entry).collect();
    }
    Ok(answer)
}

fn own_user(state: &State, own: &str) -> Value {
    let user = state.users.about(own);
    let name = &user.username;
    json!({ "user": {
        "id": own,
        "details": {
            "sequence": "1",
            "creationDate": rfc3339(state.now_millis() * 1000),
            "changeDate": rfc3339(state.now_millis() * 1000),
            "resourceOwner": ORGANIZATION_ID,
        },
        "state": "USER_STATE_ACTIVE",
        "userName": name,
        "loginNames": [name],
        "preferredLoginName": name,
        "machine": { "name": user.name },
    } })
}

fn rfc3339(unix_micros: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_micros) * 1000);
    time.unwrap().format(&Rfc3339).unwrap()
}
