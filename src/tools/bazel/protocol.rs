//! Bazel's credential helper protocol.
//!
//! Source: EngFlow/credential-helper-spec. Its only operation is `get`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Ask;
use crate::text::object::Object;
use crate::token::Token;

#[derive(Deserialize)]
struct Request {
    uri: String,
}

/// Parses a request and returns its host; `None` if the host is invalid. Ignores
/// unknown fields, which later versions may add.
///
/// # Errors
/// The request is not a JSON object with a `uri`.
pub fn parse(request: &[u8]) -> serde_json::Result<Option<Ask>> {
    let Request { uri } = Object::read(request)?;
    // By the specification, `uri` is always a complete URL.
    Ok(Ask::of(&uri).filter(|_| uri.contains("://")))
}

#[derive(Default, Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, [String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// Returns the answer with the headers to send. Without a token it has no headers, and
/// Bazel continues without them.
///
/// # Errors
/// Infallible: string fields only.
pub fn answer(token: Option<&Token>) -> serde_json::Result<String> {
    let answer = token.map_or_else(Answer::default, |token| Answer {
        headers: [("Authorization", [token.bearer()])].into(),
        expires: token.expiry_for_tools().map(|end| end.to_string()),
    });
    serde_json::to_string(&answer).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::text::clock::UnixTime;
    use crate::token::Lifespan;

    fn origin_of(request: &str) -> Option<String> {
        let ask = parse(request.as_bytes()).expect("a request");
        ask.map(|ask| ask.origin.to_string())
    }

    #[test]
    fn the_uri_names_the_host_and_other_fields_are_ignored() {
        for (request, expected) in [
            (
                r#"{"uri":"https://cache.acme.dev/ac/1?x"}"#,
                "https://cache.acme.dev",
            ),
            (
                r#"{"later":[1],"uri":"https://a.dev:8443/"}"#,
                "https://a.dev:8443",
            ),
            (r#"{"uri":"http://a.dev/"}"#, "http://a.dev"),
        ] {
            assert_eq!(origin_of(request).as_deref(), Some(expected), "{request}");
        }
    }

    #[test]
    fn an_invalid_host_gets_no_headers() {
        for uri in [
            "",
            "a.dev",
            "ftp://a.dev/",
            "https://u@a.dev/",
            "https:///x",
        ] {
            assert_eq!(origin_of(&format!(r#"{{"uri":"{uri}"}}"#)), None, "{uri}");
        }
        assert_eq!(answer(None).expect("text"), "{}\n");
    }

    #[test]
    fn a_malformed_request_is_an_error() {
        for bad in [
            r#"["https://a.dev/"]"#,
            "",
            "{}",
            "[]",
            r#"{"uri":1}"#,
            r#"{"uri":"a","uri":"b"}"#,
            "{} {}",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_is_these_bytes() {
        let obtained_at = UnixTime::from_secs(1_700_000_000);
        let lifespan = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(3600)),
        };
        let token = |lifespan| Token::new("abc".into(), lifespan).expect("a b64token");
        assert_eq!(
            answer(Some(&token(Some(lifespan)))).expect("text"),
            "{\"headers\":{\"Authorization\":[\"Bearer abc\"]},\"expires\":\"2023-11-14T23:12:50Z\"}\n"
        );
        assert_eq!(
            answer(Some(&token(None))).expect("text"),
            "{\"headers\":{\"Authorization\":[\"Bearer abc\"]}}\n"
        );
    }
}
