//! Strict parsing of origins and issuer URLs. Everything but a plain host and port
//! is refused, because lenient parsing is how helpers leak tokens.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The two schemes over which a token can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP over TLS.
    Https,
    /// Plain text, only if a rule allows it.
    Http,
}

impl Scheme {
    /// Parses `http` or `https` in any letter case (RFC 3986, section 3.1).
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }

    /// Returns the scheme's default port.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// A host in normal form: lower case, an IPv6 address in its shortest form in
/// brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

impl Host {
    /// Parses a name of ASCII labels, an IPv4 address or a bracketed IPv6 address.
    /// `None` for a user, a trailing dot, a percent sign or another script.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self(format!("[{address}]")));
        }
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let fits = text.len() <= 253 && text.split('.').all(is_label);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns the host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for an address in any form that a program may accept: like a browser (WHATWG
    /// URL, host parsing), also for a name whose last label is a number.
    pub fn is_address(&self) -> bool {
        let last = self.0.rsplit('.').next().unwrap_or_default();
        let is_hex = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        self.0.starts_with('[')
            || last.bytes().all(|digit| digit.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(is_hex)
    }

    /// True if the host is always this machine: `localhost`, 127.0.0.0/8 or `::1`.
    pub fn is_loopback(&self) -> bool {
        self.0 == "localhost"
            || self.0 == "[::1]"
            || self.0.parse::<Ipv4Addr>().is_ok_and(|a| a.is_loopback())
    }
}

/// Parses `host[:port]`; a port is 1 to 65535 in plain digits.
pub fn parse_authority(text: &str) -> Option<(Host, Option<u16>)> {
    let after_host = text.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match text[after_host..].find(':') {
        Some(colon) => {
            let (host, port) = text.split_at(after_host + colon);
            (host, Some(parse_port(&port[1..])?))
        }
        None => (text, None),
    };
    Some((Host::parse(host)?, port))
}

fn parse_port(text: &str) -> Option<u16> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// An origin: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: Host,
    /// The port; the scheme's default if none was given.
    pub port: u16,
}

impl Origin {
    /// Parses `host[:port]` for this scheme.
    pub fn new(scheme: Scheme, authority: &str) -> Option<Self> {
        let (host, port) = parse_authority(authority)?;
        Some(Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.default_port()),
        })
    }

    /// Splits `http(s)://host[:port][/path][?query][#fragment]` into the origin
    /// and the rest.
    pub fn parse_url(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = url.split_once("://")?;
        let ends = |byte| matches!(byte, b'/' | b'?' | b'#');
        let end = rest.bytes().position(ends).unwrap_or(rest.len());
        let origin = Self::new(Scheme::parse(scheme)?, &rest[..end])?;
        Some((origin, &rest[end..]))
    }

    /// Returns `host[:port]` in the form of a host rule.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.as_str().to_owned()
        } else {
            format!("{}:{}", self.host.as_str(), self.port)
        }
    }

    /// True if a secret would be sent over a network in plain text.
    pub fn is_exposed(&self) -> bool {
        self.scheme == Scheme::Http && !self.host.is_loopback()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

/// A URL for requests, kept byte for byte: no user, no query, no fragment, only
/// printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    text: String,
    origin: Origin,
}

impl HttpUrl {
    /// Parses an absolute http or https URL.
    pub fn parse(text: &str) -> Option<Self> {
        let (origin, path) = Origin::parse_url(text)?;
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#');
        path.bytes().all(is_plain).then(|| Self {
            text: text.to_owned(),
            origin,
        })
    }

    /// Returns the URL, unchanged.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the URL's origin.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A ZITADEL instance's URL (OpenID Connect Discovery 1.0, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl(HttpUrl);

impl IssuerUrl {
    /// Parses an issuer URL.
    pub fn parse(text: &str) -> Option<Self> {
        HttpUrl::parse(text).map(Self)
    }

    /// Returns the URL, unchanged.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the URL's origin.
    pub const fn origin(&self) -> &Origin {
        self.0.origin()
    }

    /// Returns the URL of the discovery document (OpenID Connect Discovery 1.0,
    /// section 4).
    pub fn discovery(&self) -> HttpUrl {
        let base = self.as_str().trim_end_matches('/');
        HttpUrl {
            text: format!("{base}/.well-known/openid-configuration"),
            origin: self.origin().clone(),
        }
    }

