//! Stores for shared caches: our own, which may be hostile, and access to the real ones.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::http::listen_on;

/// Values, each with its expiry.
type Values = HashMap<Vec<u8>, (Vec<u8>, Instant)>;

/// The reply of a hostile store to a command's words; `None` for that of an honest store.
type Whim = Box<dyn Fn(&[Vec<u8>], &mut Values) -> Option<Vec<u8>> + Send + Sync>;

/// An in-memory store with the part of RESP that the tests need, which records all
/// traffic. Its threads end with the test's process.
pub struct Store {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    values: Mutex<Values>,
    /// The words of each command.
    commands: Mutex<Vec<Vec<Vec<u8>>>>,
    whim: Mutex<Option<Whim>>,
}

impl Store {
    pub fn start() -> Self {
        let listener = listen_on(Ipv4Addr::LOCALHOST.into());
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let state = Arc::clone(&serving);
                thread::spawn(move || serve(&client.unwrap(), &state));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes the store answer each command by this function from now on.
    pub fn turn(
        &self,
        whim: impl Fn(&[Vec<u8>], &mut Values) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) {
        *self.state.whim.lock().unwrap() = Some(Box::new(whim));
    }

    /// Returns the values whose names end in `end`, each with its name.
    pub fn values(&self, end: &str) -> Vec<(String, Vec<u8>)> {
        let values = self.state.values.lock().unwrap();
        let now = Instant::now();
        let named = values.iter().filter(|(_, (_, until))| *until > now);
        let named = named.map(|(name, (value, _))| {
            let name = String::from_utf8(name.clone()).unwrap();
            (name, value.clone())
        });
        named.filter(|(name, _)| name.ends_with(end)).collect()
    }

    /// Returns the name and the value of the only entry.
    pub fn entry(&self) -> (String, Vec<u8>) {
        let mut entries = self.values(":t");
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    pub fn set(&self, name: &str, value: &[u8]) {
        let until = Instant::now() + Duration::from_secs(3600);
        let mut values = self.state.values.lock().unwrap();
        values.insert(name.as_bytes().to_vec(), (value.to_vec(), until));
    }

    pub fn clear(&self) {
        self.state.values.lock().unwrap().clear();
    }

    /// Returns the number of commands of this name.
    pub fn count(&self, name: &str) -> usize {
        let commands = self.state.commands.lock().unwrap();
        let is_it = |words: &&Vec<Vec<u8>>| words[0] == name.as_bytes();
        commands.iter().filter(is_it).count()
    }

    /// Returns all received commands, and all stored values.
    pub fn dump(&self) -> Vec<u8> {
        let mut all: Vec<u8> = self.state.commands.lock().unwrap().concat().concat();
        for (name, (value, _)) in &*self.state.values.lock().unwrap() {
            all.extend([name.as_slice(), value].concat());
        }
        all
    }
}

fn serve(mut client: &TcpStream, state: &State) {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        while let Some(words) = command(&mut received) {
            state.commands.lock().unwrap().push(words.clone());
            let reply = {
                let mut values = state.values.lock().unwrap();
                values.retain(|_, (_, until)| *until > Instant::now());
                let whim = state.whim.lock().unwrap();
                let hostile = whim.as_ref().and_then(|whim| whim(&words, &mut values));
                hostile.unwrap_or_else(|| honest(&words, &mut values))
            };
            if client.write_all(&reply).is_err() {
                return;
            }
        }
        match client.read(&mut chunk) {
            Ok(read) if read > 0 => received.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
}

/// Removes the first whole command from the bytes.
fn command(bytes: &mut Vec<u8>) -> Option<Vec<Vec<u8>>> {
    let line = |at: usize| {
        let end = bytes[at..].windows(2).position(|two| two == b"\r\n")? + at;
        let number = std::str::from_utf8(&bytes[at + 1..end]).unwrap();
        Some((number.parse::<usize>().unwrap(), end + 2))
    };
    let (count, mut at) = line(0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, start) = line(at)?;
        words.push(bytes.get(start..start + length)?.to_vec());
        bytes.get(start + length..start + length + 2)?;
        at = start + length + 2;
    }
    bytes.drain(..at);
    Some(words)
}

pub fn bulk(value: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

/// Executes a command, and returns the reply of an honest store.
pub fn honest(words: &[Vec<u8>], values: &mut Values) -> Vec<u8> {
    let get = |name: &Vec<u8>, values: &Values| match values.get(name) {
        Some((value, _)) => bulk(value),
        None => b"$-1\r\n".to_vec(),
    };
    let named: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    match named[..] {
        [b"PING"] => b"+PONG\r\n".to_vec(),
        [b"AUTH", ..] => b"+OK\r\n".to_vec(),
        [b"GET", _] => get(&words[1], values),
        [b"MGET", ..] => {
            let head = format!("*{}\r\n", words.len() - 1).into_bytes();
            let values = words[1..].iter().flat_map(|name| get(name, values));
            head.into_iter().chain(values).collect()
        }
        [b"DEL", _] => {
            format!(":{}\r\n", u8::from(values.remove(&words[1]).is_some())).into_bytes()
        }
        [b"SET", .., b"PX", millis] => {
            if named.contains(&b"NX".as_slice()) && values.contains_key(&words[1]) {
                return b"$-1\r\n".to_vec();
            }
            let millis = std::str::from_utf8(millis).unwrap().parse().unwrap();
            let until = Instant::now() + Duration::from_millis(millis);
            values.insert(words[1].clone(), (words[2].clone(), until));
            b"+OK\r\n".to_vec()
        }
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}

/// A relay to another port that delays each part, and records all traffic.
pub struct Relay {
    port: u16,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    pub fn start(target: u16, delay: Duration) -> Self {
        let listener: TcpListener = listen_on(Ipv4Addr::LOCALHOST.into());
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                let pairs = [
                    (client.try_clone(), server.try_clone()),
                    (Ok(server), Ok(client)),
                ];
                for (from, to) in pairs {
                    let noting = Arc::clone(&noting);
                    thread::spawn(move || {
                        let _ = pass(&from.unwrap(), &to.unwrap(), delay, &noting);
                    });
                }
            }
        });
        Self { port, seen }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }
}

fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    delay: Duration,
    seen: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return to.shutdown(std::net::Shutdown::Write);
        }
        thread::sleep(delay);
        seen.lock().unwrap().extend_from_slice(&chunk[..read]);
        to.write_all(&chunk[..read])?;
    }
}
