//! Explains failed requests.

use std::io;

use rustls::CertificateError;

use super::phase::Phase;
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::url::HttpUrl;

const NETWORK: &str =
    "check that the issuer is up and reachable from here (network, proxy, firewall)";

const RAISE_TIMEOUT: &str = "give it more time with --timeout";

const CHECK_DNS: &str = "check the host name, and DNS";

const OWN_AUTHORITY: &str = "if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile";

/// Returns the error of a failed request: untrusted certificates and responses
/// that are not HTTP are final, all other failures are temporary.
pub fn explain(error: &ureq::Error, url: &HttpUrl, phase: &Phase, deadline: &Deadline) -> Error {
    let host = url.origin();
    let report = |detail: String| Report::new(format!("{url}: {detail}"));
    if let Some(tls) = tls_error(error) {
        return explain_tls(tls, url);
    }
    match error {
        ureq::Error::Timeout(_) => Error::Passing(
            report(format!(
                "no response within {} s, while {phase}",
                deadline.budget_shown()
            ))
            .hint(NETWORK)
            .hint(RAISE_TIMEOUT),
        ),
        ureq::Error::HostNotFound => {
            Error::Passing(report(format!("no address for {host}")).hint(CHECK_DNS))
        }
        ureq::Error::Io(error) if matches!(phase, Phase::Lookup) => Error::Passing(
            report(format!("cannot look up the host name: {}", plain(error))).hint(CHECK_DNS),
        ),
        ureq::Error::Io(error) => {
            Error::Passing(report(format!("{}, while {phase}", plain(error))).hint(NETWORK))
        }
        ureq::Error::ConnectProxyFailed(detail) => {
            // "proxy server responded 403/403": the number twice.
            let said = detail.split('/').next().unwrap_or_default();
            Error::Passing(
                report(format!("the proxy refused the connection: {said}"))
                    .hint("check HTTPS_PROXY, ALL_PROXY and NO_PROXY, and the proxy's log"),
            )
        }
        ureq::Error::ConnectionFailed => {
            Error::Passing(report(format!("no connection, while {phase}")).hint(NETWORK))
        }
        other => Error::Final(
            report(format!("invalid HTTP response: {other}"))
                .hint("check that a ZITADEL instance answers at this URL"),
        ),
    }
}

fn explain_tls(error: &rustls::Error, url: &HttpUrl) -> Error {
    let host = url.origin();
    let untrusted = |what: &str, hint: &str| {
        Error::Final(Report::new(format!("{url}: the certificate of {host} {what}")).hint(hint))
    };
    let rustls::Error::InvalidCertificate(reason) = error else {
        return Error::Passing(
            Report::new(format!("{url}: the TLS handshake failed: {error}"))
                .hint("check that the server supports TLS 1.2 or later, and that nothing intercepts the connection"),
        );
    };
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            untrusted("has expired", "renew it, or check the local clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            untrusted("is not valid yet", "check the local clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            untrusted(
                "is for another name",
                "check the issuer's host name, and which server answers there",
            )
        }
        // BadSignature: a trusted authority has the same name and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => untrusted(
            "is not trusted: it is not signed by a trusted authority",
            OWN_AUTHORITY,
        ),
        // webpki has no variant of its own for this, only a name.
        other if other.to_string().contains("CaUsedAsEndEntity") => untrusted(
            "is a certificate authority's (CA:TRUE), not a server's",
            "give the server a certificate of its own, signed by that authority",
        ),
        other => untrusted(&format!("is not trusted: {other}"), OWN_AUTHORITY),
    }
}

/// True if TLS failed.
pub fn is_tls(error: &ureq::Error) -> bool {
    tls_error(error).is_some()
}

/// Returns the TLS library's error, also if it is wrapped in an I/O error.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Returns a short text for an I/O error.
fn plain(error: &io::Error) -> String {
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
