//! Proxies that connect every name to this machine, and record the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http::listen_on;

/// A proxy on loopback. Its threads end with the test's process.
pub struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts an HTTP proxy with CONNECT (RFC 9110, section 9.3.6). Records the target,
    /// and the credentials of the request.
    pub fn connect() -> Self {
        Self::connect_at(Ipv4Addr::LOCALHOST)
    }

    /// Starts the same HTTP proxy at this address.
    pub fn connect_at(address: Ipv4Addr) -> Self {
        Self::start(address, |client, asked| {
            let mut head = BufReader::new(client.try_clone().unwrap());
            let mut line = String::new();
            head.read_line(&mut line).unwrap();
            let target = line.split(' ').nth(1).unwrap().to_owned();
            let mut seen = target.clone();
            loop {
                line.clear();
                head.read_line(&mut line).unwrap();
                if let Some(value) = line.strip_prefix("Proxy-Authorization: ") {
                    seen = format!("{seen} {}", value.trim_end());
                }
                if line.trim_end().is_empty() {
                    break;
                }
            }
            asked.lock().unwrap().push(seen);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            target.rsplit(':').next().unwrap().parse().unwrap()
        })
    }

    /// Starts an HTTP proxy that answers CONNECT a byte at a time, and never to the end.
    pub fn dribbling() -> Self {
        Self::start(Ipv4Addr::LOCALHOST, |client, _| {
            client.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
            // Ends when the waiting client has left.
            while client.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
            0
        })
    }

    /// Starts a SOCKS5 proxy without authentication (RFC 1928). Records the target.
    pub fn socks5() -> Self {
        Self::socks5_at(Ipv4Addr::LOCALHOST)
    }

    /// Starts the same SOCKS5 proxy at this address.
    pub fn socks5_at(address: Ipv4Addr) -> Self {
        Self::start(address, |client, asked| {
            let mut greeting = [0; 2];
            client.read_exact(&mut greeting).unwrap();
            let mut methods = vec![0; greeting[1].into()];
            client.read_exact(&mut methods).unwrap();
            client.write_all(&[5, 0]).unwrap();
            let mut request = [0; 4];
            client.read_exact(&mut request).unwrap();
            let host = match request[3] {
                1 => {
                    let mut address = [0; 4];
                    client.read_exact(&mut address).unwrap();
                    Ipv4Addr::from(address).to_string()
                }
                3 => {
                    let mut length = [0];
                    client.read_exact(&mut length).unwrap();
                    let mut name = vec![0; length[0].into()];
                    client.read_exact(&mut name).unwrap();
                    String::from_utf8(name).unwrap()
                }
                other => unreachable!("address type {other}"),
            };
            let mut port = [0; 2];
            client.read_exact(&mut port).unwrap();
            let port = u16::from_be_bytes(port);
            asked.lock().unwrap().push(format!("{host}:{port}"));
            client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).unwrap();
            port
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Starts a proxy. `greet` reads the client's request and answers it; it returns the
    /// port to connect to.
    fn start(address: Ipv4Addr, greet: fn(&mut TcpStream, &Mutex<Vec<String>>) -> u16) -> Self {
        let listener: TcpListener = listen_on(address.into());
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming() {
                let noting = Arc::clone(&noting);
                thread::spawn(move || {
                    let mut client = client.unwrap();
                    let port = greet(&mut client, &noting);
                    if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                        pipe(&client, &server);
                    }
                });
            }
        });
        Self { port, asked }
    }
}

/// Carries bytes both ways until one side ends.
fn pipe(client: &TcpStream, server: &TcpStream) {
    let copy = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        // A client that does not close its connection must not block the test.
        from.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        thread::spawn(move || {
            // A broken connection counts as a closed one.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    };
    copy(client, server);
    copy(server, client);
}
