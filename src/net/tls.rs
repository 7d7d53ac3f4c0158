//! TLS as ureq's transport. ureq's own accepts no custom verifier.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::{fmt, io};

use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, SignatureScheme, StreamOwned};
use rustls_pki_types::ServerName;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::phase::Progress;
use super::trust::Trust;

/// Wraps a connection in TLS, for https.
#[derive(Debug)]
pub struct Tls {
    trust: Trust,
    progress: Progress,
    config: OnceLock<Arc<ClientConfig>>,
}

/// Sends no client certificate, and records that one was requested: the alert that
/// follows may not say so.
#[derive(Debug)]
struct NoCertificate(Progress);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.want_certificate();
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl Tls {
    /// Returns a connector that trusts these certificates. It reads the system's with the
    /// first connection.
    pub const fn new(trust: Trust, progress: Progress) -> Self {
        Self {
            trust,
            progress,
            config: OnceLock::new(),
        }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = client_config(&self.trust, &self.progress)?;
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

/// Returns the settings of a client that trusts these certificates and has none itself.
///
/// # Errors
/// The system has no certificates.
pub fn client_config(
    trust: &Trust,
    progress: &Progress,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = trust.verifier(&provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(ALL_VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(NoCertificate(progress.clone())));
    Ok(Arc::new(config))
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(connection) = chained else {
            return Ok(None);
        };
        // Within the tunnel of an https proxy, the connection does not have our TLS yet.
        if !details.needs_tls() || connection.is_tls() {
            return Ok(Some(Either::A(connection)));
        }
        let host = details.uri.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| Error::Tls("the host is not a valid name for a certificate"))?;
        let mut session = self
            .config()
            .and_then(|config| ClientConnection::new(config, name))
            .map_err(io::Error::other)?;
        let mut stream = TransportAdapter::new(connection.boxed(), details.current_time.clone());
        stream.set_timeout(details.timeout);
        session.complete_io(&mut stream)?;
        let config = details.config;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(session, stream),
        })))
    }
}

/// A connection with TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

/// Omits the buffers, which contain tokens.
impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TLS")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
