//! Connects to a server step by step, as ureq's connectors do, and records each step.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::{io, thread};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use super::phase::{Phase, Progress};
use super::socks::Socks;
use super::tcp::Direct;
use super::tls::Tls;
use super::trust::Trust;
use crate::text::clock::Deadline;

/// Returns a resolver that records its look-ups in `progress`.
pub fn resolver(progress: &Progress, deadline: Deadline) -> impl Resolver {
    Lookup {
        progress: progress.clone(),
        deadline,
        own: DefaultResolver::default(),
    }
}

/// Returns a connector: through a proxy if there is one, with TLS for https.
pub fn connector(progress: &Progress, deadline: Deadline, trust: Trust) -> impl Connector {
    let mark = |step| Mark(progress.clone(), step);
    ().chain(mark(Step::Start))
        .chain(Socks(deadline, progress.clone()))
        .chain(ConnectProxyConnector::default())
        .chain(Direct(deadline))
        .chain(mark(Step::Connected))
        .chain(Tls::new(trust, progress.clone()))
        .chain(mark(Step::Ready))
}

#[derive(Debug)]
struct Lookup {
    progress: Progress,
    deadline: Deadline,
    own: DefaultResolver,
}

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let before = self.progress.phase();
        self.progress.enter(Phase::Lookup);
        let authority = uri.authority().ok_or(Error::HostNotFound)?;
        let is_https = uri.scheme_str() == Some("https");
        let port = authority
            .port_u16()
            .unwrap_or(if is_https { 443 } else { 80 });
        let host = authority.host().trim_matches(['[', ']']);
        let mut found = self.own.empty();
        for address in addresses(host, port, &self.deadline)?
            .into_iter()
            .take(MOST)
        {
            found.push(address);
        }
        if found.is_empty() {
            return Err(Error::HostNotFound);
        }
        self.progress.enter(match before {
            // The proxy's name is looked up while connecting to it.
            Phase::Connect(_) => Phase::Connect(found.iter().copied().collect()),
            // A connection that is kept alive skips the connector: the response is
            // next.
            _ => Phase::Answer,
        });
        Ok(found)
    }
}

/// Maximum number of addresses of a name: ureq's own limit.
const MOST: usize = 16;

/// Returns the addresses of a host.
///
/// # Errors
/// The operating system's error; [`Error::Timeout`] at the deadline.
pub fn addresses(host: &str, port: u16, deadline: &Deadline) -> Result<Vec<SocketAddr>, Error> {
    // An IP address needs no look-up and no thread.
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = host.to_owned();
    // The system's resolver has no timeout, so its thread is abandoned at the
    // deadline. ureq's resolver panics if no thread can be started.
    thread::Builder::new().spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs();
        let _ = sender.send(found.map(Vec::from_iter));
    })?;
    match receiver.recv_timeout(deadline.remaining()) {
        Ok(found) => Ok(found?),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::Timeout(Timeout::Resolve)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(io::Error::other("the look-up ended without a result").into())
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    Connected,
    Ready,
}

/// A link of the connector chain that only records that it was reached.
#[derive(Debug)]
struct Mark(Progress, Step);

impl<In: Transport> Connector<In> for Mark {
    type Out = In;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<In>, Error> {
        let Self(progress, step) = self;
        // The connection to an http proxy is within another connection, and uses no proxy
        // itself.
        let has_proxy = details.config.proxy().is_some();
        match step {
            Step::Start => {
                if has_proxy {
                    progress.set_at_proxy(true);
                }
                progress.enter(Phase::Connect(details.addrs.iter().copied().collect()));
            }
            Step::Connected => {
                if has_proxy {
                    progress.set_at_proxy(false);
                }
                if details.needs_tls() {
                    progress.enter(Phase::Handshake);
                }
            }
            Step::Ready if progress.is_at_proxy() => progress.enter(Phase::Proxy),
            Step::Ready => progress.enter(Phase::Answer),
        }
        Ok(chained)
    }
}
