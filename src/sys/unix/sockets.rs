//! TCP connections that are opened in parallel, without a thread each.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
/// A connection to a program on this machine.
pub use std::os::unix::net::UnixStream as LocalStream;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket, sockopt};

use super::streams;
pub use super::streams::{wait_readable, wait_writable};

/// A pending TCP connection. Dropping it cancels it.
#[derive(Debug)]
pub struct Connecting(OwnedFd);

impl Connecting {
    /// Starts to connect, without waiting.
    ///
    /// # Errors
    /// The operating system's error, if it is known at once: there is no route.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let fd = socket(family, SocketType::STREAM, None)?;
        // Set after creation: macOS has no creation flags for these two.
        fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        ioctl_fionbio(&fd, true)?;
        match connect(&fd, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(Self(fd)),
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
        .map(|one| PollFd::from_borrowed_fd(one.0.as_fd(), PollFlags::OUT))
        .collect();
    streams::wait(&mut waiting, timeout)?;
    Ok(waiting.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Connects to the socket file of a program on this machine. Neither this call nor reads
/// and writes block.
///
/// # Errors
/// The operating system's error; [`io::ErrorKind::WouldBlock`] if the program is busy.
pub fn connect_local(path: &Path) -> io::Result<LocalStream> {
    let fd = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&fd, true)?;
    connect(&fd, &SocketAddrUnix::new(path)?)?;
    Ok(LocalStream::from(fd))
}
