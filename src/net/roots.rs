//! The certificates of a PEM file, under the labels that OpenSSL takes.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error, PemObject};

use super::der::element;

/// A certificate, and OpenSSL's settings of trust after it.
const TRUSTED: &str = "TRUSTED CERTIFICATE-----";

const PLAIN: &str = "CERTIFICATE-----";

/// The former label of a certificate that stands alone.
const FORMER: &str = "X509 CERTIFICATE-----";

/// The key usages that a server's certificate needs: serverAuth, or any.
const SERVER: [&[u8]; 2] = [
    &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[6, 4, 0x55, 0x1d, 0x25, 0],
];

/// Returns the certificates that may sign for servers.
///
/// # Errors
/// The text is not PEM.
pub fn parse(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = pem.replace(TRUSTED, PLAIN).replace(FORMER, PLAIN);
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(|der| match der {
            Ok(der) => trusted(&der).map(Ok),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// Returns the certificate alone; `None` if the settings after it do not let it sign for
/// servers.
fn trusted(der: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let Some((_, _, settings)) = element(der) else {
        // Not DER: the verifier says so.
        return Some(der.clone());
    };
    let certificate = der[..der.len() - settings.len()].to_vec();
    // X509_CERT_AUX: what it is trusted for, and what it is not.
    let mut rest = match element(settings) {
        Some((0x30, lists, _)) => lists,
        _ => &[],
    };
    while let Some((tag, list, after)) = element(rest) {
        let has_server = SERVER.iter().any(|usage| contains(list, usage));
        if (tag == 0x30 && !has_server) || (tag == 0xa0 && has_server) {
            return None;
        }
        rest = after;
    }
    Some(certificate.into())
}

fn contains(list: &[u8], usage: &[u8]) -> bool {
    list.windows(usage.len()).any(|part| part == usage)
}
