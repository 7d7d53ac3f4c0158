//! A connection to a server that does not speak HTTP: TCP, TLS or a socket file. Each
//! wait has a limit, and all of them together have a deadline.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use std::{fmt, io};

use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use super::peer::Peer;
use super::phase::Progress;
use super::{connect, failure, race, roots, tls};
use crate::error::{Error, Report};
use crate::sys::Environment;
use crate::sys::sockets::{LocalStream, connect_local, wait_readable, wait_writable};
use crate::text::clock::{Deadline, shown_secs};
use crate::url::Host;

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A host and its port.
    Host {
        /// The host.
        host: &'a Host,
        /// The port.
        port: u16,
        /// True for TLS.
        is_tls: bool,
    },
    /// A socket file.
    Local(&'a Path),
}

/// What a connection is made with.
pub struct Terms<'a> {
    /// PEM root certificates to trust instead of the system's.
    pub ca_file: Option<&'a Path>,
    /// The environment, which may name the system's root certificates.
    pub environment: &'a Environment,
    /// The remedies that errors name.
    pub peer: &'static Peer,
}

/// How long a connection waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each step: the look-up, the connection, the next bytes.
    pub step: Duration,
    /// For all steps.
    pub deadline: Deadline,
}

impl Patience {
    /// Returns the time for the next step; `None` if there is none left.
    fn left(&self) -> Option<Duration> {
        let left = self.deadline.remaining().min(self.step);
        (!left.is_zero()).then_some(left)
    }

    fn wait(&self, is_ready: impl FnOnce(Duration) -> io::Result<bool>) -> io::Result<()> {
        // Without time left too: what came while this process waited for a processor counts.
        if is_ready(self.left().unwrap_or_default())? {
            return Ok(());
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

enum Socket {
    Tcp(TcpStream),
    Local(LocalStream),
}

/// A socket that does not block, with the patience of its reads and writes.
struct Timed {
    socket: Socket,
    patience: Patience,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.socket {
                Socket::Tcp(stream) => stream.read(buffer),
                Socket::Local(stream) => stream.read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.patience.wait(|left| match &self.socket {
                        Socket::Tcp(stream) => wait_readable(stream, left),
                        Socket::Local(stream) => wait_readable(stream, left),
                    })?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = match &mut self.socket {
                Socket::Tcp(stream) => stream.write(bytes),
                Socket::Local(stream) => stream.write(bytes),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.patience.wait(|left| match &self.socket {
                        Socket::Tcp(stream) => wait_writable(stream, left),
                        Socket::Local(stream) => wait_writable(stream, left),
                    })?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection.
pub struct Wire(Layers);

enum Layers {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire(…)")
    }
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Passing`] if the server does not answer; another one if its certificate
    /// is not trusted or our settings are invalid.
    pub fn connect(place: Place<'_>, terms: &Terms<'_>, patience: Patience) -> Result<Self, Error> {
        let (host, port, is_tls) = match place {
            Place::Local(path) => {
                let socket = connect_local(path).map_err(|error| unreached(&error, terms.peer))?;
                let socket = Socket::Local(socket);
                return Ok(Self(Layers::Plain(Timed { socket, patience })));
            }
            Place::Host { host, port, is_tls } => (host, port, is_tls),
        };
        // Before the connection: a file that cannot be read is told as such.
        let progress = Progress::default();
        let config = is_tls.then(|| {
            let trust = roots::trust(
                terms.ca_file,
                terms.environment,
                terms.peer,
                &patience.deadline,
            )?;
            let config = tls::client_config(&trust, &progress);
            config.map_err(|error| untrusted(&error, host, &progress, terms.peer))
        });
        let config = config.transpose()?;
        let bare = host.as_str().trim_matches(['[', ']']);
        let left = || patience.left().unwrap_or_default();
        let addresses = connect::addresses(bare, port, &Deadline::after(left()));
        let addresses = addresses.map_err(|error| {
            let what = match error {
                ureq::Error::Io(error) => failure::plain(&error),
                _ => late(left()),
            };
            let what = format!("cannot look up the host name: {what}");
            Error::Passing(Report::new(what).hint(failure::CHECK_DNS))
        })?;
        let stream =
            race::connect(&addresses, left()).map_err(|error| unreached(&error, terms.peer))?;
        // Without it, the last part of a request waits for an answer to the first.
        let _ = stream.set_nodelay(true);
        let mut timed = Timed {
            socket: Socket::Tcp(stream),
            patience,
        };
        let Some(config) = config else {
            return Ok(Self(Layers::Plain(timed)));
        };
        let failed = |error: &rustls::Error| untrusted(error, host, &progress, terms.peer);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::Usage(Report::new("the host is no name of a certificate")))?;
        let mut session = ClientConnection::new(config, name).map_err(|error| failed(&error))?;
        session
            .complete_io(&mut timed)
            .map_err(|error| match failure::tls_within(&error) {
                Some(error) => failed(error),
                None => unreached(&error, terms.peer),
            })?;
        Ok(Self(Layers::Tls(Box::new(StreamOwned::new(
            session, timed,
        )))))
    }

    /// Replaces the patience of all further waits.
    pub const fn set_patience(&mut self, patience: Patience) {
        match &mut self.0 {
            Layers::Plain(timed) => timed.patience = patience,
            Layers::Tls(stream) => stream.sock.patience = patience,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Layers::Plain(timed) => timed.read(buffer),
            Layers::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Layers::Plain(timed) => timed.write(bytes),
            Layers::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Layers::Plain(_) => Ok(()),
            Layers::Tls(stream) => stream.flush(),
        }
    }
}

fn untrusted(error: &rustls::Error, host: &Host, progress: &Progress, peer: &Peer) -> Error {
    let is_asked = progress.is_certificate_wanted();
    failure::tls::explain(error, &"TLS", host.as_str(), is_asked, peer)
}

fn unreached(error: &io::Error, peer: &Peer) -> Error {
    Error::Passing(Report::new(said(error)).hint(peer.unreachable))
}

/// Returns what an I/O error of a connection means.
pub fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::WouldBlock => "the server is busy".to_owned(),
        _ => failure::plain(error),
    }
}

fn late(waited: Duration) -> String {
    format!("no answer within {} s", shown_secs(waited))
}
