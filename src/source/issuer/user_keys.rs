//! A user's own keys at ZITADEL's user API v2. They need no role, but a token with the
//! audience of ZITADEL's own APIs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{passing, repeated, verdict};
use super::verdict::{Question, Verdict};
use super::{Issuer, WRONG_ANSWER, redirected};
use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::net::answer::Answer;
use crate::source::key::end::KeyEnd;
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::HttpUrl;

/// Maximum number of pages of a list, with 100 keys each.
const MOST_PAGES: usize = 50;

/// gRPC's code for something that does not exist.
const NOT_FOUND: u32 = 5;

/// A key in ZITADEL's list, which never has the private half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserKey {
    /// The key's ID.
    pub id: KeyId,
    /// The time of its creation.
    pub created_at: UnixTime,
    /// Its expiry.
    pub end: KeyEnd,
}

/// One page of the list.
#[derive(Debug)]
pub struct Page {
    /// The user's own keys on this page.
    pub keys: Vec<UserKey>,
    /// Number of keys on this page, including those of other users.
    pub found: usize,
    /// Total number of keys, including those that this user may not see.
    pub total: usize,
}

#[derive(Deserialize)]
struct Listed {
    pagination: Option<Pagination>,
    // Absent if empty.
    #[serde(default)]
    result: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    // A number as a string, as in protobuf's JSON for 64 bits; absent for zero.
    total_result: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    user_id: String,
    creation_date: String,
    expiration_date: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    key_id: String,
}

/// An error of gRPC's gateway. Its text is translated: the code decides.
#[derive(Deserialize)]
struct Status {
    code: Option<u32>,
    message: Option<String>,
}

impl Issuer<'_> {
    /// Returns a user's own keys, the newest first.
    ///
    /// # Errors
    /// No response, an invalid one, or a refusal.
    pub fn user_keys(&self, token: &Token, user: &UserId) -> Result<Vec<UserKey>, Error> {
        let url = self.api_url("/v2/users/keys/search")?;
        let (mut keys, mut seen) = (Vec::<UserKey>::new(), 0);
        for _ in 0..MOST_PAGES {
            let asked = json!({
                "pagination": { "offset": seen },
                "filters": [{ "userIdFilter": { "id": user.as_str() } }],
            });
            let answer = self.call(&url, token, Some(&asked))?;
            let page = listed(&answer, user)?;
            let is_new = |key: &UserKey| keys.iter().all(|known| known.id != key.id);
            let new: Vec<_> = page.keys.into_iter().filter(is_new).collect();
            keys.extend(new);
            seen += page.found;
            if page.found == 0 || seen >= page.total {
                break;
            }
        }
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        Ok(keys)
    }

    /// Adds a public key (PEM of SPKI) to a user, and returns its ID, or the refusal: no
    /// key was added then.
    ///
    /// # Errors
    /// No response or an invalid one: the key may have been added.
    pub fn add_user_key(
        &self,
        token: &Token,
        user: &UserId,
        public_pem: &str,
        end: &KeyEnd,
    ) -> Result<Result<KeyId, Error>, Error> {
        let url = self.api_url(&format!("/v2/users/{}/keys", user.as_str()))?;
        let asked = json!({
            "expirationDate": end.to_string(),
            "publicKey": BASE64.encode(public_pem),
        });
        added(&self.call(&url, token, Some(&asked))?)
    }

    /// Removes one of a user's own keys. Returns false if there is no such key.
    ///
    /// # Errors
    /// As [`Issuer::user_keys`].
    pub fn remove_user_key(
        &self,
        token: &Token,
        user: &UserId,
        key: &KeyId,
    ) -> Result<bool, Error> {
        let path = format!("/v2/users/{}/keys/{}", user.as_str(), key.as_str());
        let url = self.api_url(&path)?;
        removed(&self.call(&url, token, None)?)
    }

    fn api_url(&self, path: &str) -> Result<HttpUrl, Error> {
        self.url.api(path).ok_or_else(|| {
            let what = format!("{}: no URL for {}", self.url.as_str(), quoted(path));
            Error::Usage(Report::new(what))
        })
    }

    fn call<'u>(
        &self,
        url: &'u HttpUrl,
        token: &Token,
        asked: Option<&Value>,
    ) -> Result<Answer<'u>, Error> {
        let asked = asked.map(Value::to_string);
        let judge = repeated(Question::UserKeys);
        self.http.call_api(url, token, asked.as_deref(), &judge)
    }
}

