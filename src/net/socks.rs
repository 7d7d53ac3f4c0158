//! Connects through a SOCKS proxy: SOCKS4, `SOCKS4a`, SOCKS5 (RFC 1928) and its user
//! names and passwords (RFC 1929).

use std::io;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};
use ureq::{Error, Proxy, ProxyProtocol};

use super::phase::{Phase, Progress};
use super::tcp::Tcp;
use crate::text::clock::Deadline;
use crate::text::quote::system;

/// A SOCKS proxy's failure.
#[derive(Debug, thiserror::Error)]
pub enum SocksError {
    /// The proxy cannot reach the target for now, or is not a SOCKS proxy.
    #[error("{0}")]
    Passing(String),
    /// The proxy refuses the user name and password, or their absence.
    #[error("{0}")]
    Login(&'static str),
}

impl SocksError {
    fn from_io(error: &io::Error) -> Self {
        // ureq's own errors are wrapped.
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        let is_late = matches!(inner, Some(Error::Timeout(_)));
        Self::Passing(match error.kind() {
            _ if is_late => "no answer in the SOCKS handshake".to_owned(),
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => {
                "it closed the connection in the SOCKS handshake".to_owned()
            }
            _ => format!("{}, in the SOCKS handshake", system(error)),
        })
    }
}

/// Time limit for one address of the target, if there is another.
const PER_ADDRESS: Duration = Duration::from_secs(1);

/// Connects through the proxy, if it is a SOCKS proxy.
#[derive(Debug)]
pub struct Socks(pub Deadline, pub Progress);

impl<In: Transport> Connector<In> for Socks {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Self(deadline, progress) = self;
        let Some(proxy) = details.config.proxy().filter(|proxy| is_socks(proxy)) else {
            return Ok(chained.map(Either::A));
        };
        let target = |address| Target::of(details.uri, address);
        let targets: Vec<_> = match &*details.addrs {
            found if proxy.resolve_target() && !found.is_empty() => {
                found.iter().map(|one| target(Some(*one))).collect()
            }
            _ => vec![target(None)],
        };
        let resolve = |timeout| {
            details
                .resolver
                .resolve(proxy.uri(), details.config, timeout)
        };
        let addresses = resolve(details.timeout)?;
        let open = |target: &Target, deadline: Deadline| {
            progress.enter(Phase::Connect(addresses.to_vec()));
            let tcp = Tcp::connect(&addresses, details, deadline)?;
            progress.enter(Phase::Proxy);
            let mut stream = TransportAdapter::new(tcp, details.current_time.clone());
            stream.set_timeout(NextTimeout {
                after: deadline.remaining().into(),
                ..details.timeout
            });
            greet(&mut stream, proxy, target)
                .map_err(|error| Error::Other(Box::new(error)))
                .map(|()| stream.into_inner())
        };
        // An unreachable address is skipped, a silent one after a short time.
        let (last, others) = targets.split_last().ok_or(Error::HostNotFound)?;
        for target in others {
            let soon = Deadline::after(PER_ADDRESS.min(deadline.remaining()));
            if let Ok(mut tcp) = open(target, soon) {
                tcp.set_deadline(*deadline);
                return Ok(Some(Either::B(tcp)));
            }
        }
        open(last, *deadline).map(Either::B).map(Some)
    }
}

fn is_socks(proxy: &Proxy) -> bool {
    !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

/// The address that the proxy connects to.
enum Target {
    Address(SocketAddr),
    Name(String, u16),
}

impl Target {
    fn of(uri: &Uri, address: Option<SocketAddr>) -> Self {
        let is_https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        match address.or_else(|| Some(SocketAddr::new(host.parse().ok()?, port))) {
            Some(address) => Self::Address(address),
            None => Self::Name(host.to_owned(), port),
        }
    }

    fn port(&self) -> [u8; 2] {
        match self {
            Self::Address(address) => address.port(),
            Self::Name(_, port) => *port,
        }
        .to_be_bytes()
    }
}

fn greet(
    stream: &mut (impl Read + Write),
    proxy: &Proxy,
    target: &Target,
) -> Result<(), SocksError> {
    match proxy.protocol() {
        ProxyProtocol::Socks4 | ProxyProtocol::Socks4A => socks4(stream, target),
        _ => {
            let login = proxy.username().map(|user| (user, proxy.password()));
            socks5(stream, login, target)
        }
    }
}

fn passing(what: impl Into<String>) -> SocksError {
    SocksError::Passing(what.into())
}

fn send(stream: &mut impl Write, bytes: &[u8]) -> Result<(), SocksError> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    sent.map_err(|error| SocksError::from_io(&error))
}

