//! Go's GOAUTH protocol: blocks of URLs and the headers to send there.
//!
//! Source: `go help goauth` (Go 1.24). Go calls the command once without a URL, before
//! its first request, and again with each URL that answered with 4xx.

use crate::host::Ask;
use crate::token::Token;
use crate::url::Scheme;

/// A request for one host.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The host.
    pub ask: Ask,
    /// The host as the URL spells it: Go compares the answer's bytes with it.
    pub authority: &'a str,
}

/// Parses the URL that answered with 4xx; `None` if it is not https or its host is
/// invalid.
pub fn parse(url: &str) -> Option<Request<'_>> {
    let ask = Ask::of(url).filter(|ask| ask.origin.scheme == Scheme::Https)?;
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    Some(Request {
        ask,
        authority: &rest[..end],
    })
}

/// True if the status line, which Go writes before the headers, is a 401. Other 4xx are
/// normal: a module proxy answers with 404 for each module that it does not have.
pub fn is_refusal(status_line: &[u8]) -> bool {
    let line = status_line.trim_ascii_end();
    line.split(|byte| *byte == b' ').nth(1) == Some(b"401")
}

/// Returns one host's block. Its URL has no trailing slash: with one, Go 1.24.4 never
/// finds the block.
pub fn block(authority: &str, token: &Token) -> String {
    let bearer = token.bearer();
    format!("https://{authority}\n\nAuthorization: {bearer}\n\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin_of(url: &str) -> Option<(String, &str)> {
        let Request { ask, authority } = parse(url)?;
        Some((ask.origin.to_string(), authority))
    }

    #[test]
    fn the_url_names_the_host_and_keeps_its_spelling() {
        for (url, origin, authority) in [
            (
                "https://proxy.dev/a.dev/x/@v/list",
                "https://proxy.dev",
                "proxy.dev",
            ),
            (
                "https://Proxy.dev:443?go-get=1",
                "https://proxy.dev",
                "Proxy.dev:443",
            ),
            ("https://[::1]:8443/", "https://[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(origin_of(url), Some((origin.into(), authority)), "{url}");
        }
        for bad in [
            "",
            "proxy.dev",
            "http://proxy.dev/",
            "ftp://proxy.dev/",
            "https://u@proxy.dev/",
            "https://proxy.dev#@evil.dev/",
            "https:///x",
            "--help",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_a_401_is_a_refusal() {
        for (status_line, expected) in [
            ("HTTP/1.1 401 Unauthorized", true),
            ("HTTP/2.0 401 ", true),
            ("HTTP/2.0 401", true),
            ("HTTP/2.0 401\r", true),
            ("HTTP/1.1 404 Not Found", false),
            ("HTTP/1.1 4010 401", false),
            ("HTTP/1.1", false),
            ("401", false),
            ("", false),
        ] {
            let is = is_refusal(status_line.as_bytes());
            assert_eq!(is, expected, "{status_line}");
        }
    }

    #[test]
    fn a_block_is_these_bytes() {
        let token = Token::new("abc".into(), None).expect("a b64token");
        assert_eq!(
            block("a.dev:8443", &token),
            "https://a.dev:8443\n\nAuthorization: Bearer abc\n\n"
        );
    }

    proptest! {
        #[test]
        fn the_block_is_for_the_requested_host(
            url in "https://[a-cA-C.:@#1/?%\\n\\[\\]]{1,12}",
        ) {
            if let Some(Request { ask, authority }) = parse(&url) {
                let again = Ask::of(&format!("https://{authority}"));
                prop_assert_eq!(again, Some(ask), "{}", url);
                prop_assert!(url["https://".len()..].starts_with(authority));
            }
        }
    }
}
