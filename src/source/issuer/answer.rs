//! Interprets ZITADEL's HTTP responses. Pure.

use serde::Deserialize;

use super::verdict::{Format, Question, Verdict};
use crate::error::{Error, Report};
use crate::net::answer::Answer;

const IN_TROUBLE: &str = "try again later: the issuer has an internal problem";

const NO_INSTANCE: &str = "set issuer to the URL of your ZITADEL instance, as its console shows it: ZITADEL gives this answer if the host name is not a domain of an instance";

const OWN_TROUBLE: &str = "try again later: ZITADEL gives the same answer for an internal error, such as a database that is down";

/// The body of an OAuth error response (RFC 6749, section 5.2).
#[derive(Deserialize)]
pub struct OAuthError {
    /// The code.
    pub error: String,
    /// A text for people: it changes between versions.
    pub error_description: Option<String>,
}

/// Returns the response's meaning; `None` if it is a success.
pub fn verdict(answer: &Answer<'_>, question: Question) -> Option<Verdict> {
    if answer.status == 200 {
        return None;
    }
    let oauth: Option<OAuthError> = answer.json().ok();
    let is_text = answer.content_type.starts_with("text/plain");
    let (format, code) = match &oauth {
        Some(oauth) => (Format::OAuth, oauth.error.as_str()),
        None if is_text => (Format::Text, ""),
        None => (Format::Other, ""),
    };
    Some(Verdict::of(question, answer.status, format, code))
}

/// Returns a function that returns the error of a response that may differ on a retry.
pub fn repeated(question: Question) -> impl Fn(&Answer<'_>) -> Option<Error> {
    move |answer| {
        let is_passing = verdict(answer, question) == Some(Verdict::Passing);
        is_passing.then(|| passing(answer))
    }
}

/// Returns the error of a response that may differ on a retry.
pub fn passing(answer: &Answer<'_>) -> Error {
    let report = Report::new(format!("{}: {}", answer.url, answer.headline()));
    let report = report.wait(answer.retry_after);
    let report = if answer.status == 429 {
        report.limited()
    } else {
        report
    };
    Error::Passing(match (answer.status, answer.retry_after) {
        (_, Some(wait)) => report.hint(format!(
            "try again in {} s, as the server asks",
            wait.as_secs()
        )),
        (429, None) => report.hint(
            "try again in a minute: there were too many requests from here, a quota is exhausted, or the instance is blocked",
        ),
        (404, None) => report.hint(NO_INSTANCE).hint(OWN_TROUBLE),
        (500, None) => report.hint(IN_TROUBLE),
        _ => report.hint("try again later: the failure may be temporary"),
    })
}
