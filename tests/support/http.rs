//! A small HTTP/1.1 server on loopback, plain or TLS, one thread per connection. It sends
//! its handler's answers, including invalid ones: no answer, half a body, noise.

mod wire;

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
pub use wire::{Request, Response, date};
use wire::{Unreadable, read_request};

/// The handler's action on the connection.
#[derive(Clone, Debug)]
pub enum Reply {
    Response(Response),
    /// Another reply, after a delay.
    Delayed(Duration, Box<Reply>),
    /// No answer until the client leaves or the server is dropped.
    Hang,
    /// Closes the connection without an answer.
    Close,
    /// Closes the connection in the middle of the body.
    CutShort(Response),
    /// Sends these bytes, then closes the connection.
    Raw(Vec<u8>),
}

impl Reply {
    /// Adds a header to the response, if one follows.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Response(response) => Self::Response(response.with_header(name, value)),
            Self::CutShort(response) => Self::CutShort(response.with_header(name, value)),
            Self::Delayed(delay, later) => {
                Self::Delayed(delay, Box::new(later.with_header(name, value)))
            }
            silent @ (Self::Hang | Self::Close | Self::Raw(_)) => silent,
        }
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server that runs until it is dropped. Dropping closes every connection and waits for
/// the threads.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    pub fn http(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(listen(), None, handler)
    }

    pub fn https(
        tls: Arc<ServerConfig>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(listen(), Some(tls), handler)
    }

    /// Serves on a given listener, for a handler that must know its own port first.
    pub fn serve(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            tls,
            accepted: AtomicUsize::new(0),
            own: Mutex::default(),
            live: Mutex::default(),
            stopped: Mutex::new(false),
            bell: Condvar::new(),
        });
        Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::clone(&shared),
            acceptor: Some(thread::spawn(move || shared.accept(&listener))),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the number of connections, including those whose TLS handshake failed and
    /// those whose client has left.
    pub fn connections(&self) -> usize {
        // Connections are accepted in the order in which they were made: when this one is
        // closed, those before it are counted.
        let mut own = self.shared.own.lock().unwrap();
        let mut last = TcpStream::connect(self.address).unwrap();
        own.insert(last.local_addr().unwrap());
        drop(own);
        let _ = last.read(&mut [0]);
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        // wakes the acceptor, which then sees that it must stop
        let woken = TcpStream::connect(self.address).is_ok();
        if let (true, Some(acceptor)) = (woken, self.acceptor.take()) {
            // a handler's panic was printed by its own thread
            let _ = acceptor.join();
        }
    }
}

/// Listens on a free port of 127.0.0.1.
pub fn listen() -> TcpListener {
    listen_on(Ipv4Addr::LOCALHOST.into())
}

/// Listens on a free port of this address.
pub fn listen_on(address: IpAddr) -> TcpListener {
    TcpListener::bind((address, 0)).unwrap()
}

struct Shared {
    handler: Box<Handler>,
    tls: Option<Arc<ServerConfig>>,
    accepted: AtomicUsize,
    /// The server's own connections to itself, which are not counted
    own: Mutex<HashSet<SocketAddr>>,
    live: Mutex<HashMap<usize, TcpStream>>,
    stopped: Mutex<bool>,
    bell: Condvar,
}

impl Shared {
    fn accept(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            for stream in listener.incoming() {
                if self.is_stopped() {
                    break;
                }
                let Ok(stream) = stream else { continue };
                if self.is_own(&stream) {
                    continue;
                }
                let number = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
                let Ok(live) = Live::new(self, number, &stream) else {
                    continue;
                };
                scope.spawn(move || {
                    let _live = live;
                    // a client that leaves is not a server error
                    let _ = self.converse(stream, number);
                });
            }
            for stream in self.live.lock().unwrap().values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    fn is_own(&self, stream: &TcpStream) -> bool {
        let mut own = self.own.lock().unwrap();
        // Another connection may get the same port later.
        stream.peer_addr().is_ok_and(|peer| own.remove(&peer))
    }

    fn converse(&self, stream: TcpStream, connection: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return self.exchange(&mut buffered(stream), connection);
        };
        let session = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
        let mut stream = buffered(StreamOwned::new(session, stream));
        self.exchange(&mut stream, connection)?;
        stream.get_mut().conn.send_close_notify();
        stream.get_mut().flush()
    }

    /// Serves one request after the other. An error means that the connection must be
    /// closed at once.
    fn exchange<S: Read + Write>(
        &self,
        stream: &mut BufReader<S>,
        connection: usize,
    ) -> io::Result<()> {
        loop {
            let request = match read_request(stream, connection) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(Unreadable::Gone(error)) => return Err(error),
                Err(Unreadable::Malformed) => return refuse(stream, 400),
                Err(Unreadable::TooLarge) => return refuse(stream, 413),
            };
            let mut reply = (self.handler)(&request);
            while let Reply::Delayed(delay, later) = reply {
                if self.is_stopped_within(delay) {
                    return Ok(());
                }
                reply = *later;
            }
            match reply {
                Reply::Response(response) => {
                    send(stream, &response.to_bytes(&request))?;
                    if !request.keep_alive {
                        return Ok(());
                    }
                }
                Reply::Hang => return io::copy(stream, &mut io::sink()).map(drop),
                Reply::CutShort(response) => {
                    let mut bytes = response.to_bytes(&request);
                    bytes.truncate(bytes.len() - response.body.len().div_ceil(2));
                    send(stream, &bytes)?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Reply::Raw(bytes) => return send(stream, &bytes),
                Reply::Close | Reply::Delayed(..) => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
    }

    fn stop(&self) {
        *self.stopped.lock().unwrap() = true;
        self.bell.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap()
    }

    /// Sleeps until the delay is over or the server stops.
    fn is_stopped_within(&self, delay: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap();
        let (stopped, _) = self
            .bell
            .wait_timeout_while(stopped, delay, |stopped| !*stopped)
            .unwrap();
        *stopped
    }
}

/// A connection's place in the list of those to close. The list has a second handle, so
/// that the socket only closes when it is shut down explicitly.
struct Live<'a> {
    shared: &'a Shared,
    number: usize,
}

impl<'a> Live<'a> {
    fn new(shared: &'a Shared, number: usize, stream: &TcpStream) -> io::Result<Self> {
        let handle = stream.try_clone()?;
        shared.live.lock().unwrap().insert(number, handle);
        Ok(Self { shared, number })
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.shared.live.lock().unwrap().remove(&self.number) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn buffered<S: Read>(stream: S) -> BufReader<S> {
    BufReader::with_capacity(64 * 1024, stream)
}

fn send<S: Read + Write>(stream: &mut BufReader<S>, bytes: &[u8]) -> io::Result<()> {
    stream.get_mut().write_all(bytes)?;
    stream.get_mut().flush()
}

fn refuse<S: Read + Write>(stream: &mut BufReader<S>, status: u16) -> io::Result<()> {
    send(stream, &Response::new(status).to_final_bytes())
}
