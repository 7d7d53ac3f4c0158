//! Bazel's credential helper protocol.
//!
//! Source: EngFlow/credential-helper-spec. The operation `get` is all of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Ask;
use crate::text::object::Object;
use crate::token::Token;

#[derive(Deserialize)]
struct Question {
    uri: String,
}

/// Reads whom Bazel wants to send a request to; none for what is no host that
/// could have a rule. Fields that a later version adds are passed over.
///
/// # Errors
/// It is no JSON object with a `uri`.
pub fn parse(question: &[u8]) -> serde_json::Result<Option<Ask>> {
    let Question { uri } = Object::read(question)?;
    // The specification's is always a whole URL.
    Ok(Ask::of(&uri).filter(|_| uri.contains("://")))
}

#[derive(Default, Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, [String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// Writes the headers to send; without a token none, and Bazel goes on without.
///
/// # Errors
/// None that can happen: it is all text.
pub fn answer(token: Option<&Token>) -> serde_json::Result<String> {
    let answer = token.map_or_else(Answer::default, |token| Answer {
        headers: [("Authorization", [token.bearer()])].into(),
        expires: token.told_expiry().map(|end| end.to_string()),
    });
    serde_json::to_string(&answer).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::text::clock::UnixTime;
    use crate::token::Lifespan;

    fn asked(question: &str) -> Option<String> {
        let ask = parse(question.as_bytes()).expect("a question");
        ask.map(|ask| ask.origin.to_string())
    }

    #[test]
    fn the_uri_names_the_host_and_other_fields_are_passed_over() {
        for (question, expected) in [
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
            assert_eq!(asked(question).as_deref(), Some(expected), "{question}");
        }
    }

    #[test]
    fn what_names_no_host_gets_no_headers() {
        for uri in [
            "",
            "a.dev",
            "ftp://a.dev/",
            "https://u@a.dev/",
            "https:///x",
        ] {
            assert_eq!(asked(&format!(r#"{{"uri":"{uri}"}}"#)), None, "{uri}");
        }
        assert_eq!(answer(None).expect("text"), "{}\n");
    }

    #[test]
    fn what_is_no_question_is_an_error() {
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
