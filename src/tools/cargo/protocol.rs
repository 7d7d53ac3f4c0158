//! cargo's credential provider protocol, version 1: lines of JSON, one answer per
//! request.
//!
//! Source: the cargo book, "Credential Provider Protocol".

use serde::{Deserialize, Serialize};

use crate::error::Report;
use crate::host::Ask;
use crate::text::object::Object;
use crate::token::Token;
use crate::url::Scheme;

/// The greeting before the first request: the supported versions.
pub const HELLO: &str = "{\"v\":[1]}\n";

const VERSION: u32 = 1;

/// The location of crates.io's index. cargo names crates.io by this URL in its
/// requests, so a host rule for github.com must not give crates.io a token.
const CRATES_IO: [&str; 3] = ["github.com", "rust-lang", "crates.io-index"];

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Return a token; it is the same for every operation.
    Get,
    /// Remove the token.
    Logout,
    /// Store a token, or a kind of a later version.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Message {
    v: u32,
    kind: Kind,
    operation: Option<String>,
    registry: Object<Registry>,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    index_url: String,
}

/// A request from cargo.
#[derive(Debug)]
pub struct Request {
    /// The kind.
    pub kind: Kind,
    /// The registry's host; `None` if it is invalid.
    pub ask: Option<Ask>,
    /// The arguments after the provider's name in cargo's configuration.
    pub args: Vec<String>,
}

/// Parses a request; `None` if it is malformed. Ignores unknown fields, which later
/// versions may add.
pub fn parse(line: &[u8]) -> Option<Request> {
    let message: Message = Object::read(line).ok()?;
    let Message {
        v,
        kind,
        operation,
        registry,
        args,
    } = message;
    let is_whole = kind != Kind::Get || operation.is_some();
    (v == VERSION && is_whole).then(|| Request {
        kind,
        ask: ask_of(&registry.0.index_url),
        args,
    })
}

/// Returns the host of an index, which is `sparse+https://…` or a git repository's
/// URL; `None` if it is invalid.
pub fn ask_of(index_url: &str) -> Option<Ask> {
    let ask = ask_of_host(index_url)?;
    if is_crates_io(&ask, index_url) {
        return Ask::of("crates.io");
    }
    Some(ask)
}

/// True if an index is crates.io's, in any spelling. At that host, a URL that only
/// looks like it counts too.
fn is_crates_io(ask: &Ask, index_url: &str) -> bool {
    let [host, owner, name] = CRATES_IO;
    // Plain http does not count: everyone on the way could read the token.
    ask.origin.scheme == Scheme::Https && ask.origin.host.as_str() == host && {
        let url = index_url.to_ascii_lowercase();
        url.contains('%') || (url.contains(owner) && url.contains(name))
    }
}

fn ask_of_host(index_url: &str) -> Option<Ask> {
    let url = index_url.strip_prefix("sparse+").unwrap_or(index_url);
    let Some(rest) = index_url.strip_prefix("ssh://") else {
        return Ask::of(url).filter(|_| url.contains("://"));
    };
    // cargo uses ssh only to read the index, with its own login.
    let is_user = |user: &str| user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let host = match rest.split_once('@') {
        Some((user, host)) if is_user(user) => host,
        _ => rest,
    };
    Ask::of(host).filter(|_| !host.contains("://"))
}

/// The reason why there is no token.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No host rule for the registry; cargo tries the next provider.
    UrlNotSupported,
    /// The registry has a host rule, but the operation is not supported.
    OperationNotSupported,
    /// An error.
    Other,
}

