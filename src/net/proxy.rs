//! Selects the proxy for a URL, by the rules of curl or of Go programs.
//!
//! ureq parses the proxy's URL, but does not choose it: it applies `HTTP_PROXY` to https,
//! skips a value that it cannot parse, and does not match the subdomains of an entry in
//! `NO_PROXY`. An [`ureq::Agent`] reads the environment unless it gets a proxy or `None`,
//! so it always gets the result of [`resolve`].

mod no_proxy;
mod target;

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use no_proxy::port_number;
pub use target::Target;
use ureq::{Proxy, ProxyProtocol};

/// Lower case has priority, as in curl.
const FOR_HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// `HTTP_PROXY` is excluded: under CGI the sender of a request sets it with a `Proxy:`
/// header (httpoxy, CVE-2016-5385).
const FOR_HTTP: [&str; 3] = ["http_proxy", "all_proxy", "ALL_PROXY"];

const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The remedy for a proxy that some hosts do not need.
pub(super) const LIST_EXCEPTIONS: &str = "list hosts that need no proxy in NO_PROXY";

/// The value of a proxy variable cannot be used.
///
/// The value itself is not kept, because it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid proxy in {variable}: it {detail}")]
pub struct BadProxy {
    /// The variable's name.
    pub variable: &'static str,
    /// The value's fault.
    pub detail: ProxyFault,
}

/// The fault that makes a proxy variable invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// The value is not text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// The value starts with a scheme other than those of [`resolve`].
    #[error("has the unsupported scheme `{0}`")]
    UnsupportedScheme(String),
    /// The value is not a URL with a host, or its port is not from 1 to 65535.
    #[error(
        "is not a valid proxy URL (is a special character in the user name or password percent-encoded?)"
    )]
    Invalid,
    /// The user name or password decodes to control characters.
    #[error("has a control character in its user name or password")]
    BadCredentials,
    /// curl's `socks5h://localhost/path/to/socket`.
    #[error("names a Unix socket, which is not supported")]
    UnixSocket,
}

/// A proxy, and the variable that set it.
#[derive(Debug, Clone)]
pub struct Via {
    /// The proxy.
    pub proxy: Proxy,
    /// The variable's name.
    pub variable: &'static str,
}

impl Via {
    /// Returns the proxy's `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.proxy.host(), self.proxy.port())
    }
}

/// `proxy host:port (VARIABLE)`.
impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxy {} ({})", self.address(), self.variable)
    }
}

/// The rules that select the variable of the proxy.
#[derive(Clone, Copy, Debug)]
pub enum Rules {
    /// curl's rules: [`resolve`].
    Curl,
    /// The rules of Go programs, such as kubectl: [`resolve_as_go`].
    Go,
}

/// Returns the proxy for `target` as Go programs do (`golang.org/x/net/http/httpproxy`),
/// which differ from [`resolve`]: upper case has priority, `ALL_PROXY` is ignored, and
/// this machine itself needs no proxy.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_as_go(
    target: &Target<'_>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Via>, BadProxy> {
    let is_loopback = |address: IpAddr| address.is_loopback();
    if target.host == "localhost" || target.host.parse().is_ok_and(is_loopback) {
        return Ok(None);
    }
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    resolve(target, &|name| match name {
        "all_proxy" | "ALL_PROXY" => None,
        "https_proxy" => env(name).filter(|_| set("HTTPS_PROXY").is_none()),
        "no_proxy" => env(name).filter(|_| set("NO_PROXY").is_none()),
        _ => env(name),
    })
}

