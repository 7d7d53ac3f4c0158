//! The instance that a text probably means as its issuer, for the questions of `setup`,
//! and for the hint if a flag, a variable or a profile has another form. Pure.

use crate::url::{IssuerUrl, Origin, Scheme, parse_authority};

/// Returns the issuer for an address of an instance: a bare host, or a browser's URL.
/// `None` if it names no host.
pub(crate) fn within(text: &str) -> Option<IssuerUrl> {
    let text = text.trim_matches(['<', '>', '"', '\'', ' ']);
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let (host, port) = parse_authority(&authority)?;
    // A single word is more likely a profile's name, or a mistake.
    if !authority.contains(['.', ':']) && authority != "localhost" {
        return None;
    }
    let scheme = match scheme {
        Some(scheme) => Scheme::parse(scheme)?,
        None if host.is_loopback() => Scheme::Http,
        None => Scheme::Https,
    };
    let port = port.unwrap_or_else(|| scheme.default_port());
    let origin = Origin { scheme, host, port };
    IssuerUrl::parse(&origin.to_string())
}

/// Returns the hint for an issuer of another form.
pub(crate) fn hint(text: &str) -> String {
    // No issuer has another scheme than these two: it is a typo.
    let without_scheme = || within(text.split_once("://")?.1);
    match within(text).or_else(without_scheme) {
        Some(instance) => format!("try {}", instance.as_str()),
        None => "write the issuer like https://acme.zitadel.cloud".to_owned(),
    }
}

/// True for a URL of one of ZITADEL's pages or APIs, which are below its issuer.
pub(super) fn is_page(issuer: &IssuerUrl) -> bool {
    const PAGES: [&str; 12] = [
        "ui",
        "oauth",
        "oidc",
        ".well-known",
        "management",
        "admin",
        "auth",
        "system",
        "v2",
        "v2beta",
        "saml",
        "debug",
    ];
    // After `https:`, nothing and the host
    let mut path = issuer.as_str().split('/').skip(3);
    let first = path.find(|part| !part.is_empty());
    first.is_some_and(|first| PAGES.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_may_be_a_host_or_a_browsers_url() {
        for (text, url) in [
            ("acme.zitadel.cloud", "https://acme.zitadel.cloud"),
            ("https://acme.zitadel.cloud/", "https://acme.zitadel.cloud"),
            (
                "HTTPS://Acme.Zitadel.Cloud/ui/console?x=1#y",
                "https://acme.zitadel.cloud",
            ),
            (
                "acme.zitadel.cloud/ui/console/users",
                "https://acme.zitadel.cloud",
            ),
            (
                "acme.zitadel.cloud?login_hint=x",
                "https://acme.zitadel.cloud",
            ),
            ("<https://id.acme.dev:443>", "https://id.acme.dev"),
            ("id.acme.dev:8443", "https://id.acme.dev:8443"),
            ("http://localhost:8080/ui/v2/login", "http://localhost:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("http://id.acme.dev", "http://id.acme.dev"),
            ("127.0.0.1", "http://127.0.0.1"),
            ("LOCALHOST", "http://localhost"),
            ("https://localhost:8443/x", "https://localhost:8443"),
            ("localhost.acme.dev:8080", "https://localhost.acme.dev:8080"),
        ] {
            let found = within(text);
            assert_eq!(found.as_ref().map(IssuerUrl::as_str), Some(url), "{text}");
        }
        for text in [
            "",
            "acme",
            "https://",
            "ftp://acme.dev",
            "me@acme.dev",
            "a b.dev",
            "https://acme.dev:99999",
        ] {
            assert_eq!(within(text), None, "{text}");
        }
    }
}
