//! docker's credential helper protocol, as docker, podman, skopeo, buildah,
//! helm, oras and crane use it.
//!
//! Source: docker/docker-credential-helpers. Errors go to stdout, and callers
//! compare their text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::Ask;
use crate::text::version;
use crate::token::Login;

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Return the credentials.
    Get,
    /// Store credentials. Stores nothing, because the cache has the token.
    Store,
    /// Remove the credentials.
    Erase,
    /// List the servers that have credentials.
    List,
    /// Print the name and the version of this program.
    Version,
}

impl Operation {
    /// Parses an operation's name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "get" => Some(Self::Get),
            "store" => Some(Self::Store),
            "erase" => Some(Self::Erase),
            "list" => Some(Self::List),
            "version" => Some(Self::Version),
            _ => None,
        }
    }
}

/// The error text after which callers continue without credentials.
pub const NOT_FOUND: &str = "credentials not found in native keychain";

/// The error text for an empty request.
pub const NO_SERVER: &str = "no credentials server URL";

/// A request for a server's credentials.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The server URL as the caller wrote it; the answer repeats it.
    pub server_url: &'a str,
    /// The server's host; `None` if it is invalid.
    pub ask: Option<Ask>,
}

/// Parses a server URL: `host`, `host:port`, `//host` or `http(s)://host`, each with
/// an optional path. Without a scheme, https is assumed. `None` if the text is empty.
pub fn parse(input: &str) -> Option<Request<'_>> {
    let server_url = input.trim_ascii();
    if server_url.is_empty() {
        return None;
    }
    Some(Request {
        server_url,
        ask: Ask::of(without_scheme(server_url)),
    })
}

/// Returns the server URL of a login to store; `None` if it has no server URL.
pub fn server_of_login(input: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Login {
        #[serde(rename = "ServerURL")]
        server_url: String,
    }
    let login: Login = serde_json::from_slice(input).ok()?;
    Some(login.server_url)
}

/// Removes the slashes of `//host`. Does not change `//https://host`, which then is an
/// invalid host.
fn without_scheme(server_url: &str) -> &str {
    let rest = server_url.strip_prefix("//");
    rest.filter(|rest| !rest.contains("://"))
        .unwrap_or(server_url)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// Returns the answer to `get`.
///
/// # Errors
/// Infallible: string fields only.
pub fn answer(server_url: &str, login: Login<'_>) -> serde_json::Result<String> {
    let Login { username, token } = login;
    serde_json::to_string(&Answer {
        server_url,
        username,
        secret: token.expose(),
    })
    .map(|json| json + "\n")
}

/// Returns the answer to `list`: the servers with their usernames.
///
/// # Errors
/// Infallible: string fields only.
pub fn list(logins: &BTreeMap<String, String>) -> serde_json::Result<String> {
    serde_json::to_string(logins).map(|json| json + "\n")
}

/// Returns the answer to `version`.
pub fn version() -> String {
    format!("docker-credential-zitadel {}\n", version::FULL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::Token;

    fn origin_of(input: &str) -> Option<String> {
        Some(parse(input)?.ask?.origin.to_string())
    }

    #[test]
    fn every_form_of_a_server_names_its_host() {
        for (input, expected) in [
            ("registry.acme.dev", "https://registry.acme.dev"),
            ("registry.acme.dev\n", "https://registry.acme.dev"),
            ("registry.acme.dev:5000", "https://registry.acme.dev:5000"),
            (
                "registry.acme.dev:5000/team/app",
                "https://registry.acme.dev:5000",
            ),
            ("//registry.acme.dev", "https://registry.acme.dev"),
            (
                "https://registry.acme.dev/v2/?x=y",
                "https://registry.acme.dev",
            ),
            ("http://localhost:5000", "http://localhost:5000"),
            ("https://index.docker.io/v1/", "https://index.docker.io"),
        ] {
            assert_eq!(origin_of(input).as_deref(), Some(expected), "{input}");
        }
    }

    #[test]
    fn an_invalid_host_is_not_found() {
        for bad in [
            "ftp://registry.acme.dev",
            "/registry.acme.dev",
            "///registry.acme.dev",
            "//https://registry.acme.dev",
            "https://",
            "https://user@registry.acme.dev",
            "registry.acme.dev\nevil.test",
            "registry.acme.dev\r",
            "registry.acme.dev%2f",
            "https:registry.acme.dev",
            "registry.acme.dev?.evil.test",
            "registry.acme.dev#.evil.test",
            "https://registry.acme.dev#@evil.test",
            "https://registry.acme.dev/\u{1b}[31m",
        ] {
            let request = parse(bad).expect("not empty");
            let fits = bad.trim_ascii() != bad || request.ask.is_none();
            assert!(fits, "{bad:?}");
        }
        assert_eq!(parse(" \n"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_answers_are_these_bytes() {
        let token = Token::new("abc".into(), None).expect("a b64token");
        let login = Login {
            username: "ci",
            token: &token,
        };
        assert_eq!(
            answer("https://r.dev/v2/", login).expect("text"),
            "{\"ServerURL\":\"https://r.dev/v2/\",\"Username\":\"ci\",\"Secret\":\"abc\"}\n"
        );
        let logins = [("r.dev:5000".to_owned(), "ci".to_owned())].into();
        assert_eq!(list(&logins).expect("text"), "{\"r.dev:5000\":\"ci\"}\n");
        assert_eq!(list(&BTreeMap::new()).expect("text"), "{}\n");
    }

    proptest! {
        #[test]
        fn any_server_parses_without_panic(input: String) {
            let _ = parse(&input);
        }

        #[test]
        fn the_host_is_a_part_of_the_request(input in "(https?://|//)?[a-c.@:1/%]{1,12}") {
            if let Some(origin) = origin_of(&input) {
                let host = origin.split("//").nth(1).unwrap_or_default();
                let host = host.split(':').next().unwrap_or_default();
                let rest = input.trim_start_matches(|c| "htps:".contains(c));
                let rest = rest.trim_start_matches("//");
                prop_assert!(rest.starts_with(host), "{input} -> {origin}");
            }
        }

        #[test]
        fn an_answer_repeats_the_request(server_url: String, username: String) {
            let token = Token::new("abc".into(), None).expect("a b64token");
            let login = Login { username: &username, token: &token };
            let answer = answer(&server_url, login).expect("text");
            let read: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            let expected = serde_json::json!({
                "ServerURL": server_url, "Username": username, "Secret": "abc",
            });
            prop_assert_eq!(read, expected);
        }
    }
}
