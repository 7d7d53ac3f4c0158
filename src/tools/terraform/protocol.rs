//! Terraform's credentials helper protocol.
//!
//! Source: Terraform, "Credentials Helpers", and the calls of Terraform 1.11.

use serde::Serialize;

use crate::host::Ask;
use crate::token::Token;

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Return a host's token.
    Get,
    /// Store a token, for `terraform login`.
    Store,
    /// Remove a token, for `terraform logout`.
    Forget,
}

impl Operation {
    /// Parses an operation's name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "get" => Some(Self::Get),
            "store" => Some(Self::Store),
            "forget" => Some(Self::Forget),
            _ => None,
        }
    }
}

/// Parses `host[:port]`, for which Terraform uses only https; `None` if it is invalid.
pub fn parse(host: &str) -> Option<Ask> {
    Ask::of(host).filter(|_| !host.contains('/'))
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// Returns the answer with the token. Without a token the answer is empty, and
/// Terraform continues without one.
///
/// # Errors
/// Infallible: string fields only.
pub fn answer(token: Option<&Token>) -> serde_json::Result<String> {
    let token = token.map(Token::expose);
    serde_json::to_string(&Answer { token }).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_not_a_host() {
        let origin_of = |host| parse(host).map(|ask| ask.origin.to_string());
        for (host, expected) in [
            ("app.acme.dev", "https://app.acme.dev"),
            ("app.acme.dev:8443", "https://app.acme.dev:8443"),
        ] {
            assert_eq!(origin_of(host).as_deref(), Some(expected));
        }
        for host in [
            "",
            "https://app.acme.dev",
            "http://app.acme.dev",
            "app.acme.dev/v1",
            "//app.acme.dev",
            "ci@app.acme.dev",
            "app.acme.dev.",
        ] {
            assert_eq!(origin_of(host), None, "{host}");
        }
    }

    #[test]
    fn the_answers_are_these_bytes() {
        let token = Token::new("abc".into(), None).expect("a b64token");
        let text = |token| answer(token).expect("text");
        assert_eq!(text(Some(&token)), "{\"token\":\"abc\"}\n");
        assert_eq!(text(None), "{}\n");
    }
}
