//! TCP connections that are opened in parallel, without a thread each.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket, OwnedSocket};
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt, wsa_startup};

/// A pending TCP connection. Dropping it cancels it.
#[derive(Debug)]
pub struct Connecting(OwnedSocket);

impl Connecting {
    /// Starts to connect, without waiting.
    ///
    /// # Errors
    /// The operating system's error, if it is known at once: there is no route.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            // If this fails, the next call returns the reason.
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

    /// Returns the connection, whose reads and writes do not block either. Call this
    /// after [`wait_any`] has reported it.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn finish(self) -> io::Result<TcpStream> {
        sockopt::socket_error(&self.0)??;
        Ok(TcpStream::from(self.0))
    }
}

/// Waits until one of the connections is established or has failed. Returns one flag for
/// each connection, in their order; after the timeout, all are false.
///
/// # Errors
/// The operating system's error.
pub fn wait_any(all: &[Connecting], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut waiting: Vec<_> = all
        .iter()
        .map(|one| PollFd::from_borrowed_fd(one.0.as_socket(), PollFlags::OUT))
        .collect();
    wait(&mut waiting, timeout)?;
    Ok(waiting.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Waits until a connection has data or is at its end. Returns false after the timeout.
///
/// # Errors
/// The operating system's error.
pub fn wait_readable(stream: &impl AsSocket, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::IN)], timeout)
}

/// Waits until a connection accepts a write. Returns false after the timeout.
///
/// # Errors
/// The operating system's error.
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

/// A connection to a program on this machine; it never exists here.
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
