//! The file format of an entry: a JSON object with the token and its grant, so that an
//! entry in the wrong place is detected.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::grant::Grant;
use crate::secret::Secret;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::{Endpoints, HttpUrl, IssuerUrl};

/// A cached token, and the endpoints for the next one.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The token.
    pub token: Token,
    /// The token's lifespan.
    pub lifespan: Lifespan,
    /// The issuer's endpoints, so that the next mint needs no discovery; `None` if no
    /// discovery was needed.
    pub endpoints: Option<Endpoints>,
    /// True if a server refused the token, and the issuer has not been asked yet.
    pub is_doubted: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Record<'a> {
    pub(super) issuer: Cow<'a, str>,
    pub(super) key_id: Cow<'a, str>,
    pub(super) user_id: Cow<'a, str>,
    pub(super) scopes: Cow<'a, str>,
    pub(super) access_token: Cow<'a, str>,
    obtained_at: UnixTime,
    pub(super) expires_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    doubted: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(doubted: &bool) -> bool {
    !*doubted
}

/// The names of all fields but the last, in their order.
const FIELDS: [&str; 9] = [
    "issuer",
    "key_id",
    "user_id",
    "scopes",
    "access_token",
    "obtained_at",
    "expires_at",
    "token_endpoint",
    "userinfo_endpoint",
];

/// Number of these fields that make a file an entry: other programs' tokens and discovery
/// documents have some of them.
const ENOUGH: usize = 6;

/// True for the bytes of an entry, whole or damaged: empty, zeroed, cut off, or with
/// enough of its fields.
pub(super) fn is_of_ours(bytes: &[u8]) -> bool {
    let has = |name: &&str| {
        let field = format!("\"{name}\":");
        let mut places = bytes.windows(field.len());
        places.any(|place| place == field.as_bytes())
    };
    let is_blank = bytes.iter().all(|byte| *byte == 0);
    is_blank || FIELDS.iter().filter(|name| has(name)).count() >= ENOUGH || is_cut_off(bytes)
}

/// True for a truncated JSON object that begins as an entry does: within its first name
/// or value, or with the first two names.
fn is_cut_off(bytes: &[u8]) -> bool {
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    if !whole.is_err_and(|error| error.is_eof()) {
        return false;
    }
    let names = FIELDS.iter().map(|name| format!("{{\"{name}"));
    if names.into_iter().any(|start| start.starts_with(text)) {
        return true;
    }
    let Some(value) = text.strip_prefix("{\"issuer\"") else {
        return false;
    };
    let Some(value) = value.strip_prefix(":\"") else {
        return ":\"".starts_with(value);
    };
    let next = value.split_once('"').map_or("", |(_, rest)| rest);
    let second = ",\"key_id\":\"";
    next.starts_with(second) || second.starts_with(next)
}

/// Returns the issuer in a file; empty for tokens from another program.
fn text_of(issuer: Option<&IssuerUrl>) -> &str {
    issuer.map_or("", IssuerUrl::as_str)
}

/// Parses an entry; `None` if a field differs from the grant or is invalid.
pub fn read(grant: &Grant, bytes: &[u8]) -> Option<Entry> {
    let Record {
        issuer,
        key_id,
        user_id,
        scopes,
        access_token,
        obtained_at,
        expires_at,
        token_endpoint,
        userinfo_endpoint,
        doubted,
    } = serde_json::from_slice(bytes).ok()?;
    let endpoints = match (token_endpoint, userinfo_endpoint) {
        (Some(token), Some(userinfo)) => Some(Endpoints {
            token: HttpUrl::parse(&token)?,
            userinfo: HttpUrl::parse(&userinfo)?,
        }),
        (None, None) => None,
        _ => return None,
    };
    let same = issuer == text_of(grant.issuer.as_ref())
        && key_id == grant.key_id.as_str()
        && user_id == grant.user_id.as_str()
        && scopes == grant.scopes.to_string()
        && obtained_at < expires_at;
    let lifespan = Lifespan {
        obtained_at,
        expires_at,
    };
    let token = Token::new(access_token.into_owned(), Some(lifespan))?;
    same.then_some(Entry {
        token,
        lifespan,
        endpoints,
        is_doubted: doubted,
    })
}

/// Returns the bytes of an entry of this grant.
///
/// # Errors
/// Infallible: string and number fields only.
pub fn write(grant: &Grant, entry: &Entry) -> serde_json::Result<Secret> {
    let Entry {
        token,
        lifespan,
        endpoints,
        is_doubted,
    } = entry;
    serde_json::to_string(&Record {
        issuer: text_of(grant.issuer.as_ref()).into(),
        key_id: grant.key_id.as_str().into(),
        user_id: grant.user_id.as_str().into(),
        scopes: grant.scopes.to_string().into(),
        access_token: token.expose().into(),
        obtained_at: lifespan.obtained_at,
        expires_at: lifespan.expires_at,
        token_endpoint: endpoints.as_ref().map(|all| all.token.as_str().into()),
        userinfo_endpoint: endpoints.as_ref().map(|all| all.userinfo.as_str().into()),
        doubted: *is_doubted,
    })
    .map(Secret::new)
}
