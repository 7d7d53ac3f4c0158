//! The file format of an entry: a JSON object with the token and its grant, so
//! that an entry in the wrong place is detected.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::grant::Grant;
use crate::secret::Secret;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::{Endpoints, HttpUrl};

/// A cached token, and the endpoints for the next one.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The token.
    pub token: Token,
    /// The token's lifespan.
    pub lifespan: Lifespan,
    /// The issuer's endpoints, so that the next mint needs no discovery.
    pub endpoints: Endpoints,
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
    token_endpoint: Cow<'a, str>,
    userinfo_endpoint: Cow<'a, str>,
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
    let same = issuer == grant.issuer.as_str()
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
        endpoints: Endpoints {
            token: HttpUrl::parse(&token_endpoint)?,
            userinfo: HttpUrl::parse(&userinfo_endpoint)?,
        },
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
        issuer: grant.issuer.as_str().into(),
        key_id: grant.key_id.as_str().into(),
        user_id: grant.user_id.as_str().into(),
        scopes: grant.scopes.to_string().into(),
        access_token: token.expose().into(),
        obtained_at: lifespan.obtained_at,
        expires_at: lifespan.expires_at,
        token_endpoint: endpoints.token.as_str().into(),
        userinfo_endpoint: endpoints.userinfo.as_str().into(),
        doubted: *is_doubted,
    })
    .map(Secret::new)
}
