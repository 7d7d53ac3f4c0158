//! A connection to a server that does not speak HTTP: TCP, TLS or a socket file. Each
//! wait has a limit, and all waits together have a deadline.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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

/// The address of a server.
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

/// The bytes that a socket may still have after the deadline, which came during a wait for
/// a processor. A peer that never stops would send more.
const LATE: usize = 64 * 1024;

/// The settings of a connection.
pub struct Terms<'a> {
    /// PEM root certificates to trust instead of the system's.
    pub ca_file: Option<&'a Path>,
    /// The environment, which may name the system's root certificates.
    pub environment: &'a Environment<'a>,
    /// The remedies for errors.
    pub peer: &'static Peer,
}

/// The time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each step: the look-up, the connection, the next bytes.
    pub step: Duration,
    /// For all steps.
    pub deadline: Deadline,
}

impl Patience {
    /// Returns the time for the next step; `None` if none is left.
    fn left(&self) -> Option<Duration> {
        let left = self.deadline.remaining().min(self.step);
        (!left.is_zero()).then_some(left)
    }

    fn wait(&self, is_ready: impl FnOnce(Duration) -> io::Result<bool>) -> io::Result<()> {
        // Also done with no time left: data may have come during a wait for a processor.
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

/// A non-blocking socket, with the time limits of its reads and writes.
struct Timed {
    socket: Socket,
    patience: Patience,
    /// The bytes that were read after the deadline.
    late: usize,
}

impl Timed {
    fn new(socket: Socket, patience: Patience) -> Self {
        Self {
            socket,
            patience,
            late: 0,
        }
    }

    fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
        self.late = 0;
    }

    /// Refuses more than [`LATE`] bytes after the deadline.
    fn in_time(&mut self, read: usize) -> io::Result<usize> {
        if self.patience.left().is_none() {
            self.late += read;
            if self.late > LATE {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(read)
    }
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
                read => return read.and_then(|read| self.in_time(read)),
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
    /// Connects to a server.
    ///
    /// # Errors
    /// [`Error::Passing`] if the server does not answer; another one if its certificate
    /// is not trusted or our settings are invalid.
    pub fn connect(place: Place<'_>, terms: &Terms<'_>, patience: Patience) -> Result<Self, Error> {
        let (host, port, is_tls) = match place {
            Place::Local(path) => {
                let socket = connect_local(path).map_err(|error| unreached(&error, terms.peer))?;
                let socket = Socket::Local(socket);
                return Ok(Self(Layers::Plain(Timed::new(socket, patience))));
            }
            Place::Host { host, port, is_tls } => (host, port, is_tls),
        };
        // Precedes the connection, so that an unreadable file is reported as such.
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
        let addresses = looked_up(patience, |end| connect::addresses(bare, port, end))?;
        let stream =
            race::connect(&addresses, left()).map_err(|error| unreached(&error, terms.peer))?;
        // Without this, the last part of a request waits for the ACK of the first.
        let _ = stream.set_nodelay(true);
        let mut timed = Timed::new(Socket::Tcp(stream), patience);
        let Some(config) = config else {
            return Ok(Self(Layers::Plain(timed)));
        };
        let failed = |error: &rustls::Error| untrusted(error, host, &progress, terms.peer);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            Error::Usage(Report::new(
                "the host is not a valid name for a certificate",
            ))
        })?;
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

    /// Replaces the time limits of all further waits.
    pub fn set_patience(&mut self, patience: Patience) {
        match &mut self.0 {
            Layers::Plain(timed) => timed.set_patience(patience),
            Layers::Tls(stream) => stream.sock.set_patience(patience),
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

/// Returns the addresses that a look-up finds within the time of one step.
fn looked_up(
    patience: Patience,
    look_up: impl FnOnce(&Deadline) -> Result<Vec<SocketAddr>, ureq::Error>,
) -> Result<Vec<SocketAddr>, Error> {
    let span = patience.left().unwrap_or_default();
    look_up(&Deadline::after(span)).map_err(|error| {
        let what = match error {
            ureq::Error::Io(error) => failure::plain(&error),
            _ => late(span),
        };
        let what = format!("cannot look up the host name: {what}");
        Error::Passing(Report::new(what).hint(failure::CHECK_DNS))
    })
}

fn untrusted(error: &rustls::Error, host: &Host, progress: &Progress, peer: &Peer) -> Error {
    let is_asked = progress.is_certificate_wanted();
    failure::tls::explain(error, &"TLS", host.as_str(), is_asked, peer)
}

fn unreached(error: &io::Error, peer: &Peer) -> Error {
    Error::Passing(Report::new(said(error)).hint(peer.unreachable))
}

/// Returns the meaning of a connection's I/O error.
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

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_slow_look_up_is_reported_with_the_whole_wait() {
        let step = Duration::from_millis(240);
        let patience = Patience {
            step,
            deadline: Deadline::after(step),
        };
        let start = Instant::now();
        let error = looked_up(patience, |end| {
            thread::sleep(end.remaining());
            Err(ureq::Error::Timeout(ureq::Timeout::Resolve))
        });
        let error = error.expect_err("no address");
        let most = shown_secs(start.elapsed());
        let report = error.report();
        let said = report.headline();
        let shown = said
            .strip_prefix("cannot look up the host name: no answer within ")
            .and_then(|shown| shown.strip_suffix(" s"))
            .expect("a wait");
        let secs = |shown: &str| shown.parse::<f64>().expect("seconds");
        assert!(
            (0.2..=secs(&most)).contains(&secs(shown)),
            "{shown} of {most}"
        );
    }
}
