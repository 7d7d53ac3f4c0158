//! Explains failed TLS handshakes: untrusted certificates and incompatible settings are
//! permanent failures.

use std::fmt;

use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::error::{Error, Report};
use crate::net::peer::Peer;
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;

const WHOLE_CHAIN: &str = "if the certificate is from a public authority, have the server send its intermediate certificates too";

const CLOCK: &str = "renew it, or check the local clock";

const NAMES: &str = "issue the certificate again with the host name as a subjectAltName";

const SERVER_SETTINGS: &str =
    "check the TLS settings of the server, or of the proxy in front of it";

/// Maximum number of a certificate's names in an error.
const NAMES_SHOWN: usize = 5;

/// True if the platform's verifier found no root certificates; it reports this only as
/// text.
pub fn is_without_roots(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::General(text) if text.starts_with("No CA certificates"))
}

/// Returns the error of a failed handshake with `host`; `about` is named first.
/// `is_asked` is true if the server asked for a client certificate.
pub fn explain(
    error: &rustls::Error,
    about: &impl fmt::Display,
    host: &str,
    is_asked: bool,
    peer: &Peer,
) -> Error {
    use rustls::Error as Tls;
    let report = |what: String| Report::new(format!("{about}: {what}"));
    match error {
        Tls::InvalidCertificate(reason) => {
            let (what, hints) = certificate(reason, peer);
            let report = report(format!("the certificate of {host} {what}"));
            Error::Final(hints.into_iter().fold(report, Report::hint))
        }
        error if is_without_roots(error) => Error::Final(
            report("no trusted certificate authority on this system".to_owned())
                .hint("install the system's certificates (package ca-certificates), or unset SSL_CERT_FILE and SSL_CERT_DIR if they name none")
                .hint(peer.authority),
        ),
        Tls::AlertReceived(alert) => refusal(*alert, report, host, is_asked, peer),
        Tls::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => no_common_version(report, host),
        Tls::PeerIncompatible(_) => Error::Final(
            report(format!("no common TLS cipher with {host}")).hint(SERVER_SETTINGS),
        ),
        Tls::InvalidMessage(_) => Error::Passing(
            report("the TLS handshake failed: the response is not TLS".to_owned())
                .hint("check that the server supports TLS 1.2 or later, and that nothing intercepts the connection"),
        ),
        _ => Error::Passing(
            report("the TLS handshake failed: the server does not follow the protocol".to_owned())
                .hint("check that the server supports TLS 1.2 or later, and that nothing intercepts the connection"),
        ),
    }
}

fn no_common_version(report: impl Fn(String) -> Report, host: &str) -> Error {
    Error::Final(
        report(format!(
            "no common TLS version with {host}: TLS 1.2 or later is needed"
        ))
        .hint(SERVER_SETTINGS),
    )
}

/// Returns the error for the server's alert.
fn refusal(
    alert: AlertDescription,
    report: impl Fn(String) -> Report,
    host: &str,
    is_asked: bool,
    peer: &Peer,
) -> Error {
    use AlertDescription as Alert;
    match alert {
        // TLS 1.2 has one alert for this and for other failures.
        Alert::HandshakeFailure if is_asked => Error::Final(
            report(format!("{host} requires a client certificate")).hint(peer.client_certificate),
        ),
        Alert::ProtocolVersion => no_common_version(report, host),
        Alert::CertificateRequired
        | Alert::NoCertificate
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => Error::Final(
            report(format!("{host} requires a client certificate")).hint(peer.client_certificate),
        ),
        Alert::HandshakeFailure | Alert::InsufficientSecurity => Error::Final(
            report(format!(
                "{host} refused the TLS handshake: no common cipher"
            ))
            .hint(SERVER_SETTINGS),
        ),
        Alert::UnrecognisedName => Error::Final(
            report(format!(
                "{host} refused the TLS handshake: it does not serve this name"
            ))
            .hint(peer.other_name),
        ),
        other => {
            let name = other.as_str().unwrap_or("unknown");
            Error::Passing(
                report(format!(
                    "{host} ended the TLS handshake: {name} ({})",
                    u8::from(other)
                ))
                .hint("check the server's log, and that nothing intercepts the connection"),
            )
        }
    }
}

