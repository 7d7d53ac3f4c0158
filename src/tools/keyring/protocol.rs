//! keyring's command line, as pip and uv call it for an index's login.
//!
//! Source: keyring 25's own `cli.py`. pip 23 asks `get URL USER`, pip 26
//! `--mode=creds --output=json get URL [USER]`, uv 0.13 `get URL USER` or
//! `get URL --mode creds`; each then asks again with `host[:port]` for URL.

use serde::Serialize;

use crate::host::Ask;
use crate::text::quote::is_unprintable;
use crate::token::Token;

/// Reads a service and the username that is asked for; none for what is no host
/// that could have a rule.
///
/// A service is a whole URL: of a host alone nobody knows whether it is reached
/// by https, and pip asks so after it got nothing for an http URL.
pub fn parse(service: &str, username: Option<&str>) -> Option<Ask> {
    if !service.contains("://") || !username.is_none_or(is_username) {
        return None;
    }
    Some(Ask {
        username: username.map(ToOwned::to_owned),
        ..Ask::of(service)?
    })
}

/// Whether it is a username: it may come back as a line of its own, and one that
/// looks like an option was put into a URL to be read as one.
fn is_username(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.contains(is_unprintable)
}

/// A login: with its username where `--mode creds` asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// The username.
    pub username: Option<&'a str>,
    /// The token.
    pub token: &'a Token,
}

impl Credential<'_> {
    /// Writes a line for each part, the username first.
    pub fn plain(self) -> String {
        let Self { username, token } = self;
        let username = username.map_or(String::new(), |name| format!("{name}\n"));
        format!("{username}{}\n", token.expose())
    }

    /// Writes it for `--output json`.
    ///
    /// # Errors
    /// None that can happen: it is all text.
    pub fn json(self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Answer<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            username: Option<&'a str>,
            password: &'a str,
        }
        let Self { username, token } = self;
        let password = token.expose();
        serde_json::to_string(&Answer { username, password }).map(|json| json + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_a_whole_url() {
        for (service, expected) in [
            ("https://pypi.acme.dev/simple/", "https://pypi.acme.dev"),
            ("https://pypi.acme.dev:8443", "https://pypi.acme.dev:8443"),
            ("http://localhost:3141/simple/", "http://localhost:3141"),
        ] {
            let ask = parse(service, Some("ci")).expect("a host");
            assert_eq!(ask.origin.to_string(), expected);
            assert_eq!(ask.username.as_deref(), Some("ci"));
        }
        for service in [
            "",
            "pypi.acme.dev",
            "pypi.acme.dev:443",
            "//pypi.acme.dev/",
            "ftp://pypi.acme.dev/",
            "https://ci@pypi.acme.dev/",
            "system",
        ] {
            assert_eq!(parse(service, None), None, "{service}");
        }
    }

    #[test]
    fn a_username_is_one_line_and_no_option() {
        for username in [
            "",
            "ci\nevil",
            "ci\r",
            "\0",
            "\u{2028}",
            "-h",
            "--mode=creds",
        ] {
            assert_eq!(parse("https://a.dev/", Some(username)), None);
        }
    }

    #[test]
    fn the_answers_are_these_bytes() {
        let token = Token::new("abc".into(), None).expect("a b64token");
        let credential = |username| Credential {
            username,
            token: &token,
        };
        assert_eq!(credential(None).plain(), "abc\n");
        assert_eq!(credential(Some("ci")).plain(), "ci\nabc\n");
        for (username, expected) in [
            (None, "{\"password\":\"abc\"}\n"),
            (Some("ci"), "{\"username\":\"ci\",\"password\":\"abc\"}\n"),
        ] {
            assert_eq!(credential(username).json().expect("text"), expected);
        }
    }
}
