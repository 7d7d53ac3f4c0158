//! Measures the store with 10,000 connections at the same moment: each makes the login and
//! the requests of a runner that finds an entry, without the runner's own work.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::Barrier;

use crate::outcome::percentile;
use crate::store::{PASSWORD, USER};

/// The herd's own time limit, in milliseconds.
const MOST: f64 = 2000.0;

/// The size of an entry.
const VALUE: usize = 512;

/// The milliseconds until each connection had its answer.
pub struct Knocks(Vec<f64>);

impl Knocks {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn percentile(&self, part: f64) -> f64 {
        percentile(self.0.iter().copied(), part)
    }

    /// Returns the bound in words, and whether it holds.
    pub fn bound(&self) -> (String, bool) {
        let p99 = self.percentile(0.99);
        (
            format!("answers p99 at most {MOST} ms: {p99:.0}"),
            p99 <= MOST,
        )
    }
}

/// Opens this number of connections, and sends a runner's requests to the store over each.
pub fn knock(store: SocketAddr, count: usize) -> io::Result<Knocks> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let value = "v".repeat(VALUE);
        let set = command(&["SET", "zc1:{knock}:t", &value]);
        ask(store, &[login(), set].concat(), b"+OK\r\n+OK\r\n".len()).await?;
        let questions = [
            login(),
            command(&["GET", "zc1:ban:knock"]),
            command(&["MGET", "zc1:{knock}:t", "zc1:{knock}:n"]),
        ]
        .concat();
        let length = format!("+OK\r\n$-1\r\n*2\r\n${VALUE}\r\n{value}\r\n$-1\r\n").len();
        let questions = Arc::new(questions);
        let barrier = Arc::new(Barrier::new(count));
        let tasks: Vec<_> = (0..count)
            .map(|_| {
                let (questions, barrier) = (Arc::clone(&questions), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    let start = Instant::now();
                    // Stays open until all are answered.
                    let stream = ask(store, &questions, length).await;
                    stream.map(|stream| (start, Instant::now(), stream))
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.map_err(io::Error::other)??);
        }
        let start = answers.iter().map(|(start, ..)| *start).min();
        let since = |at: Instant| start.map_or(Duration::ZERO, |start| at - start);
        let millis = |at| since(at).as_secs_f64() * 1000.0;
        let times = answers.iter().map(|(_, end, _)| millis(*end));
        Ok(Knocks(times.collect()))
    })
}

fn login() -> Vec<u8> {
    command(&["AUTH", USER, PASSWORD])
}

/// Returns a command in the store's protocol.
fn command(words: &[&str]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text += &format!("${}\r\n{word}\r\n", word.len());
    }
    text.into_bytes()
}

async fn ask(store: SocketAddr, bytes: &[u8], length: usize) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(store).await?;
    stream.write_all(bytes).await?;
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(stream)
}
