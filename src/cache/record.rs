//! An entry's bytes: a JSON object that says what the token was got for, so that
//! a file which lies in the wrong place is found out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::grant::Grant;
use crate::secret::Secret;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::{Endpoints, HttpUrl};

/// A token in the cache, and where the next one is to be had.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The token.
    pub token: Token,
    /// From when to when it is good.
    pub lifespan: Lifespan,
    /// Where it came from, so that the next mint needs no discovery.
    pub endpoints: Endpoints,
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
}

/// Reads an entry, if every field of it fits the grant.
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
    })
}

/// Writes an entry of this grant.
///
/// # Errors
/// None that can happen: it is all text and numbers.
pub fn write(grant: &Grant, entry: &Entry) -> serde_json::Result<Secret> {
    let Entry {
        token,
        lifespan,
        endpoints,
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
    })
    .map(Secret::new)
}
