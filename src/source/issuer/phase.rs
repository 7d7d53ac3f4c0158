//! How far a request got: whoever waited in vain is told for what.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a request waits for.
#[derive(Clone, Debug, Default)]
pub enum Phase {
    /// The name's addresses.
    Lookup,
    /// A connection to one of these.
    Connect(Vec<SocketAddr>),
    /// A proxy's word that it has connected us.
    Proxy,
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
            Self::Proxy => f.write_str("waiting for the proxy to connect us"),
            Self::Handshake => f.write_str("in the TLS handshake"),
            Self::Answer => f.write_str("waiting for the answer"),
        }
    }
}

/// The phase of the request that is under way.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Place>>);

#[derive(Debug, Default)]
struct Place {
    phase: Phase,
    addresses: Vec<SocketAddr>,
    to_proxy: bool,
}

impl Progress {
    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.place().phase.clone()
    }

    /// The addresses that were connected to last.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.place().addresses.clone()
    }

    /// Notes where it stands.
    pub fn enter(&self, phase: Phase) {
        let mut place = self.place();
        if let Phase::Connect(addresses) = &phase {
            place.addresses.clone_from(addresses);
        }
        place.phase = phase;
    }

    /// Notes that a connection is begun. One that is begun while another is
    /// leads to the proxy of that one.
    pub fn begin(&self, addresses: Vec<SocketAddr>) {
        let is_within = matches!(self.place().phase, Phase::Connect(_));
        self.place().to_proxy = is_within;
        self.enter(Phase::Connect(addresses));
    }

    /// Notes that a connection is ready to be spoken on.
    pub fn ready(&self) {
        let to_proxy = std::mem::take(&mut self.place().to_proxy);
        self.enter(if to_proxy {
            Phase::Proxy
        } else {
            Phase::Answer
        });
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
