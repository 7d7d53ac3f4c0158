//! A server that lets in only who shows a token that the issuer takes, and
//! remembers what it was shown.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::http::{Reply, Request, Response, Server};
use crate::support::{Ca, Issuer, http};

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
        }
    }

    /// Another program's, at this port, which remembers nothing.
    pub fn elsewhere(port: u16) -> Self {
        Self {
            _server: None,
            port,
            seen: Arc::default(),
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
        std::mem::take(&mut self.seen.lock().unwrap())
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

/// What a request shows, and the token in it.
pub fn credentials(request: &Request) -> (Shown, String) {
    let Some(header) = request.header("authorization") else {
        return (Shown::Nothing, String::new());
    };
    if let Some(token) = request.bearer() {
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
