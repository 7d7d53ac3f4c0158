//! Terraform's credentials helper protocol.
//!
//! Source: Terraform, "Credentials Helpers"; Terraform 1.11 was watched.

use serde::Serialize;

use crate::host::Ask;
use crate::token::Token;

/// What Terraform wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Give a host's token.
    Get,
    /// Keep one, for `terraform login`.
    Store,
    /// Forget one, for `terraform logout`.
    Forget,
}

impl Operation {
    /// The operation of that name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "get" => Some(Self::Get),
            "store" => Some(Self::Store),
            "forget" => Some(Self::Forget),
            _ => None,
        }
    }
}

/// Reads `host[:port]`, which Terraform reaches by https alone; none for what is
/// no host that could have a rule.
pub fn parse(host: &str) -> Option<Ask> {
    Ask::of(host).filter(|_| !host.contains('/'))
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// Writes the token; without one, that there is none, and Terraform goes on
/// without.
///
/// # Errors
/// None that can happen: it is all text.
pub fn answer(token: Option<&Token>) -> serde_json::Result<String> {
    let token = token.map(Token::expose);
    serde_json::to_string(&Answer { token }).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_no_url() {
        let asked = |host| parse(host).map(|ask| ask.origin.to_string());
        for (host, expected) in [
            ("app.acme.dev", "https://app.acme.dev"),
            ("app.acme.dev:8443", "https://app.acme.dev:8443"),
        ] {
            assert_eq!(asked(host).as_deref(), Some(expected));
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
            assert_eq!(asked(host), None, "{host}");
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
