//! Tests the connection to the issuer step by step, for `doctor`.

use std::net::SocketAddr;

use super::answer::repeated;
use super::verdict::Question;
use super::{Issuer, endpoints};
use crate::error::Error;
use crate::net::Phase;
use crate::text::clock::UnixTime;
use crate::url::Endpoints;

/// The steps of one request, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Read the proxy variables.
    Proxy,
    /// Look up the host name.
    Lookup,
    /// Connect to one of its addresses.
    Connect,
    /// Read the root certificates, and verify the server's certificate.
    Tls,
    /// Read the discovery document.
    Discovery,
}

/// The facts found on the way to the issuer.
#[derive(Debug, Default)]
pub struct Way {
    /// `host:port` of the proxy in use.
    pub proxy: Option<String>,
    /// The addresses in use: the proxy's, if there is one.
    pub addresses: Vec<SocketAddr>,
    /// The response's `Date` header.
    pub date: Option<UnixTime>,
}

/// The result of an attempt to read the discovery document.
#[derive(Debug)]
pub struct Contact {
    /// The facts seen, up to the failed step.
    pub way: Way,
    /// The endpoints, or the failed step and its error.
    pub outcome: Result<Endpoints, (Stage, Error)>,
}

impl Issuer<'_> {
    /// Reads the discovery document, and returns the result of each step.
    pub fn contact(&self) -> Contact {
        let mut way = Way::default();
        let outcome = self.go(&mut way);
        Contact { way, outcome }
    }

    fn go(&self, way: &mut Way) -> Result<Endpoints, (Stage, Error)> {
        let url = self.url.discovery();
        let proxy = self.http.proxy(&url).map_err(at(Stage::Proxy))?;
        way.proxy = proxy.map(|via| via.address());
        self.http.check(&url).map_err(at(Stage::Tls))?;
        let answer = self.http.get(&url, None, &repeated(Question::Discovery));
        way.addresses = self.http.progress().addresses();
        let answer = answer.map_err(|error| {
            let stage = match self.http.progress().phase() {
                Phase::Lookup => Stage::Lookup,
                Phase::Connect(_) | Phase::Proxy => Stage::Connect,
                Phase::Handshake => Stage::Tls,
                Phase::Answer => Stage::Discovery,
            };
            (stage, error)
        })?;
        way.date = answer.date;
        endpoints(self.url, &answer).map_err(at(Stage::Discovery))
    }
}

fn at(stage: Stage) -> impl Fn(Error) -> (Stage, Error) {
    move |error| (stage, error)
}
