//! The settings that depend on the server of a request.

use super::proxy::Rules;

/// The rules for a server's proxy, and the remedies for errors.
#[derive(Debug)]
pub struct Peer {
    /// The rules by which environment variables select a proxy.
    pub proxy: Rules,
    /// Remedy without a connection or a response.
    pub unreachable: &'static str,
    /// Remedy for a response that is not HTTP, or too large.
    pub other_server: &'static str,
    /// Remedy for a certificate for another name.
    pub other_name: &'static str,
    /// Remedy for a certificate of an unknown authority: whose certificates to trust.
    pub authority: &'static str,
    /// Remedy if the server requires a client certificate.
    pub client_certificate: &'static str,
    /// The name of the file with the certificates to trust.
    pub ca_file: &'static str,
    /// Remedy for an unusable file of certificates.
    pub bad_ca_file: &'static str,
}
