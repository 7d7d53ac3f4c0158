//! What is asked of a ZITADEL instance: discovery, a token, userinfo. Sockets
//! are opened here and below, nowhere else.

pub mod answer;
mod connect;
pub mod contact;
mod failure;
mod http;
mod phase;
pub mod proxy;
pub mod retry;

use answer::Answer;
use http::{Body, Http};
pub use http::{Environment, Network};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Report};
use crate::scope::Scopes;
use crate::secret::Secret;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::{Endpoints, HttpUrl, IssuerUrl};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A ZITADEL instance, for the length of one call.
pub struct Issuer<'a> {
    url: &'a IssuerUrl,
    http: Http<'a>,
}

/// What the token endpoint gave.
#[derive(Debug)]
pub struct Granted {
    /// The access token, a `b64token`.
    pub access_token: String,
    /// Its lifetime in seconds; none where the issuer did not say.
    pub expires_in: Option<u64>,
}

/// The issuer's no, as far as it says why.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The `error` of an OAuth answer (RFC 6749, section 5.2).
    pub code: Option<String>,
    /// Its `error_description`, or the text that came instead: fit to be shown,
    /// not to decide by (it changes between versions).
    pub description: String,
    /// The issuer's clock, by its `Date` header.
    pub date: Option<UnixTime>,
}

/// How the token endpoint answered.
#[derive(Debug)]
pub enum Exchange {
    /// With a token.
    Granted(Granted),
    /// With a refusal of this assertion.
    Refused(Refusal),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    token_endpoint: String,
    userinfo_endpoint: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    error_description: Option<String>,
}

impl<'a> Issuer<'a> {
    /// An instance that is reached over `network` until `deadline`. Nothing is
    /// opened or read yet.
    pub fn new(url: &'a IssuerUrl, network: &'a Network<'a>, deadline: Deadline) -> Self {
        Self {
            url,
            http: Http::new(network, deadline),
        }
    }

    /// Reads the discovery document (OpenID Connect Discovery 1.0, section 4).
    ///
    /// # Errors
    /// There is none, or it is another issuer's.
    pub fn discover(&self) -> Result<Endpoints, Error> {
        let url = self.url.discovery();
        endpoints(self.url, &self.http.get(&url, None)?)
    }

    /// Exchanges an assertion for a token (RFC 7523, section 2.1).
    ///
    /// # Errors
    /// No answer, or one that makes no sense; a refusal is no error here.
    pub fn exchange(
        &self,
        endpoint: &HttpUrl,
        assertion: &Secret,
        scopes: &Scopes,
    ) -> Result<Exchange, Error> {
        let form: Body<'_> = &[
            ("grant_type", GRANT_TYPE),
            ("scope", &scopes.to_string()),
            ("assertion", assertion.expose()),
        ];
        exchanged(&self.http.post(endpoint, form)?)
    }

    /// Asks whose token it is (OpenID Connect Core 1.0, section 5.3): the
    /// answer's JSON, or the refusal of the token.
    ///
    /// # Errors
    /// No answer, or one that is neither.
    pub fn userinfo(
        &self,
        endpoint: &HttpUrl,
        token: &Token,
    ) -> Result<Result<Value, Refusal>, Error> {
        let answer = self.http.get(endpoint, Some(token))?;
        match answer.status {
            200 => answer
                .json()
                .map(Ok)
                .map_err(|report| Error::Final(report.hint(WRONG_ANSWER))),
            _ => refusal(&answer).map(Err),
        }
    }
}

/// Reads the answer to a question for the discovery document of `issuer`.
///
/// # Errors
/// As [`Issuer::discover`].
pub fn endpoints(issuer: &IssuerUrl, answer: &Answer<'_>) -> Result<Endpoints, Error> {
    if let Some(error) = redirected(answer) {
        return Err(error);
    }
    if answer.status != 200 {
        return Err(no_discovery(answer));
    }
    let document: Discovery = answer
        .json()
        .map_err(|report| report.hint(CHECK_ISSUER))
        .map_err(Error::Final)?;
    if document.issuer != issuer.as_str() {
        return Err(other_issuer(issuer, &document.issuer));
    }
    let endpoint = |name: &str, text: &str| {
        HttpUrl::parse(text).ok_or_else(|| {
            let text = quoted(text);
            let what = format!(
                "{}: its {name} \"{text}\" is not a URL that can be asked",
                answer.url
            );
            Error::Final(Report::new(what).hint(WRONG_ANSWER))
        })
    };
    Ok(Endpoints {
        token: endpoint("token_endpoint", &document.token_endpoint)?,
        userinfo: endpoint("userinfo_endpoint", &document.userinfo_endpoint)?,
    })
}

