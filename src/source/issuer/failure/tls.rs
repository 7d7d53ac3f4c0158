//! Explains failed TLS handshakes.

use std::fmt;

use rustls::CertificateError;

use crate::error::{Error, Report};

const OWN_AUTHORITY: &str = "if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile";

/// Returns the error of a failed handshake with `host`; `about` is named first.
pub fn explain(error: &rustls::Error, about: &impl fmt::Display, host: &str) -> Error {
    let untrusted = |what: &str, hint: &str| {
        Error::Final(Report::new(format!("{about}: the certificate of {host} {what}")).hint(hint))
    };
    let rustls::Error::InvalidCertificate(reason) = error else {
        return Error::Passing(
            Report::new(format!("{about}: the TLS handshake failed: {error}"))
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
