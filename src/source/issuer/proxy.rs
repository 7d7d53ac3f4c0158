//! Which proxy a URL goes through, by curl's rules.
//!
//! ureq's own reading of the environment differs: it applies `HTTP_PROXY` to
//! https, passes over a value that it cannot parse, and does not match the
//! subdomains of an entry in `NO_PROXY`. An [`ureq::Agent`] reads the environment
//! unless it is given a proxy or `None`, so what [`resolve`] answers is always
//! handed to it.

mod address;
mod no_proxy;

use std::ffi::OsString;

use ureq::Proxy;

/// Lower case goes first, as in curl.
const FOR_HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Without `HTTP_PROXY`: under CGI the sender of a request sets it with a
/// `Proxy:` header (httpoxy, CVE-2016-5385).
const FOR_HTTP: [&str; 3] = ["http_proxy", "all_proxy", "ALL_PROXY"];

const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// What proxy resolution needs to know of the target.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Whether the scheme is `https`; it is `http` otherwise.
    pub https: bool,
    /// A lower-case ASCII name, or an IP literal without brackets.
    pub host: &'a str,
    /// The port, also where the URL leaves it to the scheme.
    pub port: u16,
}

/// The value of a proxy variable cannot be used.
///
/// The value itself is not kept, because a password may stand in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the proxy in {variable}: it {detail}")]
pub struct BadProxy {
    /// The variable that holds the value.
    pub variable: &'static str,
    /// What is wrong with the value.
    pub detail: ProxyFault,
}

/// What makes a proxy variable unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// The value is not text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// The value has a space, a line break or another control character in it.
    #[error("has a space or a control character in it")]
    NotPrintable,
    /// The value starts with a scheme other than those of [`resolve`].
    #[error("has the unsupported scheme `{0}`")]
    UnsupportedScheme(String),
    /// Nothing stands where the host should.
    #[error("has no host")]
    NoHost,
    /// The host is neither an ASCII name nor an IP address.
    #[error(
        "has a bad host (is a special character in the user name or password percent-encoded?)"
    )]
    BadHost,
    /// The port is not a number from 1 to 65535.
    #[error(
        "has a bad port (is a special character in the user name or password percent-encoded?)"
    )]
    BadPort,
    /// User name or password decode to what is not text.
    #[error("has a user name or password that is not UTF-8 or has a control character in it")]
    BadCredentials,
    /// curl's `socks5h://localhost/path/to/socket`.
    #[error("names a Unix socket, which is not supported")]
    UnixSocket,
}

