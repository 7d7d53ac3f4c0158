//! Reads requests from bytes, and writes responses to bytes (RFC 9112).

use std::io;
use std::io::{BufRead, BufReader, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use time::OffsetDateTime;

const FORM: &str = "application/x-www-form-urlencoded";
/// Limit of Go, in which ZITADEL is written.
const MAX_HEAD: usize = 1024 * 1024;
const MAX_HEADERS: usize = 100;
/// Large enough for an image layer that is pushed to a registry.
const MAX_BODY: u64 = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Number of the server's connection, from 1.
    pub connection: usize,
    pub(super) keep_alive: bool,
}

impl Request {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Returns the first header of that name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Returns the token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// Returns the body as `application/x-www-form-urlencoded`, in the order sent.
    pub fn form(&self) -> Vec<(String, String)> {
        form_pairs(&self.body)
    }

    /// Returns the form, if the Content-Type is a form's, then the query.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let content_type = self.header("content-type").unwrap_or_default();
        let is_form = content_type.split(';').next() == Some(FORM);
        let mut pairs = if is_form { self.form() } else { Vec::new() };
        pairs.extend(form_pairs(self.query().unwrap_or_default().as_bytes()));
        pairs
    }

    /// Returns the first value of that name in the form.
    pub fn form_value(&self, name: &str) -> Option<String> {
        let mut pairs = self.form().into_iter();
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status).with_body("application/json", body.to_string())
    }

    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status).with_body("text/plain; charset=utf-8", body.into())
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn with_body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { body, ..self }.with_header("Content-Type", content_type)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Returns the answer to this request. A `Date` or `Content-Length` that the handler
    /// set is kept: HEAD needs the latter for a size without a body.
    pub(super) fn to_bytes(&self, request: &Request) -> Vec<u8> {
        self.render(request.keep_alive, request.method != "HEAD")
    }

    /// Returns the answer to a request that could not be read.
    pub(super) fn to_final_bytes(&self) -> Vec<u8> {
        self.render(false, true)
    }

    fn render(&self, keep_alive: bool, with_body: bool) -> Vec<u8> {
        let Self {
            status,
            headers,
            body,
        } = self;
        let bodiless = matches!(status, 100..=199 | 204 | 304);
        let mut lines = vec![format!("HTTP/1.1 {status} {}", reason(*status))];
        if self.header("date").is_none() {
            lines.push(format!("Date: {}", date(now())));
        }
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        if !bodiless && self.header("content-length").is_none() {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        if !keep_alive {
            lines.push("Connection: close".to_owned());
        }
        let mut bytes = lines.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        if with_body && !bodiless {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

/// Returns an HTTP date (RFC 9110 section 5.6.7) of a Unix time.
pub fn date(unix_seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix_seconds).unwrap();
    format!(
        "{:.3}, {:02} {:.3} {:04} {:02}:{:02}:{:02} GMT",
        at.weekday().to_string(),
        at.day(),
        at.month().to_string(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second(),
    )
}

/// The reason why there is no request.
pub(super) enum Unreadable {
    Gone(io::Error),
    Malformed,
    TooLarge,
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Reads a request; `None` if the client closed the connection between two requests.
pub(super) fn read_request<S: Read + Write>(
    stream: &mut BufReader<S>,
    connection: usize,
) -> Result<Option<Request>, Unreadable> {
    let Some(head) = read_head(stream)? else {
        return Ok(None);
    };
    let mut request = parse_head(&head, connection).ok_or(Unreadable::Malformed)?;
    let length = request.header("content-length").map(str::parse::<u64>);
    let coding = request.header("transfer-encoding");
    if length.is_none() && coding.is_none() {
        return Ok(Some(request));
    }
    if request
        .header("expect")
        .is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"))
    {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    request.body = match (length, coding) {
        (Some(Ok(length)), None) => read_sized(stream, length, MAX_BODY)?,
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => read_chunked(stream)?,
        _ => return Err(Unreadable::Malformed),
    };
    Ok(Some(request))
}

fn read_head(stream: &mut impl BufRead) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut head = Vec::new();
    loop {
        let line = read_line(stream, &mut head)?;
        match &head[line..] {
            [] if line == 0 => return Ok(None),
            b"\r\n" | b"\n" => return Ok(Some(head)),
            [.., b'\n'] => {}
            _ => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

/// Appends a line and returns its start.
fn read_line(stream: &mut impl BufRead, head: &mut Vec<u8>) -> Result<usize, Unreadable> {
    let begin = head.len();
    let room = MAX_HEAD.saturating_sub(begin);
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    let read = stream.take(limit).read_until(b'\n', head)?;
    if read == room && !head.ends_with(b"\n") {
        return Err(Unreadable::TooLarge);
    }
    Ok(begin)
}

fn parse_head(head: &[u8], connection: usize) -> Option<Request> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed
        .parse(head)
        .ok()
        .filter(httparse::Status::is_complete)?;
    let headers: Vec<_> = parsed
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value).into_owned();
            (field.name.to_owned(), value)
        })
        .collect();
    let wanted = find(&headers, "connection").map(str::to_ascii_lowercase);
    Some(Request {
        method: parsed.method?.to_owned(),
        target: parsed.path?.to_owned(),
        body: Vec::new(),
        connection,
        keep_alive: parsed.version? == 1 && wanted.as_deref() != Some("close"),
        headers,
    })
}

fn read_sized(stream: &mut impl BufRead, length: u64, room: u64) -> Result<Vec<u8>, Unreadable> {
    if length > room {
        return Err(Unreadable::TooLarge);
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if u64::try_from(body.len()) != Ok(length) {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}

fn read_chunked(stream: &mut impl BufRead) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    let mut room = MAX_BODY;
    loop {
        let mut line = Vec::new();
        read_line(stream, &mut line)?;
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line) else {
            return Err(Unreadable::Malformed);
        };
        if size == 0 {
            // trailers, or at least the empty line that ends them
            read_head(stream)?;
            return Ok(body);
        }
        body.append(&mut read_sized(stream, size, room)?);
        room -= size;
        if read_sized(stream, 2, 2)? != b"\r\n" {
            return Err(Unreadable::Malformed);
        }
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut headers = headers.iter();
    let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value)
}

fn form_pairs(text: &[u8]) -> Vec<(String, String)> {
    text.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || form_decode(halves.next().unwrap_or_default());
            (half(), half())
        })
        .collect()
}

/// A character that is not an escape is kept, as in browsers.
fn form_decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unnamed",
    }
}
