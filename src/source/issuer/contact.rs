//! How far the way to the issuer goes, step by step: for a person who wants to
//! know where it ends.

use std::net::SocketAddr;

use super::phase::Phase;
use super::{Issuer, endpoints};
use crate::error::Error;
use crate::text::clock::UnixTime;
use crate::url::Endpoints;

/// The steps of one request, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// What the environment says of proxies is read.
    Proxy,
    /// The name's addresses are looked up.
    Lookup,
    /// One of them is connected to.
    Connect,
    /// The roots are read, and the server's certificate is held against them.
    Tls,
    /// The discovery document comes.
    Discovery,
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub struct Way {
    /// `host:port` of the proxy that was used.
    pub proxy: Option<String>,
    /// The addresses that were connected to: the proxy's, where there is one.
    pub addresses: Vec<SocketAddr>,
    /// The answer's `Date`.
    pub date: Option<UnixTime>,
}

/// What came of an attempt to read the discovery document.
#[derive(Debug)]
pub struct Contact {
    /// What was seen on the way, as far as it went.
    pub way: Way,
    /// The endpoints, or where it failed and how.
    pub outcome: Result<Endpoints, (Stage, Error)>,
}

impl Issuer<'_> {
    /// Reads the discovery document, and tells of the way to it.
    pub fn contact(&self) -> Contact {
        let mut way = Way::default();
        let outcome = self.go(&mut way);
        Contact { way, outcome }
    }

    fn go(&self, way: &mut Way) -> Result<Endpoints, (Stage, Error)> {
        let url = self.url.discovery();
        let proxy = self.http.proxy(&url).map_err(at(Stage::Proxy))?;
        way.proxy = proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()));
        self.http.check(&url).map_err(at(Stage::Tls))?;
        let answer = self.http.get(&url, None);
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
