//! Why no answer came, as a person reads it.

use std::io;

use rustls::CertificateError;

use super::phase::Phase;
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::url::HttpUrl;

const NETWORK: &str =
    "see whether the issuer is up and reachable from here (network, proxy, firewall)";

const OWN_AUTHORITY: &str = "where it is your own authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile";

/// Turns a failed request into an error: certificates that are not trusted and
/// answers that are no HTTP are final, everything else on the way may pass.
pub fn explain(error: &ureq::Error, url: &HttpUrl, phase: &Phase, deadline: &Deadline) -> Error {
    let host = url.origin();
    let report = |detail: String| Report::new(format!("{url}: {detail}"));
    if let Some(tls) = tls_error(error) {
        return explain_tls(tls, url);
    }
    match error {
        ureq::Error::Timeout(_) => Error::Passing(
            report(format!(
                "no answer within {} s, while {phase}",
                deadline.budget_secs()
            ))
            .hint(format!("{NETWORK}; --timeout waits longer")),
        ),
        ureq::Error::HostNotFound => Error::Passing(
            report(format!("{host} has no address")).hint("see whether the name is right, and DNS"),
        ),
        ureq::Error::Io(error) if matches!(phase, Phase::Lookup) => Error::Passing(
            report(format!("the name cannot be looked up: {}", plain(error)))
                .hint("see whether the name is right, and DNS"),
        ),
        ureq::Error::Io(error) => {
            Error::Passing(report(format!("{}, while {phase}", plain(error))).hint(NETWORK))
        }
        ureq::Error::ConnectProxyFailed(detail) => {
            // "proxy server responded 403/403": the number twice.
            let said = detail.split('/').next().unwrap_or_default();
            Error::Passing(
                report(format!("the proxy did not connect us: {said}"))
                    .hint("see HTTPS_PROXY, ALL_PROXY and NO_PROXY, and the proxy's log"),
            )
        }
        ureq::Error::ConnectionFailed => {
            Error::Passing(report(format!("no connection, while {phase}")).hint(NETWORK))
        }
        other => Error::Final(
            report(format!("the answer is no HTTP that can be read: {other}"))
                .hint("see whether a ZITADEL instance is what answers there"),
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
                .hint("see whether TLS is spoken there, 1.2 or later, and nothing stands between"),
        );
    };
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => untrusted(
            "has expired",
            "renew it, or see whether this clock is right",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            untrusted("is not valid yet", "see whether this clock is right")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            untrusted(
                "is for another name",
                "see whether the issuer's host is right, and what answers there",
            )
        }
        // The latter where a trusted authority has the same name and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => untrusted(
            "is not trusted: no authority that is trusted here has signed it",
            OWN_AUTHORITY,
        ),
        // webpki's own name for it is all there is.
        other if other.to_string().contains("CaUsedAsEndEntity") => untrusted(
            "is an authority's (CA:TRUE), which cannot be a server's",
            "give the server a certificate of its own, signed by that authority",
        ),
        other => untrusted(&format!("is not trusted: {other}"), OWN_AUTHORITY),
    }
}

/// Whether it is TLS that failed.
pub fn is_tls(error: &ureq::Error) -> bool {
    tls_error(error).is_some()
}

/// The TLS library's error, wherever it is wrapped.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// An I/O error in a few words.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "no route to it".to_owned()
        }
        _ => system(error),
    }
}
