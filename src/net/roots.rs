//! The certificates to trust: the system's, or those of a PEM file with the labels that
//! OpenSSL accepts.

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem;
use rustls_pki_types::pem::PemObject;

use super::der::element;
use super::peer::Peer;
use super::trust::Trust;
use crate::error::{Error, Report};
use crate::sys::Environment;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::input::{ReadError, encoding};
use crate::text::{input, quote};

/// Size limit of the file of root certificates in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// A certificate, followed by OpenSSL's trust settings.
const TRUSTED: &str = "TRUSTED CERTIFICATE-----";

const PLAIN: &str = "CERTIFICATE-----";

/// The former label of a certificate without settings.
const FORMER: &str = "X509 CERTIFICATE-----";

/// The key usages that a server's certificate needs: serverAuth, or any.
const SERVER: [&[u8]; 2] = [
    &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[6, 4, 0x55, 0x1d, 0x25, 0],
];

/// Returns the certificates to trust: those of the file, or else the system's.
///
/// # Errors
/// [`Error::Usage`]: the file has no certificates.
pub fn trust(
    ca_file: Option<&Path>,
    environment: &Environment,
    peer: &Peer,
    deadline: &Deadline,
) -> Result<Trust, Error> {
    match ca_file {
        Some(path) => Ok(Trust::Only(read_roots(peer.ca_file, path, peer, deadline)?)),
        None => match stream(environment) {
            Some(path) => Ok(Trust::Only(read_roots(
                "SSL_CERT_FILE",
                &path,
                peer,
                deadline,
            )?)),
            None => Ok(system_roots(environment)),
        },
    }
}

/// Returns `SSL_CERT_FILE` if it is a FIFO or a device, which the verifier would read without
/// a limit. `/dev/null` ends, and the verifier reports that it has no certificate.
fn stream(environment: &Environment) -> Option<PathBuf> {
    let path = environment("SSL_CERT_FILE").map(PathBuf::from)?;
    let status = Status::of(&path).ok()?;
    let is_endless = !status.is_file() && !status.is_dir() && path != Path::new("/dev/null");
    is_endless.then_some(path)
}

/// Returns the system's root certificates. An empty `SSL_CERT_FILE` counts as unset, as
/// in OpenSSL; the verifier would look for a file without a name.
fn system_roots(environment: &Environment) -> Trust {
    let is_empty = |name: &str| environment(name).map(|value| value.is_empty());
    if is_empty("SSL_CERT_FILE") != Some(true) || is_empty("SSL_CERT_DIR") == Some(false) {
        return Trust::System;
    }
    let found = openssl_probe::probe();
    let directory = found.cert_dir.first().map(PathBuf::as_path);
    let roots = rustls_native_certs::load_certs_from_paths(found.cert_file.as_deref(), directory);
    if roots.certs.is_empty() {
        return Trust::System;
    }
    Trust::Only(roots.certs)
}

fn read_roots(
    name: &str,
    path: &Path,
    peer: &Peer,
    deadline: &Deadline,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let named = || format!("{name} {}", quote::path(path));
    let unusable = |detail: String| {
        Error::Usage(Report::new(format!("{}: {detail}", named())).hint(peer.bad_ca_file))
    };
    let pem = input::read_believed(path, LIMIT, deadline).map_err(|error| match error {
        ReadError::Writable(_) => {
            let what = format!("{}: {error}", named());
            let hint = format!("run chmod go-w {}", quote::word(path));
            Error::Usage(Report::new(what).hint(hint))
        }
        _ => unusable(error.to_string()),
    })?;
    if encoding::is_utf16(&pem) {
        return Err(unusable(encoding::NotText::Utf16.to_string()));
    }
    // Comments between the certificates may be in any encoding.
    let text = String::from_utf8_lossy(encoding::without_mark(&pem));
    let roots = parse(&text).map_err(|_| unusable("invalid PEM".to_owned()))?;
    if roots.is_empty() {
        return Err(unusable("no certificate in the file".to_owned()));
    }
    Ok(roots)
}

/// Returns the certificates that may sign for servers.
///
/// # Errors
/// The text is not PEM.
pub fn parse(pem: &str) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let pem = pem.replace(TRUSTED, PLAIN).replace(FORMER, PLAIN);
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(|der| match der {
            Ok(der) => trusted(&der).map(Ok),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// Returns the certificate only; `None` if its settings do not let it sign for servers.
fn trusted(der: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let Some((_, _, settings)) = element(der) else {
        // The verifier reports data that is not DER.
        return Some(der.clone());
    };
    let certificate = der[..der.len() - settings.len()].to_vec();
    // X509_CERT_AUX: the trusted uses, and the rejected ones.
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
