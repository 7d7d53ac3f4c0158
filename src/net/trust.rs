//! Decides which certificates are trusted: the system's, or those of `--ca-file`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::certificate::Uses;

/// The certificates to trust.
#[derive(Debug)]
pub enum Trust {
    /// The system's certificates.
    System,
    /// Only these certificates.
    Only(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// Returns the verifier of servers.
    ///
    /// # Errors
    /// The system has no certificates.
    pub fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        let provider = Arc::clone(provider);
        Ok(match self {
            Self::System => Arc::new(rustls_platform_verifier::Verifier::new(provider)?),
            Self::Only(certificates) => Arc::new(Given::new(certificates.clone(), provider)?),
        })
    }
}

/// Trusts a server if an authority in the file signed its certificate or, as curl and
/// OpenSSL do, if the file contains that very certificate.
#[derive(Debug)]
struct Given {
    /// `None` if no certificate in the file may sign others.
    signed: Option<Arc<WebPkiServerVerifier>>,
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Given {
    fn new(
        certificates: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // A server's own certificate is not an authority: anyone with its key could sign
        // for any host.
        let can_sign = |der: &&CertificateDer<'_>| Uses::of(der).is_none_or(|uses| uses.can_sign);
        roots.add_parsable_certificates(certificates.iter().filter(can_sign).cloned());
        let signed = if roots.is_empty() {
            None
        } else {
            let builder =
                WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
            let built = builder.build();
            Some(built.map_err(|error| Error::Other(OtherError(Arc::new(error))))?)
        };
        Ok(Self {
            signed,
            certificates,
            provider,
        })
    }
}

/// Checks a certificate that needs no signature: its name, its validity, its purpose.
fn verify_itself(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let uses = Uses::of(certificate).ok_or(CertificateError::BadEncoding)?;
    if now < uses.not_before {
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before: uses.not_before,
        });
    }
    if now > uses.not_after {
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after: uses.not_after,
        });
    }
    if !uses.is_for_servers {
        return Err(CertificateError::InvalidPurpose);
    }
    let checked = ParsedCertificate::try_from(certificate)
        .and_then(|parsed| verify_server_name(&parsed, name));
    checked.map_err(|error| match error {
        Error::InvalidCertificate(error) => error,
        error => CertificateError::Other(OtherError(Arc::new(error))),
    })
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certificates.iter().any(|one| one == end_entity) {
            verify_itself(end_entity, name, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        match &self.signed {
            Some(signed) => signed.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
