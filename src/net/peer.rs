//! What depends on the server that a request is for.

use super::proxy::Rules;

/// The rules for a server's proxy, and the remedies that errors name.
#[derive(Debug)]
pub struct Peer {
    /// The rules by which the environment names a proxy.
    pub proxy: Rules,
    /// No connection, or no response.
    pub unreachable: &'static str,
    /// A response that is not HTTP, or too large.
    pub other_server: &'static str,
    /// A certificate for another name.
    pub other_name: &'static str,
    /// A certificate that no authority here has signed: whose certificates to trust.
    pub authority: &'static str,
    /// A server that wants a client certificate.
    pub client_certificate: &'static str,
    /// The name of the file with the certificates to trust.
    pub ca_file: &'static str,
    /// A file of certificates that cannot be used.
    pub bad_ca_file: &'static str,
}