#[derive(Serialize)]
struct Login {
    kind: &'static str,
    token: String,
    cache: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<u64>,
    operation_independent: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Failure {
    kind: Refusal,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caused_by: Vec<String>,
}

/// Returns the answer with the token, in the form in which cargo sends it.
///
/// # Errors
/// Infallible: strings, numbers and booleans only.
pub fn answer(token: &Token) -> serde_json::Result<String> {
    let end = token.expiry_for_tools();
    written(&Ok(Login {
        kind: "get",
        token: token.bearer(),
        cache: if end.is_some() { "expires" } else { "never" },
        expiration: end.map(crate::text::clock::UnixTime::as_secs),
        operation_independent: true,
    }))
}

/// Returns the answer without a token.
///
/// # Errors
/// Infallible: string fields only.
pub fn refuse(kind: Refusal) -> serde_json::Result<String> {
    written(&Err(Failure {
        kind,
        message: None,
        caused_by: Vec::new(),
    }))
}

/// Returns the answer with an error, which cargo shows to the user.
///
/// # Errors
/// Infallible: string fields only.
pub fn fail(report: &Report) -> serde_json::Result<String> {
    written(&Err(Failure {
        kind: Refusal::Other,
        message: Some(report.headline()),
        caused_by: report.details().collect(),
    }))
}

fn written(answer: &Result<Login, Failure>) -> serde_json::Result<String> {
    serde_json::to_string(answer).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::text::clock::UnixTime;
    use crate::token::Lifespan;

    fn origin_of(index_url: &str) -> Option<String> {
        ask_of(index_url).map(|ask| ask.origin.to_string())
    }

    #[test]
    fn every_operation_of_get_is_the_same_request_and_other_fields_are_ignored() {
        for rest in [
            r#""operation":"read""#,
            r#""operation":"publish","name":"a","vers":"1.0.0","cksum":"00""#,
            r#""operation":"yank","name":"a","vers":"1.0.0""#,
            r#""operation":"unyank","name":"a","vers":"1.0.0""#,
            r#""operation":"owners","name":"a""#,
            r#""operation":"later","args":[],"later":{}"#,
        ] {
            let line = format!(
                r#"{{"v":1,"registry":{{"index-url":"sparse+https://r.dev/i/","name":"r","headers":["a: b"]}},"kind":"get",{rest}}}"#
            );
            let request = parse(line.as_bytes()).expect("a request");
            assert_eq!(request.kind, Kind::Get, "{line}");
            let origin = request.ask.map(|ask| ask.origin.to_string());
            assert_eq!(origin.as_deref(), Some("https://r.dev"), "{line}");
            assert!(request.args.is_empty());
        }
    }

    #[test]
    fn the_other_kinds_and_the_arguments_are_read() {
        for (kind, expected) in [
            (r#""logout""#, Kind::Logout),
            (r#""login","token":"secret","login-url":"x""#, Kind::Unknown),
            (r#""later""#, Kind::Unknown),
        ] {
            let line = format!(
                r#"{{"v":1,"registry":{{"index-url":"https://r.dev"}},"kind":{kind},"args":["--profile","ci"]}}"#
            );
            let request = parse(line.as_bytes()).expect("a request");
            assert_eq!(request.kind, expected, "{line}");
            assert_eq!(request.args, ["--profile", "ci"]);
        }
    }

    #[test]
    fn a_malformed_request_or_another_version_is_none() {
        let good = r#"{"v":1,"registry":{"index-url":"x"},"kind":"get","operation":"read"}"#;
        assert!(parse(good.as_bytes()).is_some());
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            &good.replace(":1", ":2"),
            &good.replace(":1", ":\"1\""),
            &good.replace(r#","operation":"read""#, ""),
            &good.replace("index-url", "index"),
            &good.replace(r#""x""#, r#""x","index-url":"y""#),
            &good.replace("\"get\"", "1"),
            &format!("{good}{good}"),
            r#"[1,"get","read",{"index-url":"x"},[]]"#,
            &good.replace(r#"{"index-url":"x"}"#, r#"["x"]"#),
            &good[1..],
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_index_is_served_by_its_host() {
        for (url, expected) in [
            ("sparse+https://r.dev/index/", "https://r.dev"),
            ("sparse+https://r.dev:8443/", "https://r.dev:8443"),
            ("sparse+http://127.0.0.1:81/", "http://127.0.0.1:81"),
            ("https://git.dev/index.git", "https://git.dev"),
            ("ssh://git@git.dev/index.git", "https://git.dev"),
            ("ssh://git.dev:2222/index", "https://git.dev:2222"),
        ] {
            assert_eq!(origin_of(url).as_deref(), Some(expected), "{url}");
        }
        for bad in [
            "",
            "r.dev",
            "sparse+r.dev",
            "sparse+sparse+https://r.dev/",
            "sparse+ssh://r.dev/",
            "registry+https://r.dev/",
            "https://u@r.dev/",
            "ssh://a@b@r.dev/",
            "ssh://a:b@r.dev/",
            "ssh://r.dev#@evil.dev/",
            "ssh://https://r.dev/",
            "ssh://git@https://r.dev/",
            "file:///r.dev",
        ] {
            assert_eq!(origin_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn crates_io_is_not_the_host_of_its_index() {
        for url in [
            "https://github.com/rust-lang/crates.io-index",
            "https://github.com/rust-lang/crates.io-index/",
            "https://github.com/rust-lang/crates.io-index.git",
            "https://GitHub.com/Rust-Lang/Crates.io-Index",
            "https://github.com:443/rust-lang/crates.io-index",
            "https://github.com:8443/rust-lang/crates.io-index",
            "https://github.com//rust-lang/./crates.io-index?x",
            "https://github.com/a/../rust-lang/crates.io-index",
            "https://github.com/rust%2Dlang/crates.io-index",
            "sparse+https://github.com/rust-lang/crates.io-index",
            "ssh://git@github.com/rust-lang/crates.io-index",
        ] {
            assert_eq!(
                origin_of(url).as_deref(),
                Some("https://crates.io"),
                "{url}"
            );
        }
        for (url, expected) in [
            ("https://github.com/acme/index", "https://github.com"),
            (
                "https://github.com/acme/crates.io-index",
                "https://github.com",
            ),
            (
                "https://git.dev/rust-lang/crates.io-index",
                "https://git.dev",
            ),
            (
                "http://github.com/rust-lang/crates%2eio-index",
                "http://github.com",
            ),
        ] {
            assert_eq!(origin_of(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn the_answers_are_these_bytes() {
        let obtained_at = UnixTime::from_secs(1_700_000_000);
        let lifespan = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(3600)),
        };
        let token = |lifespan| Token::new("abc".into(), lifespan).expect("a b64token");
        let report = Report::new("it\nbroke").found("one").hint("fix it");
        for (answer, expected) in [
            (
                answer(&token(Some(lifespan))),
                r#"{"Ok":{"kind":"get","token":"Bearer abc","cache":"expires","expiration":1700003570,"operation_independent":true}}"#,
            ),
            (
                answer(&token(None)),
                r#"{"Ok":{"kind":"get","token":"Bearer abc","cache":"never","operation_independent":true}}"#,
            ),
            (
                refuse(Refusal::UrlNotSupported),
                r#"{"Err":{"kind":"url-not-supported"}}"#,
            ),
            (
                refuse(Refusal::OperationNotSupported),
                r#"{"Err":{"kind":"operation-not-supported"}}"#,
            ),
            (
                fail(&report),
                r#"{"Err":{"kind":"other","message":"it\\nbroke","caused-by":["found: one","hint: fix it"]}}"#,
            ),
        ] {
            assert_eq!(answer.expect("text"), format!("{expected}\n"));
        }
    }

    proptest! {
        #[test]
        fn the_host_is_the_last_part_before_the_path(
            url in "(sparse\\+)?(https?|ssh)://[a-c.@:#1/%]{1,12}",
        ) {
            if let Some(origin) = origin_of(&url) {
                let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
                let authority = rest.split('/').next().unwrap_or_default();
                let host = authority.rsplit('@').next().unwrap_or_default();
                let expected = format!("https://{host}");
                let origin = origin.replace("http://", "https://");
                prop_assert!(expected.starts_with(&origin), "{url} -> {origin}");
            }
        }
    }
}