/// Parses one page of the user's keys.
///
/// # Errors
/// As [`Issuer::user_keys`].
pub fn listed(answer: &Answer<'_>, user: &UserId) -> Result<Page, Error> {
    let Listed { pagination, result } = read(answer)?;
    let total = pagination.and_then(|pagination| pagination.total_result);
    let total = match &total {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(digits)) => digits.parse().ok(),
        Some(number) => number.as_u64(),
    };
    let total = total.and_then(|total| usize::try_from(total).ok());
    let total = total.ok_or_else(|| wrong(answer, "invalid totalResult"))?;
    let found = result.len();
    let own = result
        .into_iter()
        .filter(|entry| entry.user_id == user.as_str());
    let keys = own.map(|entry| {
        Some(UserKey {
            id: KeyId::parse(&entry.id)?,
            created_at: UnixTime::parse_rfc3339(&entry.creation_date)?,
            end: KeyEnd::parse(&entry.expiration_date)?,
        })
    });
    let keys = keys.collect::<Option<Vec<_>>>();
    let keys = keys.ok_or_else(|| wrong(answer, "a key with an invalid ID or date"))?;
    Ok(Page { keys, found, total })
}

/// Parses the response to a new key, and returns its ID, or the refusal.
///
/// # Errors
/// As [`Issuer::add_user_key`].
pub fn added(answer: &Answer<'_>) -> Result<Result<KeyId, Error>, Error> {
    match refused(answer) {
        Some(error @ Error::Passing(_)) => return Err(error),
        Some(refusal) => return Ok(Err(refusal)),
        None => {}
    }
    let Added { key_id } = read(answer)?;
    let id = KeyId::parse(&key_id).ok_or_else(|| wrong(answer, "invalid keyId"))?;
    Ok(Ok(id))
}

/// Parses the response to a removal. Returns false if there is no such key.
///
/// # Errors
/// As [`Issuer::remove_user_key`].
pub fn removed(answer: &Answer<'_>) -> Result<bool, Error> {
    if answer.status == 404 && code(answer) == Some(NOT_FOUND) {
        return Ok(false);
    }
    match refused(answer) {
        Some(error) => Err(error),
        None => Ok(true),
    }
}

fn read<T: DeserializeOwned>(answer: &Answer<'_>) -> Result<T, Error> {
    if let Some(error) = refused(answer) {
        return Err(error);
    }
    answer
        .json()
        .map_err(|report| Error::Final(report.hint(WRONG_ANSWER)))
}

fn code(answer: &Answer<'_>) -> Option<u32> {
    answer.json::<Status>().ok()?.code
}

fn wrong(answer: &Answer<'_>, what: &str) -> Error {
    let report = Report::new(format!("{}: {what}", answer.url));
    Error::Final(report.hint(WRONG_ANSWER))
}

/// Returns the error of an unsuccessful response.
fn refused(answer: &Answer<'_>) -> Option<Error> {
    if let Some(error) = redirected(answer) {
        return Some(error);
    }
    let verdict = verdict(answer, Question::UserKeys)?;
    if verdict == Verdict::Passing {
        return Some(passing(answer));
    }
    let report = Report::new(format!("{}: {}", answer.url, said(answer)));
    Some(Error::Final(match (verdict, answer.status) {
        (Verdict::Revoked, _) => report.hint(
            "check in ZITADEL that the user is active: the user API refused a token that was made for it just now",
        ),
        (_, 403) => report.hint(
            "ask an administrator to let the service user manage its own keys (user.write, a role such as Org User Manager): this version of ZITADEL requires that",
        ),
        (_, 404) => report.hint(
            "make the key in ZITADEL (the service user's Keys, New): this version of ZITADEL does not let a user manage its own keys, or the issuer is not the user's instance",
        ),
        _ => report,
    }))
}

/// Returns the status and the error's text, on one line.
fn said(answer: &Answer<'_>) -> String {
    let status: Option<Status> = answer.json().ok();
    let message = status.and_then(|status| status.message);
    match message {
        Some(message) if !answer.may_hold_a_secret() => {
            format!("HTTP {}: {}", answer.status, quoted(&message))
        }
        _ => answer.headline(),
    }
}

#[cfg(test)]
mod tests;