/// Returns the certificate's fault, and the remedies.
fn certificate(reason: &CertificateError, peer: &Peer) -> (String, Vec<&'static str>) {
    let plain = |text: &str| text.to_owned();
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("has expired on {}", date(*not_after)), vec![CLOCK])
        }
        CertificateError::Expired => (plain("has expired"), vec![CLOCK]),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("is not valid before {}", date(*not_before)),
            vec!["check the local clock"],
        ),
        CertificateError::NotValidYet => (plain("is not valid yet"), vec!["check the local clock"]),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            plain(
                "names no host: it has no subjectAltName, and its common name (CN) does not count",
            ),
            vec![NAMES],
        ),
        CertificateError::NotValidForNameContext { presented, .. } => (
            format!("is for another name: {}", names(presented)),
            vec![peer.other_name],
        ),
        CertificateError::NotValidForName => (plain("is for another name"), vec![peer.other_name]),
        // BadSignature: a trusted authority has the same name and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            plain("is not trusted: it is not signed by a trusted authority"),
            vec![peer.authority, WHOLE_CHAIN],
        ),
        CertificateError::Revoked => (plain("is revoked"), vec!["renew it"]),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            (plain(NO_PURPOSE), vec![PURPOSE])
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            plain("is signed with an unsupported algorithm, SHA-1 perhaps"),
            vec!["issue it again, signed with SHA-256 and RSA or ECDSA"],
        ),
        other => other_certificate(&format!("{other:?}"), peer),
    }
}

const NO_PURPOSE: &str = "is not for servers: its extended key usage lacks serverAuth";
const PURPOSE: &str = "issue the certificate again with the extended key usage serverAuth";

/// Explains a fault without a separate variant, only with a name within a debug text.
fn other_certificate(text: &str, peer: &Peer) -> (String, Vec<&'static str>) {
    let name = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .rfind(|word| !word.is_empty())
        .unwrap_or_default();
    let (what, hint): (&str, &'static str) = match name {
        "CaUsedAsEndEntity" => (
            "is a certificate authority's (CA:TRUE), not a server's",
            "give the server a certificate of its own, signed by that authority",
        ),
        "NameConstraintViolation" => (
            "breaks the name constraints of its authority, which may not sign for this host",
            "let an authority sign it whose name constraints permit the host",
        ),
        "EkuError" => (NO_PURPOSE, PURPOSE),
        "UnsupportedCertVersion" => ("is of an old version: X.509 version 3 is needed", NAMES),
        "PathLenConstraintViolated"
        | "MaximumPathDepthExceeded"
        | "MaximumPathBuildCallsExceeded" => (
            "is not trusted: the chain to its authority is too long",
            "check the certificates that the server sends",
        ),
        "BadEncoding" => ("is malformed", "issue it again"),
        "UnsupportedCriticalExtension" | "UnhandledCriticalExtension" => (
            "has a critical extension that is not supported",
            "issue it again without that extension",
        ),
        _ => return (format!("is not trusted: {name}"), vec![peer.authority]),
    };
    (what.to_owned(), vec![hint])
}

fn date(time: rustls_pki_types::UnixTime) -> UnixTime {
    UnixTime::from_secs(time.as_secs())
}

/// Returns the certificate's names, which rustls has as debug text:
/// `DnsName("id.acme.dev")`, `IpAddress(10.0.0.1)`.
fn names(presented: &[String]) -> String {
    let mut names: Vec<_> = presented
        .iter()
        .take(NAMES_SHOWN)
        .map(|text| {
            let inner = text.split_once('(').map_or(text.as_str(), |(_, rest)| rest);
            quoted(inner.trim_end_matches(')').trim_matches('"'))
        })
        .collect();
    if presented.len() > NAMES_SHOWN {
        names.push("…".to_owned());
    }
    names.join(", ")
}
