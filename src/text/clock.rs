//! Time: Unix seconds internally, RFC 3339 and HTTP dates in input and output.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Returns the current time; an argument, so that a test needs no sleep.
pub type Clock = dyn Fn() -> UnixTime;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Returns the time this many seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Returns the system's time; a time before 1970 is 1970.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self(since.map_or(0, |since| since.as_secs()))
    }

    /// Returns the seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns this time plus a span's whole seconds.
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    /// Returns this time minus a span's whole seconds.
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_secs()))
    }

    /// Returns the span from `earlier` to this time; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// Parses the date of a key file (RFC 3339).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        Self::from_date(OffsetDateTime::parse(text, &Rfc3339).ok()?)
    }

    /// Parses a `Date` or `Retry-After` header (RFC 9110, section 5.6.7: only the
    /// fixed form, the one that servers must send).
    pub fn parse_http_date(text: &str) -> Option<Self> {
        Self::from_date(OffsetDateTime::parse(text, &Rfc2822).ok()?)
    }

    fn from_date(date: OffsetDateTime) -> Option<Self> {
        u64::try_from(date.unix_timestamp()).ok().map(Self)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = i64::try_from(self.0)
            .ok()
            .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
            .and_then(|date| date.format(&Rfc3339).ok());
        match date {
            Some(text) => f.write_str(&text),
            // RFC 3339 has no form for years after 9999.
            None => write!(f, "@{}", self.0),
        }
    }
}

/// The remedy if a deadline was too short.
pub const RAISE_TIMEOUT: &str = "give it more time with --timeout";

/// The time limit for all waiting of one call (`--timeout`).
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    budget: Duration,
}

impl Deadline {
    /// Creates a deadline `budget` from now.
    pub fn after(budget: Duration) -> Self {
        Self {
            end: Instant::now() + budget,
            budget,
        }
    }

    /// Returns the remaining time; zero after the deadline.
    pub fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Returns the deadline of the first of this many steps: an equal share of the
    /// remaining time for each, so that one that hangs does not use up the others' time.
    pub fn share(&self, steps: usize) -> Self {
        Self::after(self.remaining() / u32::try_from(steps.max(1)).unwrap_or(u32::MAX))
    }

    /// Returns the budget in whole seconds, rounded up, for messages.
    pub const fn budget_secs(&self) -> u64 {
        self.budget.as_secs() + (self.budget.subsec_nanos() > 0) as u64
    }

    /// Returns the budget in seconds, for messages about a part of the call's time.
    pub fn budget_shown(&self) -> String {
        shown_secs(self.budget)
    }
}

/// Returns a span in seconds, for messages: with one decimal if it is not a whole
/// number, and never 0.
pub fn shown_secs(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    match (tenths.max(1) / 10, tenths.max(1) % 10) {
        (secs, 0) => secs.to_string(),
        (secs, tenth) => format!("{secs}.{tenth}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_key_files_and_headers_are_read() {
        let at = UnixTime::from_secs(1_798_761_600);
        assert_eq!(UnixTime::parse_rfc3339("2027-01-01T00:00:00Z"), Some(at));
        assert_eq!(
            UnixTime::parse_rfc3339("2027-01-01T01:00:00+01:00"),
            Some(at)
        );
        assert_eq!(
            UnixTime::parse_http_date("Fri, 01 Jan 2027 00:00:00 GMT"),
            Some(at)
        );
        assert_eq!(UnixTime::parse_http_date("yesterday"), None);
        assert_eq!(UnixTime::parse_rfc3339("1969-12-31T23:59:59Z"), None);
    }

    #[test]
    fn a_wait_is_never_shown_as_0_seconds() {
        let told = |millis| Deadline::after(Duration::from_millis(millis)).budget_secs();
        assert_eq!([1, 999, 1000, 1001].map(told), [1, 1, 1, 2]);
        let shown = |millis| Deadline::after(Duration::from_millis(millis)).budget_shown();
        let shown = [1, 94, 999, 1000, 1001, 2249, 2250, 30_000].map(shown);
        assert_eq!(shown, ["0.1", "0.1", "1", "1", "1", "2.2", "2.3", "30"]);
    }

    #[test]
    fn any_time_can_be_shown() {
        assert_eq!(UnixTime::from_secs(0).to_string(), "1970-01-01T00:00:00Z");
        assert!(UnixTime::from_secs(u64::MAX).to_string().starts_with('@'));
    }

    proptest! {
        #[test]
        fn a_date_reads_back_as_it_is_shown(secs in 0_u64..253_402_300_800) {
            let time = UnixTime::from_secs(secs);
            prop_assert_eq!(UnixTime::parse_rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn any_date_parses_without_panic(text in "[ -~\u{e9}]{0,40}") {
            let _ = (UnixTime::parse_rfc3339(&text), UnixTime::parse_http_date(&text));
        }

        #[test]
        fn an_http_date_is_counted_from_1970(day in 1_u64..=31, hour in 0_u64..24, minute in 0_u64..60, second in 0_u64..60) {
            let text = format!("{day:02} Jan 2027 {hour:02}:{minute:02}:{second:02} GMT");
            let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
            let days = 20_818 + day;
            let text = format!("{}, {text}", week[usize::try_from(days % 7).expect("a day")]);
            let secs = ((days * 24 + hour) * 60 + minute) * 60 + second;
            prop_assert_eq!(UnixTime::parse_http_date(&text), Some(UnixTime::from_secs(secs)), "{}", text);
        }
    }
}
