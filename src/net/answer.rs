//! An HTTP response of any status. Pure.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::retry;
use crate::error::Report;
use crate::text::clock::UnixTime;
use crate::text::object::Object;
use crate::text::quote::quoted;
use crate::url::HttpUrl;

/// An HTTP response.
pub struct Answer<'a> {
    /// The URL of the request.
    pub url: &'a HttpUrl,
    /// The HTTP status.
    pub status: u16,
    /// The `Date` header: the server's clock.
    pub date: Option<UnixTime>,
    /// The `Location` header of a redirect.
    pub location: Option<String>,
    /// The `Retry-After` header, as a span from now.
    pub retry_after: Option<Duration>,
    /// The `Content-Type` header.
    pub content_type: String,
    body: Vec<u8>,
}

impl<'a> Answer<'a> {
    /// Parses a response; `header` looks up a header's text.
    pub fn new<'h>(
        url: &'a HttpUrl,
        status: u16,
        header: impl Fn(&str) -> Option<&'h str>,
        body: Vec<u8>,
    ) -> Self {
        let date = header("date").and_then(UnixTime::parse_http_date);
        Self {
            url,
            status,
            date,
            location: header("location")
                .filter(|_| (300..400).contains(&status))
                .map(ToOwned::to_owned),
            retry_after: header("retry-after")
                .and_then(|text| retry::retry_after(text, date.unwrap_or_else(UnixTime::now))),
            content_type: header("content-type").unwrap_or("no type").to_owned(),
            body,
        }
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// The body is not JSON, or has other fields. The error contains no byte of it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Report> {
        let read = serde_json::from_slice(&self.body);
        read.map(|Object(answer)| answer).map_err(|error| {
            let (url, kind) = (self.url, quoted(&self.content_type));
            // serde_json's text may quote a value, except for a missing field.
            let text = error.to_string();
            let missing = text.strip_prefix("missing field `");
            let missing = missing.and_then(|rest| rest.split('`').next());
            Report::new(match missing {
                Some(field) => format!("{url}: the JSON response has no {field}"),
                None if error.is_data() => {
                    format!("{url}: the JSON response has a field of the wrong type")
                }
                None => format!("{url}: the response is {kind}, not JSON"),
            })
        })
    }

    /// Returns the status and the body's text as one line.
    pub fn headline(&self) -> String {
        let status = self.status;
        let text = std::str::from_utf8(&self.body).unwrap_or_default().trim();
        if text.is_empty() || self.content_type.contains("html") {
            format!("HTTP {status}")
        } else if self.may_hold_a_secret() {
            format!("HTTP {status}: a response that is not shown, as it may contain a token")
        } else {
            format!("HTTP {status}: {}", quoted(text))
        }
    }

    /// True if the body names a token or another secret, even with JSON's escapes: then
    /// no part of it is quoted.
    pub fn may_hold_a_secret(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body);
        let plain = serde_json::from_slice::<Value>(&self.body);
        let plain = plain.map(|json| json.to_string()).unwrap_or_default();
        [&*text, &plain].into_iter().any(names_a_secret)
    }
}

/// True if a text has the name of a secret: a parameter of OAuth (RFC 6749, appendix A)
/// or of our requests, in any spelling.
fn names_a_secret(text: &str) -> bool {
    const NAMES: [&str; 10] = [
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "clientsecret",
        "clientassertion",
        // A whole key file, from ZITADEL's user API.
        "keycontent",
        "password",
        // The header of the request, which a proxy's error page may repeat.
        "authorization:",
        "authorization\":",
        "authorization=",
    ];
    let letters = text.chars().filter(|c| !matches!(c, '_' | '-'));
    let text: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().any(|name| text.contains(name))
}