    /// Returns the URL of one of ZITADEL's APIs, whose path begins with `/`. `None` if a
    /// part of the path is invalid.
    pub fn api(&self, path: &str) -> Option<HttpUrl> {
        let base = self.as_str().trim_end_matches('/');
        HttpUrl::parse(&format!("{base}{path}"))
    }
}

/// The endpoints in a discovery document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Issues a token for an assertion.
    pub token: HttpUrl,
    /// Returns the owner of a token.
    pub userinfo: HttpUrl,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_parsed_strictly() {
        for good in [
            "git.acme.dev",
            "GIT.acme.DEV",
            "localhost",
            "10.0.0.1",
            "a_b-c",
        ] {
            assert!(Host::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a%00b",
            "user@a",
            "a/b",
            "a\nb",
            "a\rb",
            "gіt.acme.dev",
            "[::1",
            "[nope]",
            "a:1",
            "*.a",
        ] {
            assert!(Host::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn authorities_are_split_at_the_port() {
        let read = |text| parse_authority(text).map(|(host, port)| (host.0, port));
        assert_eq!(read("A.dev:8443"), Some(("a.dev".into(), Some(8443))));
        assert_eq!(read("[0:0::1]:80"), Some(("[::1]".into(), Some(80))));
        assert_eq!(read("[::1]"), Some(("[::1]".into(), None)));
        for bad in [
            "a:", "a:0", "a:080", "a:+1", "a:65536", "a:1:2", "::1", "[::1]x", "x[::1]:1",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_default_port_equals_no_port() {
        let origin = |url| Origin::parse_url(url).map(|(origin, _)| origin);
        assert_eq!(origin("https://a.dev:443/x"), origin("HTTPS://A.dev"));
        assert_ne!(origin("https://a.dev:444"), origin("https://a.dev"));
        assert_ne!(origin("http://a.dev:443"), origin("https://a.dev"));
        assert_eq!(origin("ftp://a.dev"), None);
        assert_eq!(origin("https://user@a.dev"), None);
    }

    #[test]
    fn only_plain_http_over_a_network_is_exposed() {
        let exposed = |url| Origin::parse_url(url).map(|(origin, _)| origin.is_exposed());
        assert_eq!(exposed("http://a.dev"), Some(true));
        assert_eq!(exposed("http://localhost.a.dev"), Some(true));
        assert_eq!(exposed("https://a.dev"), Some(false));
        for loopback in ["http://localhost:1", "http://127.1.2.3", "http://[::1]:1"] {
            assert_eq!(exposed(loopback), Some(false), "{loopback}");
        }
    }

    #[test]
    fn an_issuer_keeps_its_bytes() {
        let issuer = IssuerUrl::parse("https://Acme.zitadel.cloud:443/").expect("a good issuer");
        assert_eq!(issuer.as_str(), "https://Acme.zitadel.cloud:443/");
        assert_eq!(
            issuer.discovery().as_str(),
            "https://Acme.zitadel.cloud:443/.well-known/openid-configuration"
        );
        for bad in [
            "acme.zitadel.cloud",
            "https://",
            "https://a?b",
            "https://a/#b",
            "https://a/ b",
        ] {
            assert_eq!(IssuerUrl::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_url_names_the_host_that_the_http_client_connects_to(
            host in "[a-c.]{1,4}",
            trick in "[a-c.:@/?#%\\\\ \\[\\]0-9-]{0,6}",
        ) {
            let text = format!("https://{host}{trick}");
            if let Some(url) = HttpUrl::parse(&text) {
                let end = text[8..].find(['/', '?', '#']).map_or(text.len(), |end| 8 + end);
                prop_assert!(text[8..end].starts_with(url.origin().host.as_str()), "{text}");
                prop_assert!(!text[8..end].contains(['@', '\\', '%', ' ']), "{text}");
                let uri: ureq::http::Uri = text.parse().expect("the client reads it");
                prop_assert_eq!(uri.host(), Some(url.origin().host.as_str()));
                prop_assert_eq!(uri.port_u16().unwrap_or(443), url.origin().port);
            }
        }
    }
}
