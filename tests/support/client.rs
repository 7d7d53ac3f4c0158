//! A raw HTTP/1.1 client: sends the given bytes, and shows the response.

use std::io;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

/// One connection, for requests one after the other.
pub struct Client {
    stream: BufReader<Box<dyn Stream>>,
    socket: TcpStream,
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn http(port: u16) -> Self {
        let socket = connect(port);
        let stream = Box::new(socket.try_clone().unwrap());
        Self::over(stream, socket)
    }

    /// The handshake happens with the first request.
    pub fn https(port: u16, config: &Arc<ClientConfig>) -> Self {
        let socket = connect(port);
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(config), name).unwrap();
        let stream = StreamOwned::new(session, socket.try_clone().unwrap());
        Self::over(Box::new(stream), socket)
    }

    fn over(stream: Box<dyn Stream>, socket: TcpStream) -> Self {
        Self {
            stream: BufReader::new(stream),
            socket,
        }
    }

    pub fn give_up_after(&self, patience: Duration) {
        self.socket.set_read_timeout(Some(patience)).unwrap();
    }

    pub fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
        self.request("GET", target, headers, b"")
    }

    /// Posts a form, its values escaped.
    pub fn post(&mut self, target: &str, form: &[(&str, &str)]) -> io::Result<Answer> {
        let pairs: Vec<_> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        self.request("POST", target, &form, pairs.join("&").as_bytes())
    }

    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut lines = vec![
            format!("{method} {target} HTTP/1.1"),
            format!("Content-Length: {}", body.len()),
        ];
        let is_host = |(name, _): &(&str, _)| name.eq_ignore_ascii_case("host");
        if !headers.iter().any(is_host) {
            lines.push("Host: localhost".to_owned());
        }
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        self.send(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())?;
        self.send(body)?;
        self.answer(method != "HEAD")
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    /// Reads one answer; an interim one (1xx) counts.
    pub fn answer(&mut self, with_body: bool) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut answer = parse_head(&head);
        let length = answer.header("content-length").map(str::parse::<usize>);
        if let (Some(Ok(length)), true) = (length, with_body) {
            answer.body.resize(length, 0);
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// True if the server closed the connection: waits until it closes it or sends bytes.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

fn parse_head(head: &[u8]) -> Answer {
    let mut fields = [httparse::EMPTY_HEADER; 50];
    let mut parsed = httparse::Response::new(&mut fields);
    assert!(parsed.parse(head).unwrap().is_complete());
    Answer {
        status: parsed.code.unwrap(),
        headers: parsed
            .headers
            .iter()
            .map(|field| {
                let value = String::from_utf8_lossy(field.value).into_owned();
                (field.name.to_owned(), value)
            })
            .collect(),
        body: Vec::new(),
    }
}

pub fn escape(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