/// Reads the answer to an assertion.
///
/// # Errors
/// As [`Issuer::exchange`].
pub fn exchanged(answer: &Answer<'_>) -> Result<Exchange, Error> {
    if answer.status != 200 {
        return refusal(answer).map(Exchange::Refused);
    }
    let TokenAnswer {
        access_token,
        token_type,
        expires_in,
    } = answer
        .json()
        .map_err(|report| Error::Final(report.hint(WRONG_ANSWER)))?;
    let wrong = |what: &str| {
        let report = Report::new(format!("{}: {what}", answer.url));
        Error::Final(report.hint(WRONG_ANSWER))
    };
    if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(wrong("its token is not a bearer token"));
    }
    if Token::new(access_token.clone(), None).is_none() {
        return Err(wrong(
            "its access_token holds characters that no bearer token has",
        ));
    }
    let expires_in = match expires_in {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            lifetime(&value)
                .ok_or_else(|| wrong("its expires_in is not a positive number of seconds"))?,
        ),
    };
    Ok(Exchange::Granted(Granted {
        access_token,
        expires_in,
    }))
}

const CHECK_ISSUER: &str =
    "issuer must be the URL of your ZITADEL instance, as its console shows it";

const WRONG_ANSWER: &str =
    "no issuer answers so: see its log, and whether a proxy or a login page stands before it";

/// A whole number of seconds from 1 to 2^32 - 1.
fn lifetime(value: &Value) -> Option<u64> {
    let secs = value.as_u64()?;
    (secs >= 1 && u32::try_from(secs).is_ok()).then_some(secs)
}

fn no_discovery(answer: &Answer<'_>) -> Error {
    let report = Report::new(format!("{}: {}", answer.url, answer.headline()));
    match answer.status {
        408 | 500.. => Error::Passing(report.hint("the issuer is in trouble: try again later")),
        _ => Error::Final(report.hint(CHECK_ISSUER)),
    }
}

fn other_issuer(ours: &IssuerUrl, theirs: &str) -> Error {
    let shown = quoted(theirs);
    let report = Report::new(format!(
        "the issuer calls itself {shown}, but {} is configured",
        ours.as_str()
    ));
    let hint = match IssuerUrl::parse(theirs) {
        // Whoever set that would send the assertion in plain text.
        Some(url) if url.origin().is_exposed() && !ours.origin().is_exposed() => {
            "the instance does not know that it is reached by https: see ExternalSecure, ExternalDomain and ExternalPort in its configuration".to_owned()
        }
        Some(_) if shown == theirs => format!(
            "set issuer = \"{shown}\" in the profile, or --issuer: the two must be equal to the last character"
        ),
        _ => CHECK_ISSUER.to_owned(),
    };
    Error::Usage(report.hint(hint))
}

/// A redirect, which is never followed.
fn redirected(answer: &Answer<'_>) -> Option<Error> {
    let location = answer.location.as_ref()?;
    let what = format!("{}: it redirects to {}", answer.url, quoted(location));
    Some(Error::Final(Report::new(what).hint(
        "redirects are not followed, so that no secret goes astray: set issuer to the URL that answers itself",
    )))
}

/// Reads an answer that is no success: a refusal, or trouble on the way.
fn refusal(answer: &Answer<'_>) -> Result<Refusal, Error> {
    let oauth: Option<OAuthError> = answer.json().ok();
    if let Some(error) = redirected(answer) {
        return Err(error);
    }
    if oauth.is_none() && answer.status >= 500 {
        let report = Report::new(format!("{}: {}", answer.url, answer.headline()));
        return Err(Error::Passing(
            report.hint("the issuer is in trouble: try again later"),
        ));
    }
    let (code, description) = match oauth {
        Some(OAuthError {
            error,
            error_description,
        }) => (
            Some(quoted(&error)),
            quoted(&error_description.unwrap_or_default()),
        ),
        None => (None, answer.headline()),
    };
    Ok(Refusal {
        status: answer.status,
        code,
        description,
        date: answer.date,
    })
}

#[cfg(test)]
mod tests;
