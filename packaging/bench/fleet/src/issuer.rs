//! The issuer: discovery and tokens, for service users whose assertion is good, within
//! the limits of `limit.rs`.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::limit::Limit;
use crate::serve;

/// Duration of each answer, including the network.
pub const LATENCY: Duration = Duration::from_millis(80);

/// A token's lifetime in seconds: twelve hours, as in ZITADEL's responses.
const LIFETIME: u64 = 43_199;

/// The issuer's behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It grants tokens.
    Up,
    /// A load balancer answers 503 in its place.
    Down,
    /// Other clients caused a ban of the address.
    Banned,
    /// It answers the first token request only after a minute.
    SlowOnce,
}

/// The type of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Discovery,
    Token,
}

/// A received request.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub at: Instant,
    pub kind: Kind,
    pub status: u16,
    /// A try of one runner: its requests come over one connection.
    pub connection: usize,
}

#[derive(Default)]
struct State {
    limit: Limit,
    seen: Vec<Seen>,
    connections: usize,
    is_held: bool,
    /// Each granted token, with its time.
    granted: HashMap<String, Instant>,
}

struct Shared {
    mood: Mood,
    url: String,
    user: String,
    public_key: Vec<u8>,
    state: Mutex<State>,
}

/// A running issuer; it serves until the process ends.
pub struct Issuer {
    shared: Arc<Shared>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: u64,
    exp: u64,
}

impl Issuer {
    /// Starts an issuer with one user, who has this public key (DER, PKCS#1).
    pub fn start(mood: Mood, user: &str, public_key: Vec<u8>) -> io::Result<Self> {
        let listener = serve::listen()?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            mood,
            url,
            user: user.to_owned(),
            public_key,
            state: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        serve::on_thread(async move {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::spawn(connection(Arc::clone(&served), stream));
            }
        });
        Ok(Self { shared })
    }

    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Returns all requests until now.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    pub fn granted(&self) -> HashMap<String, Instant> {
        self.shared.state().granted.clone()
    }

    pub fn bans(&self) -> usize {
        self.shared.state().limit.bans
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, and returns its answer: status, type and body.
    fn answer(&self, connection: usize, path: &str, body: &[u8]) -> (u16, &'static str, String) {
        const JSON: &str = "application/json";
        const TEXT: &str = "text/plain; charset=utf-8";
        let is_token = path == "/oauth/v2/token";
        let now = Instant::now();
        let mut state = self.state();
        let is_admitted = state.limit.admits(now);
        let (status, kind, body) = match self.mood {
            Mood::Down => (503, TEXT, "no healthy upstream".to_owned()),
            _ if !is_admitted || self.mood == Mood::Banned => {
                (429, TEXT, "Too Many Requests".to_owned())
            }
            _ if is_token && self.is_good(body) => {
                let token = format!("{:0>96}", state.granted.len() + 1);
                state.granted.insert(token.clone(), now);
                let answer = json!({
                    "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME,
                });
                (200, JSON, answer.to_string())
            }
            _ if is_token => {
                let answer =
                    json!({"error": "invalid_grant", "error_description": "invalid assertion"});
                (400, JSON, answer.to_string())
            }
            _ if path == "/.well-known/openid-configuration" => {
                let url = &self.url;
                let answer = json!({
                    "issuer": url,
                    "token_endpoint": format!("{url}/oauth/v2/token"),
                    "userinfo_endpoint": format!("{url}/oidc/v1/userinfo"),
                });
                (200, JSON, answer.to_string())
            }
            _ => (404, JSON, r#"{"code":5,"message":"Not Found"}"#.to_owned()),
        };
        state.seen.push(Seen {
            at: now,
            kind: if is_token {
                Kind::Token
            } else {
                Kind::Discovery
            },
            status,
            connection,
        });
        (status, kind, body)
    }

    /// True for a form with a valid assertion of the user (ZITADEL's checks).
    fn is_good(&self, form: &[u8]) -> bool {
        let form = String::from_utf8_lossy(form);
        let assertion = form
            .split('&')
            .find_map(|field| field.strip_prefix("assertion="));
        assertion.is_some_and(|assertion| self.verify(assertion).is_some())
    }

    fn verify(&self, assertion: &str) -> Option<()> {
        let (input, signature) = assertion.rsplit_once('.')?;
        let claims = BASE64_URL_SAFE_NO_PAD
            .decode(input.split_once('.')?.1)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key)
            .verify(input.as_bytes(), &signature)
            .ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let is_timely = claims.iat <= now + 1 && claims.iat + 3600 >= now && claims.exp > now + 1;
        let is_theirs = claims.iss == self.user && claims.sub == self.user;
        (is_timely && is_theirs && claims.aud == self.url).then_some(())
    }
}

async fn connection(shared: Arc<Shared>, mut stream: TcpStream) {
    let id = {
        let mut state = shared.state();
        state.connections += 1;
        state.connections
    };
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    while let Some((path, body)) = request(&mut stream, &mut bytes).await {
        let (status, kind, text) = shared.answer(id, &path, &body);
        let is_held = shared.mood == Mood::SlowOnce && path == "/oauth/v2/token" && {
            let mut state = shared.state();
            !std::mem::replace(&mut state.is_held, true)
        };
        tokio::time::sleep(if is_held {
            Duration::from_secs(60)
        } else {
            LATENCY
        })
        .await;
        let answer = format!(
            "HTTP/1.1 {status} \r\nDate: {}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{text}",
            date(OffsetDateTime::from(SystemTime::now())),
            text.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads a request: its path and its body. `None` at the end, or if it is not HTTP.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(start) = head.parse(bytes).ok()? {
            let path = head.path?.to_owned();
            let length = head
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case("content-length"))
                .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
                .unwrap_or(0);
            if bytes.len() >= start + length {
                let body = bytes[start..start + length].to_vec();
                bytes.drain(..start + length);
                return Some((path, body));
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns a date in HTTP's format (RFC 9110, section 5.6.7).
fn date(at: OffsetDateTime) -> String {
    let (day, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();
    format!(
        "{}, {:02} {} {} {hour:02}:{minute:02}:{second:02} GMT",
        &day[..3],
        at.day(),
        &month[..3],
        at.year()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_does() {
        let at = OffsetDateTime::from_unix_timestamp(1_798_761_600).expect("a time");
        assert_eq!(date(at), "Fri, 01 Jan 2027 00:00:00 GMT");
    }
}
