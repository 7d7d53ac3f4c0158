//! Messages to the service manager, by `sd_notify(3)`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::text::quote;

/// Time limit for a manager that does not read.
const PATIENCE: Duration = Duration::from_secs(1);

/// The socket of the service manager (`NOTIFY_SOCKET`).
pub struct Manager(SocketAddr);

impl Manager {
    /// Parses the variable: a path, or `@` and an abstract name. `None` if it is
    /// neither.
    pub fn at(socket: &OsStr) -> Option<Self> {
        let address = match socket.as_bytes() {
            [b'@', name @ ..] => abstract_address(name),
            [b'/', ..] => SocketAddr::from_pathname(socket),
            _ => Err(io::ErrorKind::Unsupported.into()),
        };
        address
            .inspect_err(|error| log::warn!("NOTIFY_SOCKET {}: {error}", quote::path(socket)))
            .ok()
            .map(Self)
    }

    /// Sends assignments, one per line. Returns true if they arrived.
    pub fn tell(&self, state: &str) -> bool {
        let sent = self.send(state);
        if let Err(error) = &sent {
            log::warn!("NOTIFY_SOCKET: {}", quote::system(error));
        }
        sent.is_ok()
    }

    fn send(&self, state: &str) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.send_to_addr(state.as_bytes(), &self.0).map(drop)
    }
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_abstract_names_are_reached_and_others_ignored() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("notify");
        let at_path = UnixDatagram::bind(&path).expect("a socket");
        let name = format!("zitadel-credential-{}", std::process::id());
        let address = abstract_address(name.as_bytes()).expect("an address");
        let by_name = UnixDatagram::bind_addr(&address).expect("a socket");
        let variable = format!("@{name}");
        for (variable, socket) in [
            (path.as_os_str(), at_path),
            (OsStr::new(&variable), by_name),
        ] {
            Manager::at(variable).expect("a manager").tell("READY=1");
            let mut message = [0; 32];
            let length = socket.recv(&mut message).expect("a message");
            assert_eq!(&message[..length], b"READY=1");
        }
        for other in ["", "notify", "vsock:2:1234"] {
            assert!(Manager::at(OsStr::new(other)).is_none(), "{other}");
        }
    }
}
