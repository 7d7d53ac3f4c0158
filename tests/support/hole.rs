//! An address that neither answers nor refuses.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

/// A listener that accepts no connection and has a full queue: the system drops further
/// packets, as a firewall does.
pub struct Hole {
    _listener: OwnedFd,
    _queued: Vec<TcpStream>,
}

impl Hole {
    pub fn at(address: SocketAddr) -> Self {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let listener = socket(family, SocketType::STREAM, None).unwrap();
        bind(&listener, &address).unwrap();
        listen(&listener, 0).unwrap();
        let next = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let queued: Vec<_> = std::iter::from_fn(next).take(100).collect();
        assert!(queued.len() < 100, "the queue has no end");
        Self {
            _listener: listener,
            _queued: queued,
        }
    }
}
