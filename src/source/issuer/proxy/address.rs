//! The value of a proxy variable: `[scheme://][user[:password]@]host[:port]`.

use std::net::Ipv6Addr;

use ureq::{Proxy, ProxyProtocol};

use super::ProxyFault;

/// As in curl, which also bounds what an error quotes.
const MAX_SCHEME_LEN: usize = 39;

/// Reads one proxy address.
///
/// ureq's parser is not used: it takes `socks` for SOCKS5, other default ports,
/// and the last `@` as the end of the credentials, where curl takes the first.
pub(super) fn parse(value: &str) -> Result<Proxy, ProxyFault> {
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(ProxyFault::NotPrintable);
    }
    let (scheme, rest) = split_scheme(value);
    let protocol = protocol(scheme.unwrap_or("http"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (userinfo, address) = match authority.split_once('@') {
        Some((userinfo, address)) => (Some(userinfo), address),
        None => (None, authority),
    };
    let (host, port) = split_port(address)?;
    check_host(host)?;
    if is_socks(protocol) && host.eq_ignore_ascii_case("localhost") && is_socket_path(path) {
        return Err(ProxyFault::UnixSocket);
    }
    let port = match port {
        None => default_port(protocol),
        // As in curl, `http://proxy:` is fine, `proxy:` is not: it looks like a scheme.
        Some("") if scheme.is_some() => default_port(protocol),
        Some(digits) => port_number(digits).ok_or(ProxyFault::BadPort)?,
    };

    let mut proxy = Proxy::builder(protocol)
        .host(host)
        .port(port)
        .resolve_target(matches!(
            protocol,
            ProxyProtocol::Socks4 | ProxyProtocol::Socks5
        ));
    if let Some(userinfo) = userinfo {
        // ureq encodes what it is given here and decodes it again: once in all.
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        proxy = proxy.username(&decode(user)?).password(&decode(password)?);
    }
    proxy.build().map_err(|_| ProxyFault::BadHost)
}

/// Splits a scheme off; as in curl, one to three slashes may follow its colon.
fn split_scheme(value: &str) -> (Option<&str>, &str) {
    let is_scheme = |text: &str| {
        (1..=MAX_SCHEME_LEN).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    match value.split_once(":/") {
        Some((scheme, rest)) if is_scheme(scheme) => {
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            (Some(scheme), rest.strip_prefix('/').unwrap_or(rest))
        }
        _ => (None, value),
    }
}

fn protocol(scheme: &str) -> Result<ProxyProtocol, ProxyFault> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(ProxyProtocol::Http),
        "https" => Ok(ProxyProtocol::Https),
        // GNOME sets ALL_PROXY=socks://…; curl takes that for SOCKS4.
        "socks" | "socks4" => Ok(ProxyProtocol::Socks4),
        "socks4a" => Ok(ProxyProtocol::Socks4A),
        "socks5" => Ok(ProxyProtocol::Socks5),
        "socks5h" => Ok(ProxyProtocol::Socks5h),
        _ => Err(ProxyFault::UnsupportedScheme(scheme.to_owned())),
    }
}

fn is_socks(protocol: ProxyProtocol) -> bool {
    !matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https)
}

/// curl's documented default; ureq's is 80 for an http proxy.
fn default_port(protocol: ProxyProtocol) -> u16 {
    match protocol {
        ProxyProtocol::Https => 443,
        _ => 1080,
    }
}

/// Splits `host[:port]`, where an IPv6 address stands in brackets and keeps them.
fn split_port(address: &str) -> Result<(&str, Option<&str>), ProxyFault> {
    let end = if address.starts_with('[') {
        address.find(']').ok_or(ProxyFault::BadHost)? + 1
    } else {
        address.find(':').unwrap_or(address.len())
    };
    let (host, rest) = address.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(ProxyFault::BadPort),
    }
}

/// Takes what ureq can carry: an ASCII name, an IPv4 address or a bracketed IPv6
/// address without a zone.
fn check_host(host: &str) -> Result<(), ProxyFault> {
    let good = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None if host.is_empty() => return Err(ProxyFault::NoHost),
        None => host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    if good {
        Ok(())
    } else {
        Err(ProxyFault::BadHost)
    }
}

