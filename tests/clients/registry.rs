//! A real registry for images.
#![expect(
    clippy::panic,
    reason = "a registry that does not start fails its test"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use serde_json::json;

use crate::support::http::{Request, Response};
use crate::support::{Client, Home};

const PATIENCE: Duration = Duration::from_secs(30);

/// A registry on loopback, open to all: the gateway checks the login. It stops when it is
/// dropped.
pub struct Registry {
    child: Child,
    /// The address of the registry.
    pub upstream: Upstream,
}

impl Registry {
    pub fn start(program: &Path, home: &Home) -> Self {
        let config = json!({
            "version": 0.1,
            "log": { "level": "info" },
            "http": { "addr": "127.0.0.1:0", "relativeurls": true, "secret": "none" },
            "storage": { "filesystem": { "rootdirectory": home.path().join("registry") } },
        });
        let config = home.write("registry.yml", config.to_string());
        let mut child = home
            .command(program)
            .arg("serve")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, upstream) = mpsc::channel();
        // The log is read to its end: a full pipe would stop the registry.
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Some(port) = port_in(&line) {
                    let _ = sender.send(Upstream(port));
                }
            }
        });
        let mut registry = Self {
            child,
            upstream: Upstream(0),
        };
        registry.upstream = upstream
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("{} does not listen", program.display()));
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the port in the log's line about it.
fn port_in(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

/// A server at a port on loopback.
#[derive(Clone, Copy)]
pub struct Upstream(u16);

impl Upstream {
    /// Returns its response to a request.
    pub fn answer(self, request: &Request) -> Response {
        let answer = self.forward(request);
        answer.unwrap_or_else(|error| Response::text(502, error.to_string()))
    }

    /// Forwards a request, and returns the response.
    fn forward(self, request: &Request) -> io::Result<Response> {
        const OURS: [&str; 6] = [
            "authorization",
            "connection",
            "content-length",
            "expect",
            "host",
            "transfer-encoding",
        ];
        let headers: Vec<_> = request
            .headers
            .iter()
            .filter(|(name, _)| !OURS.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut upstream = Client::http(self.0);
        upstream.give_up_after(PATIENCE);
        let answer = upstream.request(&request.method, &request.target, &headers, &request.body)?;
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        })
    }
}
