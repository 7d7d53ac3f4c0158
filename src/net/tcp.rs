//! A TCP connection as ureq's transport: the deadline bounds every wait.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use std::{fmt, io};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use super::race;
use crate::sys::sockets::{wait_readable, wait_writable};
use crate::text::clock::Deadline;

/// Connects directly, unless there is already a proxy's connection.
#[derive(Debug)]
pub struct Direct(pub Deadline);

impl<In: Transport> Connector<In> for Direct {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(Some(match chained {
            Some(connection) => Either::A(connection),
            None => Either::B(Tcp::connect(&details.addrs, details, self.0)?),
        }))
    }
}

/// A TCP connection. ureq restarts its timeout at each read while a proxy answers
/// CONNECT: without a deadline, a proxy that sends single bytes could block for ever. The
/// socket is non-blocking, because the system rounds a socket's timeouts up.
pub struct Tcp {
    stream: TcpStream,
    buffers: LazyBuffers,
    deadline: Deadline,
}

/// Omits the buffers, which contain tokens.
impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.fmt(f)
    }
}

impl Tcp {
    /// Connects to the first of these addresses that answers.
    pub fn connect(
        addresses: &[SocketAddr],
        details: &ConnectionDetails<'_>,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let timeout = within(&deadline, details.timeout)?;
        let stream =
            race::connect(addresses, timeout).map_err(|error| timed_out(error, details.timeout))?;
        stream.set_nodelay(true)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Self {
            stream,
            buffers,
            deadline,
        })
    }

    /// Replaces the deadline of all further waits.
    pub const fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if is_for_later(&error) => {
                    wait_writable(&self.stream, within(&self.deadline, timeout)?)?;
                }
                // The peer may have sent its reason before it closed, such as a TLS
                // alert: the next read returns that, or the failure.
                Err(error) if is_closed(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        loop {
            let left = within(&self.deadline, timeout)?;
            if !wait_readable(&self.stream, left)? {
                return Err(Error::Timeout(timeout.reason));
            }
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(read) => {
                    self.buffers.input_appended(read);
                    return Ok(read > 0);
                }
                Err(error) if is_for_later(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // No data may be left to read: a server sends only responses.
        let peeked = self.stream.peek(&mut [0]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Returns the time left for one wait.
fn within(deadline: &Deadline, timeout: NextTimeout) -> Result<Duration, Error> {
    let left = deadline.remaining();
    let left = timeout.not_zero().map_or(left, |after| left.min(*after));
    if left.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok(left)
}

fn is_for_later(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), WouldBlock | Interrupted)
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionReset)
}

fn timed_out(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
