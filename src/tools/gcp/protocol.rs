//! Google's external account credentials, sourced from an executable.
//!
//! Source: google-auth's `pluggable.py`. The request is in environment variables; the
//! answer is JSON, also for errors. The Python and Node.js clients read stderr as part
//! of the answer.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Report};
use crate::token::Token;

const TYPE: &str = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE";
const OUTPUT_FILE: &str = "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE";
const INTERACTIVE: &str = "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE";
const REVOKE: &str = "GOOGLE_EXTERNAL_ACCOUNT_REVOKE";

/// The token types of a JWT (RFC 8693, section 3); the first is the default.
const TYPES: [&str; 2] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
];

/// The client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Return a token of this type.
    Token(&'static str),
    /// Remove the token.
    Revoke,
}

/// Reads the request from the variables; without them, the request is for a token.
///
/// # Errors
/// The token type is unsupported, or an interactive client names no output file.
pub fn parse(variable: impl Fn(&str) -> Option<OsString>) -> Result<Request, Report> {
    if is_on(&variable, REVOKE) {
        return Ok(Request::Revoke);
    }
    if is_on(&variable, INTERACTIVE) && output_file(&variable).is_none() {
        let what = format!("{INTERACTIVE} is 1, but {OUTPUT_FILE} is not set");
        return Err(Report::new(what)
            .hint("set output_file in the credential configuration: an interactive client reads only that file"));
    }
    let Some(requested) = variable(TYPE) else {
        return Ok(Request::Token(TYPES[0]));
    };
    let known = TYPES.into_iter().find(|known| requested == *known);
    known.map(Request::Token).ok_or_else(|| {
        Report::new(format!("{TYPE}: unsupported token type")).hint(format!(
            "set subject_token_type in the credential configuration to {}",
            TYPES[0]
        ))
    })
}

/// Returns the file for the answer; `None` for stdout. An interactive client reads
/// only the file, because the user sees stdout. For other clients the file would be a
/// second cache, in which a token would outlive `cache clear`, its key and its
/// revocation.
pub fn output_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let is_read = is_on(&variable, INTERACTIVE) && !is_on(&variable, REVOKE);
    let named = variable(OUTPUT_FILE).filter(|file| is_read && !file.is_empty());
    named.map(PathBuf::from)
}

fn is_on(variable: impl Fn(&str) -> Option<OsString>, name: &str) -> bool {
    variable(name).is_some_and(|value| value == "1")
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u8,
    success: bool,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Token {
        token_type: &'a str,
        id_token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expiration_time: Option<u64>,
    },
    Revoked {},
    Failure {
        code: &'a str,
        message: &'a str,
    },
}

/// Returns the answer with a token of this type.
///
/// # Errors
/// Infallible: strings, numbers and booleans only.
pub fn token(token_type: &str, token: &Token) -> serde_json::Result<String> {
    let expiration_time = token
        .expiry_for_tools()
        .map(crate::text::clock::UnixTime::as_secs);
    written(Body::Token {
        token_type,
        id_token: token.expose(),
        expiration_time,
    })
}

/// Returns the answer to a removal.
///
/// # Errors
/// Infallible, as [`token`].
pub fn revoked() -> serde_json::Result<String> {
    written(Body::Revoked {})
}

/// Returns the answer with an error. The message is complete, because the client shows
/// it to the user.
///
/// # Errors
/// Infallible, as [`token`].
pub fn failure(error: &Error) -> serde_json::Result<String> {
    let code = match error {
        Error::Usage(_) => "CONFIGURATION",
        Error::Final(_) | Error::Refused(_) => "FAILED",
        Error::Passing(_) => "TRY_AGAIN",
    };
    written(Body::Failure {
        code,
        message: &error.to_string(),
    })
}

fn written(body: Body<'_>) -> serde_json::Result<String> {
    let answer = Answer {
        version: 1,
        success: !matches!(body, Body::Failure { .. }),
        body,
    };
    serde_json::to_string(&answer).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::text::clock::UnixTime;
    use crate::token::Lifespan;

    /// Returns the environment that a client sets.
    fn set<'a>(all: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| {
            let found = all.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.into())
        }
    }

    #[test]
    fn the_token_type_is_the_requested_one_and_a_jwt_by_default() {
        for (variables, expected) in [
            ([].as_slice(), TYPES[0]),
            (&[(TYPE, TYPES[0]), (REVOKE, "0")], TYPES[0]),
            (&[(TYPE, TYPES[1]), (INTERACTIVE, "0")], TYPES[1]),
        ] {
            let request = parse(set(variables)).ok();
            assert_eq!(request, Some(Request::Token(expected)), "{variables:?}");
        }
        assert_eq!(parse(set(&[(REVOKE, "1")])).ok(), Some(Request::Revoke));
    }

    #[test]
    fn another_type_is_an_error() {
        for bad in [
            "",
            "jwt",
            "urn:ietf:params:oauth:token-type:JWT",
            "urn:ietf:params:oauth:token-type:saml2",
            "urn:ietf:params:aws:token-type:aws4_request",
        ] {
            assert!(parse(set(&[(TYPE, bad)])).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_an_interactive_client_gets_a_file_and_must_set_it() {
        let file = (OUTPUT_FILE, "/run/answer");
        assert_eq!(output_file(set(&[file])), None);
        assert_eq!(output_file(set(&[file, (INTERACTIVE, "0")])), None);
        let on = (INTERACTIVE, "1");
        assert_eq!(output_file(set(&[file, on])), Some("/run/answer".into()));
        assert_eq!(output_file(set(&[file, on, (REVOKE, "1")])), None);
        assert!(parse(set(&[file, on])).is_ok());
        assert!(parse(set(&[on])).is_err());
        assert!(parse(set(&[on, (OUTPUT_FILE, "")])).is_err());
    }

    #[test]
    fn the_answers_are_these_bytes() {
        let obtained_at = UnixTime::from_secs(1_700_000_000);
        let lifespan = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(3600)),
        };
        let of = |lifespan| {
            let issued = Token::new("a.b.c".into(), lifespan).expect("a b64token");
            token(TYPES[0], &issued).expect("text")
        };
        assert_eq!(
            of(Some(lifespan)),
            "{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:jwt\",\"id_token\":\"a.b.c\",\"expiration_time\":1700003570}\n"
        );
        assert!(of(None).ends_with("\"id_token\":\"a.b.c\"}\n"));
        assert_eq!(
            revoked().expect("text"),
            "{\"version\":1,\"success\":true}\n"
        );
        let error = Error::Passing(Report::new("no \"answer\"").hint("wait"));
        assert_eq!(
            failure(&error).expect("text"),
            "{\"version\":1,\"success\":false,\"code\":\"TRY_AGAIN\",\"message\":\"no \\\"answer\\\"\\n  hint: wait\"}\n"
        );
    }
}
