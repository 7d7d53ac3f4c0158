//! How far a request got: whoever waited in vain is told for what.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    SocksConnector, TcpConnector, Transport,
};

/// What a request waits for.
#[derive(Clone, Debug, Default)]
pub enum Phase {
    /// The name's addresses.
    Lookup,
    /// A connection to one of these.
    Connect(Vec<SocketAddr>),
    /// The TLS handshake.
    Handshake,
    /// The answer.
    #[default]
    Answer,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup => f.write_str("looking up its address"),
            Self::Connect(addresses) => {
                f.write_str("connecting to ")?;
                for (n, address) in addresses.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    write!(f, "{comma}{address}")?;
                }
                Ok(())
            }
            Self::Handshake => f.write_str("in the TLS handshake"),
            Self::Answer => f.write_str("waiting for the answer"),
        }
    }
}

/// The phase of the request that is under way.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Phase>>);

impl Progress {
    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes where it stands.
    pub fn enter(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// ureq's own resolver, watched.
    pub fn resolver(&self) -> impl Resolver {
        Watched(self.clone(), DefaultResolver::default())
    }

    /// ureq's own chain of connectors, watched.
    pub fn connector(&self) -> impl Connector {
        let mark = |step| Mark(self.clone(), step);
        ().chain(mark(Step::Start))
            .chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(mark(Step::Connected))
            .chain(RustlsConnector::default())
            .chain(mark(Step::Ready))
    }
}

#[derive(Debug)]
struct Watched(Progress, DefaultResolver);

impl Resolver for Watched {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.0.enter(Phase::Lookup);
        let addresses = match self.literal(uri) {
            Some(addresses) => Ok(addresses),
            None => self.1.resolve(uri, config, timeout),
        }?;
        // A connection that is kept alive needs no connector: what follows then
        // is the answer.
        self.0.enter(Phase::Answer);
        Ok(addresses)
    }
}

impl Watched {
    /// An address written out needs no resolver, and no thread for one.
    fn literal(&self, uri: &Uri) -> Option<ResolvedSocketAddrs> {
        let authority = uri.authority()?;
        let default = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let host = authority.host().trim_matches(['[', ']']);
        let ip: IpAddr = host.parse().ok()?;
        let mut addresses = self.1.empty();
        addresses.push(SocketAddr::new(ip, authority.port_u16().unwrap_or(default)));
        Some(addresses)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    Connected,
    Ready,
}

/// A link of the chain that changes nothing and notes that it was reached.
#[derive(Debug)]
struct Mark(Progress, Step);

impl<In: Transport> Connector<In> for Mark {
    type Out = In;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<In>, Error> {
        self.0.enter(match self.1 {
            Step::Start => Phase::Connect(details.addrs.iter().copied().collect()),
            Step::Connected if details.needs_tls() => Phase::Handshake,
            Step::Connected | Step::Ready => Phase::Answer,
        });
        Ok(chained)
    }
}
