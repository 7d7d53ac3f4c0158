//! What came back over HTTP, whatever its status. Pure.

use std::time::Duration;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::retry;
use crate::error::{Error, Report};
use crate::text::clock::UnixTime;
use crate::text::object::Object;
use crate::text::quote::quoted;
use crate::url::HttpUrl;

/// An answer.
pub struct Answer<'a> {
    /// What was asked.
    pub url: &'a HttpUrl,
    /// The HTTP status.
    pub status: u16,
    /// The other side's clock, by its `Date` header.
    pub date: Option<UnixTime>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    content_type: String,
    body: Zeroizing<Vec<u8>>,
}

impl<'a> Answer<'a> {
    /// Takes an answer apart; `header` looks up one header's text.
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

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// It is none, or has another shape; without a byte of it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Report> {
        let read = serde_json::from_slice(&self.body);
        read.map(|Object(answer)| answer).map_err(|error| {
            let (url, kind) = (self.url, quoted(&self.content_type));
            // serde_json's own text may quote a value, but not where one is missing.
            let text = error.to_string();
            let missing = text.strip_prefix("missing field `");
            let missing = missing.and_then(|rest| rest.split('`').next());
            Report::new(match missing {
                Some(field) => format!("{url}: the JSON it answered has no {field}"),
                None if error.is_data() => {
                    format!("{url}: the JSON it answered has another shape than it should")
                }
                None => format!("{url}: it answered {kind} that is not JSON"),
            })
        })
    }

    /// The status and what the body says in a line.
    pub fn headline(&self) -> String {
        let status = self.status;
        let text = std::str::from_utf8(&self.body).unwrap_or_default().trim();
        if text.is_empty() || self.content_type.contains("html") {
            format!("HTTP {status}")
        } else {
            format!("HTTP {status}: {}", quoted(text))
        }
    }

    /// The error of an answer that may be another one a moment later.
    pub fn busy(&self) -> Error {
        let report = Report::new(format!("{}: {}", self.url, self.headline()));
        let report = report.wait(self.retry_after);
        Error::Passing(match self.retry_after {
            Some(wait) => report.hint(format!("try again in {} s, as it asks", wait.as_secs())),
            None if self.status == 429 => report.hint(
                "too many requests came from here, or a quota is used up: try again in a minute",
            ),
            None => report.hint("it may pass: try again later"),
        })
    }
}
