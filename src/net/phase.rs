//! The progress of a request, so that a timeout's error names the step.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The step that a request waits for.
#[derive(Clone, Debug, Default)]
pub enum Phase {
    /// The host name's look-up.
    Lookup,
    /// A connection to one of these addresses.
    Connect(Vec<SocketAddr>),
    /// The proxy's response to CONNECT.
    Proxy,
    /// The TLS handshake.
    Handshake,
    /// The response.
    #[default]
    Answer,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup => f.write_str("looking up the host name"),
            Self::Connect(addresses) => {
                f.write_str("connecting to ")?;
                for (n, address) in addresses.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    write!(f, "{comma}{address}")?;
                }
                Ok(())
            }
            Self::Proxy => f.write_str("waiting for the proxy to connect"),
            Self::Handshake => f.write_str("in the TLS handshake"),
            Self::Answer => f.write_str("waiting for the response"),
        }
    }
}

/// The phase of the current request.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Place>>);

#[derive(Debug, Default)]
struct Place {
    phase: Phase,
    addresses: Vec<SocketAddr>,
    is_at_proxy: bool,
    is_certificate_wanted: bool,
}

impl Progress {
    /// Records the start of a request. On a connection that is kept alive, the
    /// response is the next step.
    pub fn start(&self) {
        let mut place = self.place();
        place.phase = Phase::Answer;
        place.is_at_proxy = false;
        place.is_certificate_wanted = false;
    }

    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        self.place().phase.clone()
    }

    /// Returns the addresses of the last connection.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.place().addresses.clone()
    }

    /// Records the current phase.
    pub fn enter(&self, phase: Phase) {
        let mut place = self.place();
        if let Phase::Connect(addresses) = &phase {
            place.addresses.clone_from(addresses);
        }
        place.phase = phase;
    }

    /// Returns true if a failure now would be the proxy's.
    pub fn is_at_proxy(&self) -> bool {
        self.place().is_at_proxy
    }

    /// Records whether the steps from now on are the proxy's.
    pub fn set_at_proxy(&self, is_at_proxy: bool) {
        self.place().is_at_proxy = is_at_proxy;
    }

    /// Returns true if the server asked for a client certificate.
    pub fn is_certificate_wanted(&self) -> bool {
        self.place().is_certificate_wanted
    }

    /// Records that the server asked for a client certificate.
    pub fn want_certificate(&self) {
        self.place().is_certificate_wanted = true;
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
