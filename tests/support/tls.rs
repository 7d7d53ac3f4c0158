//! A certificate authority for one test.

use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use time::{Duration, OffsetDateTime};

pub struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub fn new() -> Self {
        let mut params = valid_now("a test's own certificate authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Creates an authority that may sign only for names below this domain.
    pub fn constrained(domain: &str) -> Self {
        let mut params = valid_now("a test's own constrained authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
            excluded_subtrees: Vec::new(),
        });
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Creates an intermediate authority, whose servers do not send its certificate.
    pub fn intermediate(&self) -> Self {
        let mut params = valid_now("a test's own intermediate authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    /// Creates a self-signed server certificate, with this change to it.
    pub fn self_signed_server(names: &[&str], change: fn(&mut CertificateParams)) -> Self {
        let mut params = valid_now(names[0], names);
        change(&mut params);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Creates a server certificate that this authority signs, with this change to it.
    pub fn server(&self, names: &[&str], change: fn(&mut CertificateParams)) -> Self {
        let mut params = valid_now(names[0], names);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    /// Returns a server with this authority's own certificate.
    pub fn own_server_config(&self) -> Arc<ServerConfig> {
        serving(self.0.der(), self.0.key())
    }

    /// Returns the private key, for another program's server.
    pub fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// Returns the certificate in PEM, for `--ca-file` and similar options of other
    /// tools.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns the certificate in DER.
    pub fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// Returns a server with a new certificate for these DNS names and IP addresses.
    pub fn server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.serving(valid_now(names[0], names))
    }

    /// Returns a server with a certificate that expired an hour ago.
    pub fn expired_server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut params = valid_now(names[0], names);
        params.not_after = OffsetDateTime::from(SystemTime::now()) - Duration::HOUR;
        self.serving(params)
    }

    /// Returns a server with a certificate that is valid from tomorrow.
    pub fn early_server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut params = valid_now(names[0], names);
        params.not_before = OffsetDateTime::from(SystemTime::now()) + Duration::DAY;
        self.serving(params)
    }

    /// Returns a server with a certificate that could sign others.
    pub fn authority_server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut params = valid_now(names[0], names);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.serving(params)
    }

    /// Returns a server with a certificate without a subjectAltName.
    pub fn nameless_server_config(&self, common_name: &str) -> Arc<ServerConfig> {
        self.serving(valid_now(common_name, &[]))
    }

    /// Returns a server that requires a client certificate, in this version of TLS.
    pub fn client_verifying_server_config(
        &self,
        names: &[&str],
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let key = KeyPair::generate().unwrap();
        let certificate = valid_now(names[0], names).signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        Arc::new(config)
    }

    fn serving(&self, mut params: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0).unwrap();
        serving(certificate.der(), &key)
    }

    /// As [`Ca::client_config`], with this client certificate.
    pub fn client_config_of(&self, client: &Self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let key = PrivatePkcs8KeyDer::from(client.0.key().serialize_der());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![client.0.der().clone()], key.into())
            .unwrap();
        Arc::new(config)
    }

    /// Returns a client that trusts only this authority.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

/// Returns the parameters of a certificate that is valid from yesterday, for a month:
/// macOS refuses a server certificate that is valid for more than 825 days.
fn valid_now(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let now = OffsetDateTime::from(SystemTime::now());
    params.not_before = now - Duration::DAY;
    params.not_after = now + 30 * Duration::DAY;
    params
}

fn serving(certificate: &CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    Arc::new(config)
}
