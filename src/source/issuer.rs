//! Requests to a ZITADEL instance: discovery, token exchange, userinfo.

pub mod answer;
pub mod contact;
pub mod user_keys;
pub mod verdict;

use answer::{OAuthError, passing, repeated, verdict};
use serde::Deserialize;
use serde_json::Value;
use verdict::{Question, Verdict};

use crate::error::{Error, Report};
use crate::net::answer::Answer;
use crate::net::http::{Http, Network};
use crate::net::peer::Peer;
use crate::net::proxy::Rules;
use crate::scope::Scopes;
use crate::secret::Secret;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::quoted;
use crate::token::{LONGEST, Token};
use crate::url::{Endpoints, HttpUrl, IssuerUrl};

const ZITADEL: Peer = Peer {
    proxy: Rules::Curl,
    unreachable: "check that the issuer is up and reachable from here (network, proxy, firewall)",
    other_server: "check that a ZITADEL instance answers at this URL",
    other_name: "check the issuer's host name, and which server answers there",
    authority: "if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile",
    client_certificate: "client certificates are not supported: use an address of the issuer that requires none",
    ca_file: "ca-file",
    bad_ca_file: "give a readable PEM file with the root certificates to trust",
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A client of one ZITADEL instance for one call.
pub struct Issuer<'a> {
    url: &'a IssuerUrl,
    http: Http<'a>,
}

/// The proof of identity for the token endpoint.
pub enum Proof {
    /// A signed assertion (RFC 7523, section 2.1).
    Assertion(Secret),
    /// The `Authorization` header of a client (RFC 6749, section 4.4).
    Client(Secret),
}

/// The token endpoint's successful response.
#[derive(Debug)]
pub struct Granted {
    /// The access token, a `b64token`.
    pub access_token: String,
    /// Its lifetime in seconds; `None` if the response has no `expires_in`.
    pub expires_in: Option<u64>,
    /// The issuer's clock.
    pub date: Option<UnixTime>,
}

/// The issuer's refusal.
#[derive(Debug)]
pub struct Refusal {
    /// Its meaning; never [`Verdict::Passing`], which is an error.
    pub verdict: Verdict,
    /// The HTTP status.
    pub status: u16,
    /// The `error` of an OAuth error response (RFC 6749, section 5.2).
    pub code: Option<String>,
    /// Its `error_description`, or the response's text: only for people, because it
    /// changes between versions.
    pub description: String,
    /// The response's `Date` header: the issuer's clock.
    pub date: Option<UnixTime>,
}

/// The token endpoint's response.
#[derive(Debug)]
pub enum Exchange {
    /// A token.
    Granted(Granted),
    /// A refusal of the proof.
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

impl<'a> Issuer<'a> {
    /// Creates a client that uses `network` until `deadline`. Opens and reads nothing.
    pub fn new(url: &'a IssuerUrl, network: &'a Network<'a>, deadline: Deadline) -> Self {
        Self {
            url,
            http: Http::new(network, deadline, &ZITADEL),
        }
    }

    /// Checks the local settings of a request: the proxy variables, https, and root
    /// certificates to trust. Opens no socket.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the invalid setting.
    pub fn check_settings(&self) -> Result<(), Error> {
        let url = self.url.discovery();
        self.http.proxy(&url)?;
        self.http.check(&url)
    }

    /// Reads the discovery document (OpenID Connect Discovery 1.0, section 4).
    ///
    /// # Errors
    /// There is no discovery document, or it belongs to another issuer.
    pub fn discover(&self) -> Result<Endpoints, Error> {
        let url = self.url.discovery();
        endpoints(
            self.url,
            &self.http.get(&url, None, &repeated(Question::Discovery))?,
        )
    }

    /// Exchanges a proof for a token.
    ///
    /// # Errors
    /// No response or an invalid one. A refusal is not an error here.
    pub fn exchange(
        &self,
        endpoint: &HttpUrl,
        proof: &Proof,
        scopes: &Scopes,
    ) -> Result<Exchange, Error> {
        let scope = ("scope", &*scopes.to_string());
        let (authorization, form): (_, &[_]) = match proof {
            Proof::Assertion(assertion) => (
                None,
                &[
                    ("grant_type", JWT_BEARER),
                    scope,
                    ("assertion", assertion.expose()),
                ],
            ),
            Proof::Client(header) => (Some(header), &[("grant_type", CLIENT_CREDENTIALS), scope]),
        };
        let judge = repeated(Question::Exchange);
        exchanged(&self.http.post(endpoint, authorization, form, &judge)?)
    }

