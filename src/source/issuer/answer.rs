//! An HTTP response of any status. Pure.

use std::time::Duration;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::retry;
use crate::error::{Error, Report};
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
    content_type: String,
    body: Zeroizing<Vec<u8>>,
}

impl<'a> Answer<'a> {
    /// Parses a response; `header` looks up a header's text.
    pub fn new<'h>(
        url: &'a HttpUrl,
        status: u16,
        header: impl Fn(&str) -> Option<&'h str>,
        body: Zeroizing<Vec<u8>>,
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
            // serde_json's own text may quote a value, except for a missing field.
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
        } else {
            format!("HTTP {status}: {}", quoted(text))
        }
    }

    /// Returns the error for a response that may differ on a retry.
    pub fn busy(&self) -> Error {
        let report = Report::new(format!("{}: {}", self.url, self.headline()));
        let report = report.wait(self.retry_after);
        Error::Passing(match self.retry_after {
            Some(wait) => report.hint(format!(
                "try again in {} s, as the server asks",
                wait.as_secs()
            )),
            None if self.status == 429 => report.hint(
                "try again in a minute: there were too many requests from here, or a quota is exhausted",
            ),
            None => report.hint("try again later: the failure may be temporary"),
        })
    }
}
