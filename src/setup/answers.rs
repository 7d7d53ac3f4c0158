//! Interprets the text that the user types or drops at a question. Pure.

use std::path::{Path, PathBuf, is_separator};

use crate::sys::paths;
use crate::url::Origin;

/// Returns a profile name for an instance: the first label of its host that is not
/// generic.
pub(super) fn name(issuer: &str) -> String {
    const PURPOSES: [&str; 9] = [
        "accounts", "auth", "id", "iam", "idp", "login", "oidc", "sso", "zitadel",
    ];
    let origin = Origin::parse_url(issuer).map(|(origin, _)| origin);
    let host = origin.filter(|origin| !origin.host.is_address());
    let host = host.as_ref().map_or("", |origin| origin.host.as_str());
    let labels: Vec<_> = host.split('.').collect();
    let labels = match labels.split_last() {
        Some((_, [])) | None => &labels[..],
        Some((_, labels)) => labels,
    };
    let telling = labels.iter().find(|label| !PURPOSES.contains(*label));
    match telling {
        Some(label) if !label.is_empty() => (*label).to_owned(),
        // Not "default": another profile may be the default one.
        _ => "zitadel".to_owned(),
    }
}

/// Returns the path in a text: typed, pasted with a shell's quotes or escapes, or dropped
/// as a `file:` URL.
pub(super) fn path(text: &str, home: Option<&Path>) -> PathBuf {
    let text = unquoted(text).unwrap_or_else(|| text.to_owned());
    let text = match text.strip_prefix("file://") {
        Some(rest) => {
            let path = decoded(rest.strip_prefix("localhost").unwrap_or(rest));
            paths::of_url(&path).to_owned()
        }
        None => text,
    };
    match (text.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with(is_separator) => {
            home.join(rest.trim_start_matches(is_separator))
        }
        _ => text.into(),
    }
}

/// Removes a shell's quotes and backslashes; `None` if a quote is not closed.
fn unquoted(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) if paths::ESCAPES => word.push(chars.next()?),
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            _ => word.push(c),
        }
    }
    quote.is_none().then_some(word)
}

/// Decodes a URL's path (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Returns the hosts of a list with spaces or commas; none for a word such as "none".
pub(super) fn hosts(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    match words[..] {
        ["none" | "no" | "n" | "-"] => Vec::new(),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_from_the_instance() {
        for (issuer, expected) in [
            ("https://acme.zitadel.cloud", "acme"),
            ("https://id.acme.dev", "acme"),
            ("https://auth.eu.acme.dev", "eu"),
            ("https://acme.dev", "acme"),
            ("http://localhost:8080", "localhost"),
            ("http://127.0.0.1:8080", "zitadel"),
            ("https://zitadel.dev", "zitadel"),
        ] {
            assert_eq!(name(issuer), expected, "{issuer}");
        }
    }

    #[test]
    fn a_path_is_typed_pasted_or_dropped() {
        let home = Some(Path::new("/home/me"));
        for (text, expected) in [
            ("key.json", "key.json"),
            ("/a b/key.json", "/a b/key.json"),
            ("'/a b/key.json'", "/a b/key.json"),
            ("\"/a b/key.json\"", "/a b/key.json"),
            ("/it's/key.json", "/it's/key.json"),
            ("file:///a%20b/key.json", "/a b/key.json"),
            ("'file://localhost/a/%C3%BC.json'", "/a/ü.json"),
            ("file:///100%/key.json", "/100%/key.json"),
            ("~/key.json", "/home/me/key.json"),
            ("'~/a b.json'", "/home/me/a b.json"),
            ("~", "/home/me"),
            ("~other/key.json", "~other/key.json"),
        ] {
            assert_eq!(path(text, home), Path::new(expected), "{text}");
        }
        let of_system: &[_] = if cfg!(windows) {
            &[
                (r"C:\Users\me\key.json", r"C:\Users\me\key.json"),
                ("\"C:\\Jane Doe\\key.json\"", r"C:\Jane Doe\key.json"),
                ("file:///C:/Jane%20Doe/key.json", "C:/Jane Doe/key.json"),
                (r"~\key.json", "/home/me/key.json"),
            ]
        } else {
            &[
                (r"/a\ b/key\(1\).json", "/a b/key(1).json"),
                (r"'/it'\''s/key.json'", "/it's/key.json"),
                (r"~\key.json", "~key.json"),
            ]
        };
        for (text, expected) in of_system {
            assert_eq!(path(text, home), Path::new(expected), "{text}");
        }
        assert_eq!(path("~/key.json", None), Path::new("~/key.json"));
    }

    #[test]
    fn hosts_are_separated_by_spaces_or_commas() {
        assert_eq!(
            hosts("a.dev, b.dev;c.dev  d.dev"),
            ["a.dev", "b.dev", "c.dev", "d.dev"]
        );
        for none in ["", " ", "none", "no", "-"] {
            assert!(hosts(none).is_empty(), "{none}");
        }
    }
}
