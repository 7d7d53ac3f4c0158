//! A server that accepts only requests with a token that the issuer accepts, and records
//! the credentials: the tests' own, or another program.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::http::{Reply, Request, Response, Server};
use crate::support::{Ca, Client, Issuer, http, until};

/// The ways to send a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The token as the password, under any username.
    Basic,
    Bearer,
}

/// The credentials of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// The username, with any password.
    Basic(String),
    Bearer,
    Other(String),
}

/// A received request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub shown: Shown,
    pub status: u16,
}

/// TLS on `localhost`, which is also 127.0.0.1, and a handler for accepted requests.
pub struct Gateway {
    _server: Option<Server>,
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    log: Option<Log>,
}

/// Another program's log of requests, in the order of their completion.
struct Log {
    path: PathBuf,
    ca: Arc<Ca>,
    /// Number of the lines read.
    taken: Mutex<usize>,
}

impl Gateway {
    /// Starts a gateway that offers these schemes and accepts no other.
    pub fn start(
        ca: &Ca,
        issuer: &Issuer,
        offers: &'static [Scheme],
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let issuer = issuer.clone();
        let lets_in = move |shown: &Shown, token: &str| {
            let scheme = match shown {
                Shown::Basic(_) => Some(Scheme::Basic),
                Shown::Bearer => Some(Scheme::Bearer),
                Shown::Nothing | Shown::Other(_) => None,
            };
            scheme.is_some_and(|scheme| offers.contains(&scheme)) && issuer.accepts(token)
        };
        let challenges: Vec<_> = offers
            .iter()
            .map(|scheme| format!("{scheme:?} realm=\"gateway\""))
            .collect();
        Self::guarded(ca, &challenges, lets_in, handler)
    }

    /// Starts a gateway that accepts a request if the guard accepts its credentials and
    /// its secret, and challenges all others.
    pub fn guarded(
        ca: &Ca,
        challenges: &[String],
        lets_in: impl Fn(&Shown, &str) -> bool + Send + Sync + 'static,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        let refusal = challenges.iter().fold(
            Response::text(401, "no token that the issuer takes\n"),
            |refusal, challenge| refusal.with_header("WWW-Authenticate", challenge),
        );
        let answer = move |request: &Request| {
            let (shown, token) = credentials(request);
            let response = if lets_in(&shown, &token) {
                handler(request)
            } else {
                refusal.clone()
            };
            let status = response.status;
            remembered.lock().unwrap().push(Seen { shown, status });
            Reply::from(response)
        };
        // The last name is for requests through a proxy that directs every name here.
        let tls = ca.server_config(&["localhost", "127.0.0.1", "*.acme.test"]);
        let server = Server::serve(http::listen(), Some(tls), answer);
        Self {
            port: server.port(),
            _server: Some(server),
            seen,
            log: None,
        }
    }

    /// Returns the gateway of another program at this port, without a log.
    pub fn elsewhere(port: u16) -> Self {
        Self {
            _server: None,
            port,
            seen: Arc::default(),
            log: None,
        }
    }

    /// Returns the gateway of another program, which writes a line to a file when a
    /// request ends: its target, its status and its `Authorization`, `-` if it has none.
    pub fn logged(port: u16, path: PathBuf, ca: &Arc<Ca>) -> Self {
        let (ca, taken) = (Arc::clone(ca), Mutex::default());
        Self {
            log: Some(Log { path, ca, taken }),
            ..Self::elsewhere(port)
        }
    }

    /// Returns `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the requests since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        match &self.log {
            Some(log) => log.take(self.port),
            None => std::mem::take(&mut self.seen.lock().unwrap()),
        }
    }

    /// Returns the credentials of those requests, without repetitions, in their order.
    pub fn take_shown(&self) -> Vec<Shown> {
        let mut shown = Vec::new();
        for seen in self.take_seen() {
            if !shown.contains(&seen.shown) {
                shown.push(seen.shown);
            }
        }
        shown
    }
}

impl Log {
    /// Returns the requests of the log lines since the last call.
    fn take(&self, port: u16) -> Vec<Seen> {
        let mut taken = self.taken.lock().unwrap();
        // Our own request is the last one.
        let last = format!("/taken-{taken}");
        let mut client = Client::https(port, &self.ca.client_config());
        client.get(&last, &[]).unwrap();
        let read = || fs::read_to_string(&self.path).unwrap_or_default();
        let is_last = |line: &str| line.starts_with(&format!("{last} "));
        until("the last request is logged", || read().lines().any(is_last));
        let text = read();
        let lines: Vec<_> = text.lines().skip(*taken).collect();
        *taken += lines.len();
        let seen = lines.iter().filter(|line| !is_last(line)).map(|line| {
            let mut words = line.splitn(3, ' ').skip(1);
            let status = words.next().unwrap().parse().unwrap();
            let header = words.next().filter(|header| *header != "-");
            let (shown, _) = shown_by(header);
            Seen { shown, status }
        });
        seen.collect()
    }
}

/// Returns the credentials of a request, and the token in them.
pub fn credentials(request: &Request) -> (Shown, String) {
    shown_by(request.header("authorization"))
}

/// Returns the credentials of an `Authorization` header, and the token in them.
fn shown_by(header: Option<&str>) -> (Shown, String) {
    let Some(header) = header else {
        return (Shown::Nothing, String::new());
    };
    if let Some((scheme, token)) = header.split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return (Shown::Bearer, token.to_owned());
    }
    let basic = header
        .strip_prefix("Basic ")
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        // skopeo's response to the challenge without a login
        Some(("", "")) => (Shown::Nothing, String::new()),
        Some((username, password)) => (Shown::Basic(username.to_owned()), password.to_owned()),
        None => (Shown::Other(header.to_owned()), String::new()),
    }
}
