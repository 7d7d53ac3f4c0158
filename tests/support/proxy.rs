//! Proxies that lead every name to this machine, and note what they were asked.

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
    /// An HTTP proxy that knows CONNECT (RFC 9110, section 9.3.6). Notes the
    /// target, and the credentials it was shown.
    pub fn connect() -> Self {
        Self::connect_at(Ipv4Addr::LOCALHOST)
    }

    /// The same, at this address.
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

    /// An HTTP proxy that answers CONNECT a byte at a time, and never to the end.
    pub fn dribbling() -> Self {
        Self::start(Ipv4Addr::LOCALHOST, |client, _| {
            client.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
            // Until whoever waits for it has gone.
            while client.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
            0
        })
    }

    /// A SOCKS5 proxy without authentication (RFC 1928). Notes the target.
    pub fn socks5() -> Self {
        Self::socks5_at(Ipv4Addr::LOCALHOST)
    }

    /// The same, at this address.
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

    /// What it was asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// `greet` reads what the client wants and answers it; it returns the port
    /// that is then led to.
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
        // Whoever forgot to hang up does not keep the test.
        from.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        thread::spawn(move || {
            // A connection that breaks is one that ends.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    };
    copy(client, server);
    copy(server, client);
}
