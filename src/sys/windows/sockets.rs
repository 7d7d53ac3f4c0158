//! TCP connections that are made side by side, without a thread each.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt, wsa_startup};

/// A TCP connection in the making. Dropping it gives it up.
#[derive(Debug)]
pub struct Connecting(OwnedSocket);

impl Connecting {
    /// Starts to connect, and does not wait.
    ///
    /// # Errors
    /// The system's own reason, where it is known at once: there is no route.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            // The next call says why, if it fails.
            let _ = wsa_startup();
        });
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = socket(family, SocketType::STREAM, None)?;
        ioctl_fionbio(&socket, true)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::WOULDBLOCK | Errno::INPROGRESS) => Ok(Self(socket)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Returns the connection, whose reads and writes do not wait either. To be called
    /// after [`wait_any`] named it.
    ///
    /// # Errors
    /// The system's own reason why there is none.
    pub fn finish(self) -> io::Result<TcpStream> {
        sockopt::socket_error(&self.0)??;
        Ok(TcpStream::from(self.0))
    }
}

/// Waits until one of the connections is made or has failed. Returns one flag for
/// each connection, in their order; all are false after this time.
///
/// # Errors
/// The system's own reason.
pub fn wait_any(all: &[Connecting], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut waiting: Vec<_> = all
        .iter()
        .map(|one| PollFd::from_borrowed_fd(one.0.as_socket(), PollFlags::OUT))
        .collect();
    wait(&mut waiting, timeout)?;
    Ok(waiting.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Waits until a connection has something to read, or is at its end. Returns false if
/// it has not within this time.
///
/// # Errors
/// The system's own reason.
pub fn wait_readable(stream: &impl AsSocket, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::IN)], timeout)
}

/// Waits until a connection takes a write. Returns false if it does not within this
/// time.
///
/// # Errors
/// The system's own reason.
pub fn wait_writable(stream: &impl AsSocket, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::OUT)], timeout)
}

fn wait(sockets: &mut [PollFd<'_>], timeout: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(sockets, Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// A connection to a program of this machine: there is none here.
#[derive(Debug)]
pub enum LocalStream {}

impl Read for LocalStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for LocalStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl AsSocket for LocalStream {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        match *self {}
    }
}

/// Fails: std has no socket files on Windows.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`].
pub fn connect_local(_: &Path) -> io::Result<LocalStream> {
    Err(io::ErrorKind::Unsupported.into())
}
