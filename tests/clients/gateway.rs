//! A server that lets in only who shows a token that the issuer takes, and
//! remembers what it was shown: one of the tests' own, or another program.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::http::{Reply, Request, Response, Server};
use crate::support::{Ca, Client, Issuer, http, until};

/// How a token may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As the password, under any username.
    Basic,
    Bearer,
}

/// What a request showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// A username; whatever the password was.
    Basic(String),
    Bearer,
    Other(String),
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub shown: Shown,
    pub status: u16,
}

/// TLS on `localhost`, which is 127.0.0.1 too, and a handler for those who got
/// in.
pub struct Gateway {
    _server: Option<Server>,
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    log: Option<Log>,
}

/// What another program writes down of each request, in the order of the ends.
struct Log {
    path: PathBuf,
    ca: Arc<Ca>,
    /// How many of its lines were taken.
    taken: Mutex<usize>,
}

impl Gateway {
    /// Takes the schemes that it offers and no other.
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

    /// Lets in whom the guard lets in by what they show and its secret, and
    /// challenges all others.
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
        // The last for those who come by a proxy that leads every name here.
        let tls = ca.server_config(&["localhost", "127.0.0.1", "*.acme.test"]);
        let server = Server::serve(http::listen(), Some(tls), answer);
        Self {
            port: server.port(),
            _server: Some(server),
            seen,
            log: None,
        }
    }

    /// Another program's, at this port, which remembers nothing.
    pub fn elsewhere(port: u16) -> Self {
        Self {
            _server: None,
            port,
            seen: Arc::default(),
            log: None,
        }
    }

    /// Another program's, which writes a line of each request into a file when it ends: its
    /// target, its status and its `Authorization`, `-` if it has none.
    pub fn logged(port: u16, path: PathBuf, ca: &Arc<Ca>) -> Self {
        let (ca, taken) = (Arc::clone(ca), Mutex::default());
        Self {
            log: Some(Log { path, ca, taken }),
            ..Self::elsewhere(port)
        }
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests since this was last asked.
    pub fn take_seen(&self) -> Vec<Seen> {
        match &self.log {
            Some(log) => log.take(self.port),
            None => std::mem::take(&mut self.seen.lock().unwrap()),
        }
    }

    /// What those requests showed, each once, in the order of its first time.
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
    /// What the lines since the last call say.
    fn take(&self, port: u16) -> Vec<Seen> {
        let mut taken = self.taken.lock().unwrap();
        // A request of our own is the last one.
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

/// What a request shows, and the token in it.
pub fn credentials(request: &Request) -> (Shown, String) {
    shown_by(request.header("authorization"))
}

/// What a request's `Authorization` shows, and the token in it.
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
        // skopeo's answer to the challenge where it has no login
        Some(("", "")) => (Shown::Nothing, String::new()),
        Some((username, password)) => (Shown::Basic(username.to_owned()), password.to_owned()),
        None => (Shown::Other(header.to_owned()), String::new()),
    }
}