/// Finds the proxy that `target` is reached through; `None` is a direct connection.
///
/// A variable that is set but empty counts as not set, as in curl: an empty
/// `https_proxy` does not switch `HTTPS_PROXY` or `ALL_PROXY` off. The steps are:
///
/// 1. `no_proxy`, else `NO_PROXY`: if it covers the target, no proxy is looked at,
///    not even one that cannot be parsed.
/// 2. For https, the first of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and
///    `ALL_PROXY`; for http, the first of `http_proxy`, `all_proxy` and `ALL_PROXY`.
/// 3. Its value is `[scheme://][user[:password]@]host[:port]`; a path is ignored.
///    Schemes are `http` (also where there is none), `https`, `socks4` (also
///    `socks`), `socks4a`, `socks5` and `socks5h`. The port is 1080 if not given,
///    443 for `https`.
///
/// The target's name is resolved here for `socks4` and `socks5`, by the proxy
/// otherwise.
///
/// # Errors
/// The first variable that is set cannot be used. The next one is not tried:
/// that could send the request where its user does not want it to go.
pub fn resolve(
    target: &Target<'_>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, BadProxy> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());

    // Lossy is safe: the replacement character is in no ASCII host.
    if let Some(list) = EXCEPTIONS.into_iter().find_map(set)
        && no_proxy::covers(&list.to_string_lossy(), target)
    {
        return Ok(None);
    }

    let variables: &[&'static str] = if target.https { &FOR_HTTPS } else { &FOR_HTTP };
    let Some((variable, value)) = variables.iter().find_map(|&name| Some((name, set(name)?)))
    else {
        return Ok(None);
    };
    value
        .to_str()
        .ok_or(ProxyFault::NotUtf8)
        .and_then(address::parse)
        .map(Some)
        .map_err(|detail| BadProxy { variable, detail })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HTTPS: Target<'_> = Target {
        https: true,
        host: "id.acme.dev",
        port: 443,
    };
    const HTTP: Target<'_> = Target {
        https: false,
        host: "id.acme.dev",
        port: 80,
    };

    type Env<'a> = &'a [(&'a str, &'a str)];

    fn resolved(target: &Target<'_>, env: Env<'_>) -> Result<Option<Proxy>, BadProxy> {
        resolve(target, &|name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    fn proxy_host(target: &Target<'_>, env: Env<'_>) -> Option<String> {
        resolved(target, env)
            .unwrap()
            .map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn https_reads_its_variables_lower_case_first_and_passes_over_empty_ones() {
        let table: [(Env<'_>, Option<&str>); 9] = [
            (&[], None),
            (&[("https_proxy", "a"), ("HTTPS_PROXY", "b")], Some("a")),
            (&[("HTTPS_PROXY", "b"), ("all_proxy", "c")], Some("b")),
            (&[("all_proxy", "c"), ("ALL_PROXY", "d")], Some("c")),
            (&[("ALL_PROXY", "d")], Some("d")),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "b")], Some("b")),
            (
                &[("https_proxy", ""), ("HTTPS_PROXY", ""), ("ALL_PROXY", "d")],
                Some("d"),
            ),
            (&[("https_proxy", ""), ("ALL_PROXY", "")], None),
            (&[("http_proxy", "a"), ("HTTP_PROXY", "b")], None),
        ];
        for (env, expected) in table {
            assert_eq!(proxy_host(&HTTPS, env).as_deref(), expected, "{env:?}");
        }
    }

    #[test]
    fn http_never_reads_the_upper_case_variable() {
        let table: [(Env<'_>, Option<&str>); 5] = [
            (&[("HTTP_PROXY", "evil")], None),
            (&[("HTTP_PROXY", "evil"), ("http_proxy", "a")], Some("a")),
            (
                &[
                    ("HTTP_PROXY", "evil"),
                    ("http_proxy", ""),
                    ("ALL_PROXY", "d"),
                ],
                Some("d"),
            ),
            (&[("all_proxy", "c"), ("ALL_PROXY", "d")], Some("c")),
            (&[("https_proxy", "a"), ("HTTPS_PROXY", "b")], None),
        ];
        for (env, expected) in table {
            assert_eq!(proxy_host(&HTTP, env).as_deref(), expected, "{env:?}");
        }
    }

    #[test]
    fn no_proxy_is_read_before_the_proxy_and_lower_case_first() {
        let bad = ("https_proxy", "socks9://x");
        let table: [(Env<'_>, bool); 5] = [
            (&[bad, ("no_proxy", "acme.dev")], true),
            (&[bad, ("NO_PROXY", "acme.dev")], true),
            (&[bad, ("no_proxy", ""), ("NO_PROXY", "acme.dev")], true),
            (
                &[bad, ("no_proxy", "other.dev"), ("NO_PROXY", "acme.dev")],
                false,
            ),
            (&[bad], false),
        ];
        for (env, direct) in table {
            assert_eq!(resolved(&HTTPS, env).is_ok(), direct, "{env:?}");
        }
    }

    #[test]
    fn the_proxy_keeps_no_exceptions_of_its_own() {
        let env: Env<'_> = &[("https_proxy", "proxy"), ("no_proxy", "other.dev")];
        let proxy = resolved(&HTTPS, env).unwrap().unwrap();
        assert!(!proxy.is_no_proxy(&"https://other.dev".parse().unwrap()));
        assert!(!proxy.is_from_env());
    }

    #[test]
    fn the_error_names_the_variable_that_was_used() {
        for variable in FOR_HTTPS {
            let error = resolved(&HTTPS, &[(variable, "socks9://u:hunter2@proxy")]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "cannot use the proxy in {variable}: it has the unsupported scheme `socks9`"
                )
            );
        }
        let error =
            resolved(&HTTP, &[("http_proxy", "http://:1"), ("all_proxy", "a")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot use the proxy in http_proxy: it has no host"
        );
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf8_are_an_error_in_a_proxy_and_match_nothing_in_no_proxy() {
        use std::os::unix::ffi::OsStringExt;

        let env = |name: &str| match name {
            "https_proxy" => Some(OsString::from_vec(b"http://bob:hunter2\xff@proxy".into())),
            "no_proxy" => Some(OsString::from_vec(b"\xffacme.dev".into())),
            _ => None,
        };
        let error = resolve(&HTTPS, &env).unwrap_err();
        assert_eq!(
            error,
            BadProxy {
                variable: "https_proxy",
                detail: ProxyFault::NotUtf8
            }
        );

        let list =
            |name: &str| (name == "no_proxy").then(|| OsString::from_vec(b"\xff,acme.dev".into()));
        let env = |name: &str| list(name).or_else(|| env(name));
        assert!(
            resolve(&HTTPS, &env).unwrap().is_none(),
            "other entries still count"
        );
    }

    proptest! {
        #[test]
        fn an_error_never_shows_the_credentials(
            before in "[ -~\n\u{e9}]{0,6}",
            scheme in prop::sample::select(vec!["", "http://", "socks9://", "https:/", "socks5://"]),
            junk in "[ -~\n\u{e9}]{0,6}",
            after in "[ -~\n\u{e9}]{0,12}",
        ) {
            let value = format!("{before}{scheme}bob:hunter2{junk}@{after}");
            if let Err(error) = resolved(&HTTPS, &[("https_proxy", &value)]) {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains("hunter2"), "{value:?}: {shown}");
            }
        }

        #[test]
        fn a_proxy_is_the_host_that_stands_in_the_variable(
            start in "(http://|socks5h?://|HTTPS://)?(u:p@|u@|:@)?",
            host in "[a-c.]{1,5}|\\[::[1-9]\\]",
            port in prop::option::of(1_u16..),
            end in "([/?#][ -~&&[^ ]]{0,6})?",
        ) {
            let digits = port.map_or(String::new(), |port| format!(":{port}"));
            let value = format!("{start}{host}{digits}{end}");
            if let Ok(Some(proxy)) = resolved(&HTTPS, &[("https_proxy", &value)]) {
                prop_assert_eq!(proxy.host(), host);
                prop_assert!(port.is_none_or(|port| proxy.port() == port), "{}", value);
            }
        }
    }
}
