//! keyring's command line, as pip and uv call it for an index's login.
//!
//! Source: keyring 25's own `cli.py`. pip 23 calls `get URL USER`, pip 26
//! `--mode=creds --output=json get URL [USER]`, uv 0.13 `get URL USER` or
//! `get URL --mode creds`; each then calls again with `host[:port]` instead of the URL.

use serde::Serialize;

use crate::host::Ask;
use crate::text::quote::is_unprintable;
use crate::token::Token;

/// Parses a service and the requested username, which may be in the URL, the argument or
/// both. `None` if the host or the username is invalid, or if the two usernames differ.
/// An empty username counts as missing.
///
/// The service must be a complete URL. A host without a scheme does not say whether the
/// connection is https, and pip sends such a host after it got nothing for an http URL.
pub fn parse(service: &str, username: Option<&str>) -> Option<Ask> {
    let username = username.filter(|name| !name.is_empty());
    // Only an attacker writes a URL with an empty username.
    if service.contains("://@") {
        return None;
    }
    let ask = Ask::of_url_with_user(service)?;
    let of_url = ask.username.as_deref();
    if of_url.is_some_and(|name| username.is_some_and(|given| given != name)) {
        return None;
    }
    let username = username.or(of_url).map(ToOwned::to_owned);
    if !username.as_deref().is_none_or(is_username) {
        return None;
    }
    Some(Ask { username, ..ask })
}

/// True if the name is a valid username. The answer may contain it as a line, so it must
/// not contain a line ending; and if it looks like an option, the URL is an attack.
fn is_username(name: &str) -> bool {
    !name.starts_with('-') && !name.contains(is_unprintable)
}

/// The credentials to print.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// The username; `None` without `--mode creds`.
    pub username: Option<&'a str>,
    /// The token.
    pub token: &'a Token,
}

impl Credential<'_> {
    /// Returns one line per part, the username first.
    pub fn plain(self) -> String {
        let Self { username, token } = self;
        let username = username.map_or(String::new(), |name| format!("{name}\n"));
        format!("{username}{}\n", token.expose())
    }

    /// Returns the JSON of `--output json`.
    ///
    /// # Errors
    /// Infallible: string fields only.
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
            ("https://ci@pypi.acme.dev/simple/", "https://pypi.acme.dev"),
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
            "https://@pypi.acme.dev/",
            "https://ci:secret@pypi.acme.dev/",
            "https://ci@evil.dev@pypi.acme.dev/",
            "https://ci%0a@pypi.acme.dev/",
            "https://pypi.acme.dev@/",
            "system",
        ] {
            assert_eq!(parse(service, None), None, "{service}");
        }
    }

    #[test]
    fn a_username_is_one_line_and_not_an_option() {
        let named = |url, username| parse(url, username).and_then(|ask| ask.username);
        let ci = Some("ci".to_owned());
        assert_eq!(named("https://ci@a.dev/", None), ci);
        assert_eq!(named("https://c%69@a.dev/", Some("")), ci);
        assert_eq!(named("https://a.dev/", Some("ci")), ci);
        assert!(parse("https://a.dev/", Some("")).is_some_and(|ask| ask.username.is_none()));
        assert_eq!(parse("https://--mode@a.dev/", None), None);
        assert_eq!(parse("https://other@a.dev/", Some("ci")), None);
        for username in ["ci\nevil", "ci\r", "\0", "\u{2028}", "-h", "--mode=creds"] {
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