fn is_socket_path(path: &str) -> bool {
    path.strip_prefix('/')
        .is_some_and(|name| !name.is_empty() && !name.starts_with(['?', '#']))
}

/// Reads a port from 1 to 65535 that is written in digits only.
pub(super) fn port_number(digits: &str) -> Option<u16> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|&port| all_digits && port != 0)
}

/// Decodes `%` and two hex digits; as in curl, any other `%` stands for itself.
///
/// Control characters are refused: at one of them curl 7.88.1 goes on without
/// the proxy.
fn decode(text: &str) -> Result<String, ProxyFault> {
    let mut bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    while let [first, rest @ ..] = bytes {
        let (byte, rest) = escaped(bytes).unwrap_or((*first, rest));
        decoded.push(byte);
        bytes = rest;
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|text| !text.contains(|c: char| c.is_control()))
        .ok_or(ProxyFault::BadCredentials)
}

/// Reads an escape at the start of `bytes`: its byte and what follows it.
fn escaped(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = bytes else {
        return None;
    };
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(value: &str) -> ProxyFault {
        parse(value).expect_err(value)
    }

    #[test]
    fn an_address_without_port_gets_the_default_of_curl() {
        use ProxyProtocol::{Http, Https, Socks4, Socks4A, Socks5, Socks5h};
        let table = [
            ("proxy", Http, 1080),
            ("http://proxy", Http, 1080),
            ("http://proxy:", Http, 1080),
            ("https://proxy", Https, 443),
            ("socks://proxy", Socks4, 1080),
            ("socks4://proxy", Socks4, 1080),
            ("socks4a://proxy", Socks4A, 1080),
            ("socks5://proxy", Socks5, 1080),
            ("socks5h://proxy", Socks5h, 1080),
            ("proxy:3128", Http, 3128),
            ("proxy:03128", Http, 3128),
            ("HTTPS://proxy:3128", Https, 3128),
            ("SOCKS5h://proxy:3128", Socks5h, 3128),
            ("http:/proxy:3128", Http, 3128),
            ("http:///proxy:3128", Http, 3128),
            ("http://proxy:3128/path?query#fragment", Http, 3128),
            ("proxy:3128?query", Http, 3128),
            ("socks5h://proxy:3128/path", Socks5h, 3128),
            // A host name, where older curls see an ftp:// scheme.
            ("ftp.proxy:3128", Http, 3128),
        ];
        for (value, protocol, port) in table {
            let proxy = parse(value).expect(value);
            assert_eq!(
                (proxy.protocol(), proxy.port()),
                (protocol, port),
                "{value}"
            );
            assert_eq!(proxy.uri().port_u16(), Some(port), "explicit: {value}");
            assert!(proxy.host().ends_with("proxy"), "{value}");
        }
    }

    #[test]
    fn an_ip_address_is_a_host() {
        for (value, host) in [
            ("127.0.0.1:3128", "127.0.0.1"),
            ("[::1]:3128", "[::1]"),
            ("http://u:p@[fd00::1]:3128", "[fd00::1]"),
        ] {
            let proxy = parse(value).expect(value);
            assert_eq!((proxy.host(), proxy.port()), (host, 3128), "{value}");
        }
        assert_eq!(parse("socks5://[::1]").unwrap().port(), 1080);
    }

    #[test]
    fn only_socks4_and_socks5_resolve_the_target_here() {
        let table = [
            ("http", false),
            ("https", false),
            ("socks", true),
            ("socks4", true),
            ("socks4a", false),
            ("socks5", true),
            ("socks5h", false),
        ];
        for (scheme, here) in table {
            let proxy = parse(&format!("{scheme}://proxy")).expect(scheme);
            assert_eq!(proxy.resolve_target(), here, "{scheme}");
        }
    }

    #[test]
    fn credentials_are_percent_decoded_once() {
        let table = [
            ("u:p", "u", "p"),
            ("u%40x:p%2540%3a+", "u@x", "p%40:+"),
            ("u:p:q", "u", "p:q"),
            ("u:%zz%4", "u", "%zz%4"),
            ("u:%", "u", "%"),
            ("u:%C3%A9\u{e9}", "u", "\u{e9}\u{e9}"),
            (":p", "", "p"),
            ("u", "u", ""),
            ("u:", "u", ""),
        ];
        for (userinfo, user, password) in table {
            for scheme in ["", "http://", "socks5h://"] {
                let value = format!("{scheme}{userinfo}@proxy:3128");
                let proxy = parse(&value).expect(&value);
                assert_eq!(proxy.username(), Some(user), "{value}");
                assert_eq!(proxy.password(), Some(password), "{value}");
                assert_eq!((proxy.host(), proxy.port()), ("proxy", 3128), "{value}");
            }
        }
        let without = parse("http://proxy").unwrap();
        assert_eq!((without.username(), without.password()), (None, None));
    }

    #[test]
    fn a_bad_value_is_told_apart() {
        let unsupported = |scheme: &str| ProxyFault::UnsupportedScheme(scheme.into());
        let table = [
            ("socks9://proxy", unsupported("socks9")),
            ("ftp://proxy", unsupported("ftp")),
            ("http://", ProxyFault::NoHost),
            ("http:////proxy", ProxyFault::NoHost),
            ("http://:3128", ProxyFault::NoHost),
            ("http://u:p@", ProxyFault::NoHost),
            ("http://u:p@:3128", ProxyFault::NoHost),
            ("://proxy", ProxyFault::NoHost),
            ("::1:3128", ProxyFault::NoHost),
            ("/", ProxyFault::NoHost),
            ("fe80::1", ProxyFault::BadPort),
            ("proxy:", ProxyFault::BadPort),
            ("http://proxy:0", ProxyFault::BadPort),
            ("http://proxy:65536", ProxyFault::BadPort),
            ("http://proxy:+80", ProxyFault::BadPort),
            ("http://proxy:80x", ProxyFault::BadPort),
            ("http://[::1]3128", ProxyFault::BadPort),
            ("http://[::1", ProxyFault::BadHost),
            ("http://[]", ProxyFault::BadHost),
            ("http://[proxy]", ProxyFault::BadHost),
            ("http://[fe80::1%25eth0]", ProxyFault::BadHost),
            ("http://u:p@ss@proxy", ProxyFault::BadHost),
            ("http://caf\u{e9}.dev", ProxyFault::BadHost),
            ("http://pro%78y", ProxyFault::BadHost),
            ("http://*", ProxyFault::BadHost),
            (" http://proxy", ProxyFault::NotPrintable),
            ("http://proxy\n", ProxyFault::NotPrintable),
            ("http://pro\u{1b}xy", ProxyFault::NotPrintable),
            ("http://u:%ff@proxy", ProxyFault::BadCredentials),
            ("http://u:%0a@proxy", ProxyFault::BadCredentials),
            ("http://%00@proxy", ProxyFault::BadCredentials),
            ("socks5h://localhost/run/tor.sock", ProxyFault::UnixSocket),
        ];
        for (value, expected) in table {
            assert_eq!(fault(value), expected, "{value}");
        }
    }

    #[test]
    fn a_long_text_is_not_quoted_as_a_scheme() {
        let longest = "x".repeat(MAX_SCHEME_LEN);
        let expected = ProxyFault::UnsupportedScheme(longest.clone());
        assert_eq!(fault(&format!("{longest}://proxy")), expected);
        assert_eq!(fault(&format!("{longest}x://proxy")), ProxyFault::BadPort);
    }

    #[test]
    fn a_path_is_no_unix_socket_for_an_http_proxy_or_another_host() {
        for value in [
            "http://localhost/x",
            "socks5://localhost/",
            "socks5://localhost/?x",
        ] {
            assert!(parse(value).is_ok(), "{value}");
        }
    }

    #[test]
    fn a_proxy_does_not_show_its_credentials_when_debugged() {
        let shown = format!("{:?}", parse("http://bob:hunter2@proxy").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