    /// Returns the userinfo response for a token (OpenID Connect Core 1.0, section
    /// 5.3), or the refusal of the token.
    ///
    /// # Errors
    /// No response or an invalid one: it says nothing about the token.
    pub fn userinfo(
        &self,
        endpoint: &HttpUrl,
        token: &Token,
    ) -> Result<Result<Value, Refusal>, Error> {
        let judge = repeated(Question::Userinfo);
        let answer = self.http.get(endpoint, Some(token), &judge)?;
        if answer.status == 200 {
            let claims = answer.json().map(Ok);
            return claims.map_err(|report| Error::Final(report.hint(WRONG_ANSWER)));
        }
        let refusal = refusal(Question::Userinfo, &answer)?;
        if refusal.verdict == Verdict::Revoked {
            return Ok(Err(refusal));
        }
        let report = Report::new(format!("{endpoint}: {}", answer.headline()));
        Err(Error::Final(report.hint(WRONG_ANSWER)))
    }
}

/// Parses the discovery document of `issuer`.
///
/// # Errors
/// As [`Issuer::discover`].
pub fn endpoints(issuer: &IssuerUrl, answer: &Answer<'_>) -> Result<Endpoints, Error> {
    if let Some(error) = redirected(answer) {
        return Err(error);
    }
    match verdict(answer, Question::Discovery) {
        None => {}
        Some(Verdict::Passing) => return Err(passing(answer)),
        Some(_) => {
            let report = Report::new(format!("{}: {}", answer.url, answer.headline()));
            return Err(Error::Final(report.hint(CHECK_ISSUER)));
        }
    }
    let document: Discovery = answer
        .json()
        .map_err(|report| report.hint(CHECK_ISSUER))
        .map_err(Error::Final)?;
    if document.issuer != issuer.as_str() {
        return Err(other_issuer(issuer, &document.issuer));
    }
    let endpoint = |name: &str, text: &str| {
        let url = HttpUrl::parse(text).filter(|_| text.len() <= LONGEST_URL);
        url.ok_or_else(|| {
            let text = quoted(text);
            let what = format!("{}: invalid {name}: \"{text}\"", answer.url);
            Error::Final(Report::new(what).hint(WRONG_ANSWER))
        })
    };
    Ok(Endpoints {
        token: endpoint("token_endpoint", &document.token_endpoint)?,
        userinfo: endpoint("userinfo_endpoint", &document.userinfo_endpoint)?,
    })
}

/// Parses the token endpoint's response.
///
/// # Errors
/// As [`Issuer::exchange`].
pub fn exchanged(answer: &Answer<'_>) -> Result<Exchange, Error> {
    if answer.status != 200 {
        return refusal(Question::Exchange, answer).map(Exchange::Refused);
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
        return Err(wrong("token_type is not Bearer"));
    }
    if Token::new(access_token.clone(), None).is_none() {
        return Err(wrong(
            "access_token contains characters that are invalid in a bearer token",
        ));
    }
    let expires_in = match expires_in {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            lifetime(&value)
                .ok_or_else(|| wrong("expires_in is not a positive number of seconds"))?,
        ),
    };
    Ok(Exchange::Granted(Granted {
        access_token,
        expires_in,
        date: answer.date,
    }))
}

/// Size limit of an endpoint's URL in bytes: errors show it.
const LONGEST_URL: usize = 2048;

const CHECK_ISSUER: &str =
    "set issuer to the URL of your ZITADEL instance, as its console shows it";

const WRONG_ANSWER: &str =
    "not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log";

/// Returns a whole number of seconds from 1 to [`LONGEST`]: greater numbers are reduced
/// to it, and a fraction is cut off.
fn lifetime(value: &Value) -> Option<u64> {
    // A cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let secs = value.as_f64()? as u64;
    (secs >= 1).then(|| secs.min(LONGEST.as_secs()))
}

fn other_issuer(ours: &IssuerUrl, theirs: &str) -> Error {
    let shown = quoted(theirs);
    let report = Report::new(format!(
        "the issuer calls itself {shown}, but {} is configured",
        ours.as_str()
    ));
    let hint = match IssuerUrl::parse(theirs) {
        // That issuer would get the assertion in plain text.
        Some(url) if url.origin().is_exposed() && !ours.origin().is_exposed() => {
            "set ExternalSecure, ExternalDomain and ExternalPort in the instance's configuration: it does not know that it is reached by https".to_owned()
        }
        Some(_) if shown == theirs => format!(
            "set issuer = \"{shown}\" in the profile, or --issuer: the two must be equal to the last character"
        ),
        _ => CHECK_ISSUER.to_owned(),
    };
    Error::Usage(report.hint(hint))
}

/// Returns the error of a redirect, which is never followed.
fn redirected(answer: &Answer<'_>) -> Option<Error> {
    let location = answer.location.as_ref()?;
    // After these characters, a redirect to a login page has its state or a token.
    let target = location.split(['?', '#']).next().unwrap_or_default();
    let what = format!("{}: redirects to {}", answer.url, quoted(target));
    Some(Error::Final(Report::new(what).hint(
        "set issuer to a URL that does not redirect: a redirect is not followed, because a secret would go to another host",
    )))
}

/// True for the form of an OAuth error code: `invalid_grant`.
fn is_code(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Parses an error response: a refusal, or a temporary failure.
fn refusal(question: Question, answer: &Answer<'_>) -> Result<Refusal, Error> {
    let oauth: Option<OAuthError> = answer.json().ok();
    if let Some(error) = redirected(answer) {
        return Err(error);
    }
    let verdict = answer::verdict(answer, question).unwrap_or(Verdict::Final);
    if verdict == Verdict::Passing {
        return Err(passing(answer));
    }
    let is_secret = answer.may_hold_a_secret();
    let (code, description) = match oauth {
        Some(OAuthError {
            error,
            error_description,
        }) => (
            Some(quoted(if is_secret && !is_code(&error) {
                ""
            } else {
                &error
            })),
            error_description
                .filter(|_| !is_secret)
                .map_or_else(String::new, |text| quoted(&text)),
        ),
        None => (None, answer.headline()),
    };
    Ok(Refusal {
        verdict,
        status: answer.status,
        code,
        description,
        date: answer.date,
    })
}

#[cfg(test)]
mod tests;
