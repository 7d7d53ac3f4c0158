use proptest::prelude::*;
use ureq::ProxyProtocol;

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
    let via = resolve(target, &|name| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.into())
    })?;
    Ok(via.map(|via| via.proxy))
}

#[test]
fn the_proxy_is_named_with_its_variable() {
    let env = |name: &str| (name == "ALL_PROXY").then(|| "http://u:p@proxy:3128".into());
    let via = resolve(&HTTPS, &env).unwrap().unwrap();
    assert_eq!(via.to_string(), "proxy proxy:3128 (ALL_PROXY)");
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
            format!("invalid proxy in {variable}: it has the unsupported scheme `socks9`")
        );
    }
    let error = resolved(&HTTP, &[("http_proxy", "http://:1"), ("all_proxy", "a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid proxy in http_proxy: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)"
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
    fn the_proxy_host_is_the_one_in_the_variable(
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
        ("http://proxy:3128/path?query#fragment", Http, 3128),
        ("proxy:3128?query", Http, 3128),
        ("socks5h://proxy:3128/path", Socks5h, 3128),
        // A host name, which older curls take for an ftp:// scheme.
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
        ("u:%C3%A9", "u", "\u{e9}"),
        ("u:p@q", "u", "p@q"),
        (":p", "", "p"),
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
fn a_value_that_is_not_a_proxys_url_is_refused() {
    for value in [
        "http://",
        "http:////proxy",
        "http:/proxy",
        "proxy:",
        "http://:3128",
        "http://u:p@",
        "http://u:p@:3128",
        "://proxy",
        "::1:3128",
        "/",
        "fe80::1",
        "http://proxy:0",
        "http://proxy:65536",
        "http://proxy:+80",
        "http://proxy:80x",
        "http://[::1]3128",
        "http://[::1",
        "http://caf\u{e9}.dev",
        "http://pro%78y",
        " http://proxy",
        "http://proxy\n",
        "http://pro\u{1b}xy",
        "http://u:%ff@proxy",
    ] {
        assert_eq!(fault(value), ProxyFault::Invalid, "{value}");
    }
    for value in ["http://u:%0a@proxy", "socks4://%00@proxy"] {
        assert_eq!(fault(value), ProxyFault::BadCredentials, "{value}");
    }
    for value in ["socks5h://localhost/run/tor.sock", "socks://LocalHost/x"] {
        assert_eq!(fault(value), ProxyFault::UnixSocket, "{value}");
    }
    for scheme in ["socks9", "ftp"] {
        let expected = ProxyFault::UnsupportedScheme(scheme.into());
        assert_eq!(fault(&format!("{scheme}://proxy")), expected);
    }
}

#[test]
fn a_long_text_is_not_quoted_as_a_scheme() {
    let longest = "x".repeat(39);
    let expected = ProxyFault::UnsupportedScheme(longest.clone());
    assert_eq!(fault(&format!("{longest}://proxy")), expected);
    assert_eq!(fault(&format!("{longest}x://proxy")), ProxyFault::Invalid);
}

#[test]
fn a_path_of_an_http_or_socks5_proxy_is_accepted() {
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
