//! Explains failed requests: the error first names the proxy or the server that failed.

pub mod tls;

use std::io;

use super::peer::Peer;
use super::phase::{Phase, Progress};
use super::proxy::{LIST_EXCEPTIONS, Via};
use super::socks::SocksError;
use crate::error::{Error, Report};
use crate::text::clock::{Deadline, RAISE_TIMEOUT};
use crate::text::quote::system;
use crate::url::HttpUrl;

/// The remedy for a name without an address.
pub const CHECK_DNS: &str = "check the host name, and DNS";

/// A failed request.
pub struct About<'a> {
    /// Its URL.
    pub url: &'a HttpUrl,
    /// Its progress.
    pub progress: &'a Progress,
    /// Its time limit.
    pub deadline: &'a Deadline,
    /// The remedies that depend on the server.
    pub peer: &'static Peer,
}

/// Returns the error of a failed request: untrusted certificates and responses
/// that are not HTTP are final, all other failures are temporary.
pub fn explain(error: &ureq::Error, about: &About<'_>, proxy: Option<&Via>) -> Error {
    let About { url, progress, .. } = about;
    let phase = progress.phase();
    let Some(via) = proxy else {
        return explain_direct(error, about);
    };
    if progress.is_at_proxy() {
        return explain_proxy(error, about, via);
    }
    if matches!(phase, Phase::Handshake) && is_no_tls(error) {
        // Data from a tunnel is the server's, unless it is not TLS at all.
        let host = url.origin();
        let what = format!("it accepted the connection to {host}, but no TLS came back");
        return Error::Passing(check_proxy(of_proxy(&what, url, via), via));
    }
    let error = explain_direct(error, about);
    let address = via.address();
    error.map(|report| report.found(format!("the request went through the proxy {address}")))
}

fn explain_direct(error: &ureq::Error, about: &About<'_>) -> Error {
    let About {
        url,
        progress,
        deadline,
        peer,
    } = about;
    let (host, phase) = (url.origin(), progress.phase());
    let report = |detail: String| Report::new(format!("{url}: {detail}"));
    if let Some(tls) = tls_error(error) {
        let is_asked = progress.is_certificate_wanted();
        return tls::explain(tls, url, &host.to_string(), is_asked, peer);
    }
    match error {
        ureq::Error::Timeout(_) => Error::Passing(
            report(late(&phase, deadline))
                .hint(peer.unreachable)
                .hint(RAISE_TIMEOUT),
        ),
        ureq::Error::HostNotFound => {
            Error::Passing(report(format!("no address for {host}")).hint(CHECK_DNS))
        }
        ureq::Error::Io(error) if matches!(phase, Phase::Lookup) => {
            Error::Passing(report(unresolved(error)).hint(CHECK_DNS))
        }
        ureq::Error::Io(error) => Error::Passing(
            report(format!("{}, while {phase}", plain(error))).hint(peer.unreachable),
        ),
        ureq::Error::ConnectionFailed => {
            Error::Passing(report(format!("no connection, while {phase}")).hint(peer.unreachable))
        }
        other => {
            Error::Final(report(format!("invalid HTTP response: {other}")).hint(peer.other_server))
        }
    }
}

/// Explains a failure of the proxy, which is temporary, unless it refuses our login.
fn explain_proxy(error: &ureq::Error, about: &About<'_>, via: &Via) -> Error {
    let About {
        url,
        progress,
        deadline,
        peer,
    } = about;
    let phase = progress.phase();
    let report = |detail: &str| of_proxy(detail, url, via);
    if let Some(tls) = tls_error(error) {
        let address = via.address();
        let is_asked = progress.is_certificate_wanted();
        return tls::explain(tls, via, &address, is_asked, peer)
            .map(|report| report.found(format!("the request was to {url}")));
    }
    let detail = match error {
        ureq::Error::Timeout(_) => {
            let report = check_proxy(report(&late(&phase, deadline)), via);
            return Error::Passing(report.hint(RAISE_TIMEOUT));
        }
        ureq::Error::HostNotFound => "no address for its name".to_owned(),
        ureq::Error::Io(error) if matches!(phase, Phase::Lookup) => unresolved(error),
        ureq::Error::Io(error) if matches!(phase, Phase::Proxy) && is_closed(error) => {
            CLOSED.to_owned()
        }
        ureq::Error::Io(error) => format!("{}, while {phase}", plain(error)),
        ureq::Error::ConnectProxyFailed(detail) => match status(detail) {
            Some("407") => return Error::Final(login(report("HTTP 407"), via)),
            Some(status) => format!("it refused the connection: HTTP {status}"),
            None => CLOSED.to_owned(),
        },
        ureq::Error::Other(error) => match error.downcast_ref() {
            Some(error @ SocksError::Login(_)) => {
                return Error::Final(login(report(&error.to_string()), via));
            }
            _ => error.to_string(),
        },
        ureq::Error::ConnectionFailed => format!("no connection, while {phase}"),
        _ => "its answer is not HTTP".to_owned(),
    };
    Error::Passing(check_proxy(report(&detail), via))
}

const CLOSED: &str = "it closed the connection without an answer";

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn of_proxy(detail: &str, url: &HttpUrl, via: &Via) -> Report {
    Report::new(format!("{via}: {detail}")).found(format!("the request was to {url}"))
}

fn check_proxy(report: Report, via: &Via) -> Report {
    let check = format!("check {}, and the proxy's log", via.variable);
    report.hint(check).hint(LIST_EXCEPTIONS)
}

fn login(report: Report, via: &Via) -> Report {
    let variable = via.variable;
    report.hint(format!(
        "write USER:PASSWORD@ before the host in {variable}, special characters percent-encoded"
    ))
}

/// Returns the HTTP status in ureq's text, which contains the number twice: "proxy server
/// responded 403/403".
fn status(detail: &str) -> Option<&str> {
    let said = detail.strip_prefix("proxy server responded ")?;
    said.split('/').next()
}

/// True if the received data is not TLS, or there was none.
fn is_no_tls(error: &ureq::Error) -> bool {
    match (tls_error(error), error) {
        (Some(error), _) => matches!(error, rustls::Error::InvalidMessage(_)),
        (None, ureq::Error::Io(_)) => true,
        _ => false,
    }
}

fn late(phase: &Phase, deadline: &Deadline) -> String {
    let secs = deadline.budget_shown();
    format!("no response within {secs} s, while {phase}")
}

fn unresolved(error: &io::Error) -> String {
    format!("cannot look up the host name: {}", plain(error))
}

/// True if TLS failed.
pub fn is_tls(error: &ureq::Error) -> bool {
    tls_error(error).is_some()
}

/// True if the system has no root certificates.
pub fn is_without_roots(error: &ureq::Error) -> bool {
    tls_error(error).is_some_and(tls::is_without_roots)
}

/// Returns the TLS library's error, which is wrapped in an I/O error.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Io(error) => tls_within(error),
        _ => None,
    }
}

/// Returns the TLS library's error within an I/O error.
pub fn tls_within(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Returns a short text for an I/O error.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "no route to host".to_owned()
        }
        _ => system(error),
    }
}