/// Returns the proxy for `target`; `None` for a direct connection.
///
/// An empty variable counts as unset, as in curl: an empty `https_proxy` does not disable
/// `HTTPS_PROXY` or `ALL_PROXY`. The steps are:
///
/// 1. `no_proxy`, else `NO_PROXY`: if it covers the target, no proxy variable is
///    read, not even an invalid one.
/// 2. For https, the first of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and
///    `ALL_PROXY`; for http, the first of `http_proxy`, `all_proxy` and `ALL_PROXY`.
/// 3. Its value is `[scheme://][user[:password]@]host[:port]`; a path is ignored.
///    Schemes are `http` (the default), `https`, `socks4` (also `socks`), `socks4a`,
///    `socks5` and `socks5h`. The default port is 443 for `https`, else 1080.
///
/// The target's name is resolved here for `socks4` and `socks5`, by the proxy
/// otherwise.
///
/// # Errors
/// The first variable that is set is invalid. The next one is not tried: it could send
/// the request through a proxy that the user does not want.
pub fn resolve(
    target: &Target<'_>,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<Via>, BadProxy> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());

    // Lossy is safe: no ASCII host contains the replacement character.
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
        .and_then(parse)
        .map(|proxy| Some(Via { proxy, variable }))
        .map_err(|detail| BadProxy { variable, detail })
}

/// Parses a proxy's URL. Two defaults follow curl, not ureq: port 1080 for an http proxy
/// (ureq: 80), and SOCKS4 for `socks://` (ureq: SOCKS5), which GNOME sets.
fn parse(value: &str) -> Result<Proxy, ProxyFault> {
    let url = match value.split_once("://") {
        Some((scheme, _)) if is_unsupported(scheme) => {
            return Err(ProxyFault::UnsupportedScheme(scheme.to_owned()));
        }
        Some(_) => value.to_owned(),
        // `proxy:` looks like a scheme, and so does `http:/proxy`.
        None if value
            .split('/')
            .next()
            .is_some_and(|text| text.ends_with(':')) =>
        {
            return Err(ProxyFault::Invalid);
        }
        None => format!("http://{value}"),
    };
    let parsed = Proxy::new(&url).map_err(|_| ProxyFault::Invalid)?;
    let uri = parsed.uri();
    let protocol = match uri.scheme_str() {
        Some(scheme) if scheme.eq_ignore_ascii_case("socks") => ProxyProtocol::Socks4,
        _ => parsed.protocol(),
    };
    let is_http = matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https);
    if !is_http && parsed.host().eq_ignore_ascii_case("localhost") && uri.path().len() > 1 {
        return Err(ProxyFault::UnixSocket);
    }
    let port = match port_of(&parsed)? {
        Some(port) => port,
        None if protocol == ProxyProtocol::Https => 443,
        None => 1080,
    };
    let mut proxy = Proxy::builder(protocol).host(parsed.host()).port(port);
    // SOCKS4 ends a user name with a NUL.
    let credentials = [parsed.username(), parsed.password()];
    let has_control = |text: &str| text.contains(char::is_control);
    if credentials.into_iter().flatten().any(has_control) {
        return Err(ProxyFault::BadCredentials);
    }
    if let Some(user) = parsed.username() {
        proxy = proxy.username(user);
    }
    if let Some(password) = parsed.password() {
        proxy = proxy.password(password);
    }
    proxy.build().map_err(|_| ProxyFault::Invalid)
}

/// Returns true if a text looks like a scheme, but is not a proxy's.
fn is_unsupported(scheme: &str) -> bool {
    // curl's limit: a longer text may be a part of a password.
    const LONGEST: usize = 39;
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    (1..=LONGEST).contains(&scheme.len())
        && scheme.bytes().all(is_scheme)
        && ProxyProtocol::try_from(scheme).is_err()
}

/// Returns the port after the host; `None` if there is none. ureq ignores an invalid
/// port.
fn port_of(proxy: &Proxy) -> Result<Option<u16>, ProxyFault> {
    let authority = proxy.uri().authority().map_or("", |a| a.as_str());
    let address = authority.rsplit('@').next().unwrap_or_default();
    let port = address.strip_prefix(proxy.host());
    match port.filter(|_| !proxy.host().is_empty()) {
        Some("" | ":") => Ok(None),
        Some(port) => match port.strip_prefix(':').and_then(port_number) {
            Some(port) => Ok(Some(port)),
            None => Err(ProxyFault::Invalid),
        },
        None => Err(ProxyFault::Invalid),
    }
}

#[cfg(test)]
mod tests;