fn receive<const N: usize>(stream: &mut impl Read) -> Result<[u8; N], SocksError> {
    let mut bytes = [0; N];
    stream
        .read_exact(&mut bytes)
        .map_err(|error| SocksError::from_io(&error))?;
    Ok(bytes)
}

/// Sends a request with an empty user ID.
fn socks4(stream: &mut (impl Read + Write), target: &Target) -> Result<(), SocksError> {
    let mut request = vec![4, 1];
    request.extend(target.port());
    match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.extend(address.ip().octets());
            request.push(0);
        }
        Target::Address(SocketAddr::V6(_)) => {
            return Err(passing("SOCKS4 knows no IPv6 address"));
        }
        // SOCKS4a: the proxy resolves the name.
        Target::Name(name, _) => {
            request.extend([0, 0, 0, 1, 0]);
            request.extend(name.bytes());
            request.push(0);
        }
    }
    send(stream, &request)?;
    // A version and a status; the rest is unused for CONNECT.
    match receive::<8>(stream)? {
        [0, 90, ..] => Ok(()),
        [0, 92 | 93, ..] => Err(SocksError::Login("it requires an identd on this machine")),
        [0, 91, ..] => Err(passing("it could not connect")),
        _ => Err(passing("its answer is not SOCKS4")),
    }
}

fn socks5(
    stream: &mut (impl Read + Write),
    login: Option<(&str, Option<&str>)>,
    target: &Target,
) -> Result<(), SocksError> {
    const NOT_SOCKS: &str = "its answer is not SOCKS5";
    // The method without authentication is always offered.
    send(
        stream,
        if login.is_some() {
            &[5, 2, 2, 0]
        } else {
            &[5, 1, 0]
        },
    )?;
    match (receive(stream)?, login) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            log_in(stream, user, password.unwrap_or_default())?;
        }
        ([5, 0xff], None) => return Err(SocksError::Login("it requires a user name and password")),
        ([5, _], _) => return Err(SocksError::Login("it requires another kind of login")),
        _ => return Err(passing(NOT_SOCKS)),
    }
    let mut request = vec![5, 1, 0];
    match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.push(1);
            request.extend(address.ip().octets());
        }
        Target::Address(SocketAddr::V6(address)) => {
            request.push(4);
            request.extend(address.ip().octets());
        }
        Target::Name(name, _) => {
            request.push(3);
            request.push(u8::try_from(name.len()).map_err(|_| passing("the name is too long"))?);
            request.extend(name.bytes());
        }
    }
    request.extend(target.port());
    send(stream, &request)?;
    let [version, status, reserved, kind] = receive(stream)?;
    if (version, reserved) != (5, 0) {
        return Err(passing(NOT_SOCKS));
    }
    if status != 0 {
        return Err(passing(refusal(status)));
    }
    // The address that the proxy uses is not needed.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => receive::<1>(stream)?[0].into(),
        _ => return Err(passing(NOT_SOCKS)),
    };
    for _ in 0..length + 2 {
        receive::<1>(stream)?;
    }
    Ok(())
}

const fn refusal(status: u8) -> &'static str {
    match status {
        2 => "it does not allow this connection",
        3 => "it has no network to the target",
        4 => "it cannot reach the target",
        5 => "the target refused its connection",
        6 => "its connection to the target took too long",
        7 | 8 => "it does not support this kind of connection",
        _ => "it could not connect",
    }
}

fn log_in(stream: &mut (impl Read + Write), user: &str, password: &str) -> Result<(), SocksError> {
    let mut request = vec![1];
    for text in [user, password] {
        let length = u8::try_from(text.len()).ok().filter(|length| *length > 0);
        let length = length.ok_or(SocksError::Login(
            "a user name and a password of 1 to 255 bytes are needed",
        ))?;
        request.push(length);
        request.extend(text.bytes());
    }
    send(stream, &request)?;
    match receive(stream)? {
        [_, 0] => Ok(()),
        [_, _] => Err(SocksError::Login("it refuses the user name or password")),
    }
}
