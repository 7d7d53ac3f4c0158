//! Decides when to retry a request, and how long to wait first. Pure.

use std::time::Duration;

use crate::text::clock::UnixTime;

/// Maximum number of attempts for one request.
pub const TRIES: u32 = 3;

/// Upper bound of the first pause; it doubles for each further pause.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest wait that is distinguished from a longer one, in seconds.
const LONGEST: u64 = u32::MAX as u64;

/// Returns the wait after `tried` attempts; `None` if no attempt is left or the wait
/// would exceed `remaining`.
///
/// A wait that the server requests is used unchanged. Otherwise `draw`, from 0 to 1,
/// selects a wait between zero and a bound that doubles (full jitter), so that many
/// waiting processes do not return at once.
pub fn pause(
    tried: u32,
    asked: Option<Duration>,
    remaining: Duration,
    draw: f64,
) -> Option<Duration> {
    let bound = PAUSE * 2_u32.saturating_pow(tried.saturating_sub(1));
    let wait = asked.unwrap_or_else(|| bound.mul_f64(draw.clamp(0.0, 1.0)));
    (tried < TRIES && wait < remaining).then_some(wait)
}

/// Parses a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date that
/// is compared with the response's `Date`.
pub fn retry_after(header: &str, date: UnixTime) -> Option<Duration> {
    let header = header.trim();
    // Rust's number parser would accept a plus sign.
    if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        let secs = header.parse().unwrap_or(LONGEST).min(LONGEST);
        return Some(Duration::from_secs(secs));
    }
    Some(UnixTime::parse_http_date(header)?.since(date))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn retries_stop_after_three_tries_or_at_the_deadline() {
        assert_eq!(pause(1, None, SECOND * 30, 1.0), Some(SECOND / 2));
        assert_eq!(pause(2, None, SECOND * 30, 1.0), Some(SECOND));
        assert_eq!(pause(2, None, SECOND * 30, 0.0), Some(Duration::ZERO));
        assert_eq!(pause(3, None, SECOND * 30, 0.0), None);
        assert_eq!(
            pause(1, Some(SECOND * 5), SECOND * 30, 0.0),
            Some(SECOND * 5)
        );
        assert_eq!(pause(1, Some(SECOND * 31), SECOND * 30, 0.0), None);
        assert_eq!(pause(1, None, Duration::ZERO, 0.0), None);
    }

    #[test]
    fn retry_after_is_in_seconds_or_a_date() {
        let date = UnixTime::parse_http_date("Fri, 01 Jan 2027 00:00:00 GMT").expect("a date");
        let read = |header| retry_after(header, date);
        assert_eq!(read("120"), Some(SECOND * 120));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Fri, 01 Jan 2027 00:00:07 GMT"), Some(SECOND * 7));
        assert_eq!(read("Fri, 01 Jan 2026 00:00:07 GMT"), Some(Duration::ZERO));
        let longest = Some(Duration::from_secs(LONGEST));
        assert_eq!(read("99999999999999999999999"), longest);
        for bad in ["", "-1", "+1", "soon", "1.5"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_in_seconds_is_digits_and_nothing_else(header in "[0-9+. -]{0,21}") {
            let wait = retry_after(&header, UnixTime::from_secs(0));
            let digits = header.trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let secs = digits.parse().unwrap_or(u64::MAX).min(LONGEST);
            let expected = is_number.then(|| Duration::from_secs(secs));
            prop_assert_eq!(wait, expected);
        }

        #[test]
        fn any_header_parses_without_panic(header: String) {
            let _ = retry_after(&header, UnixTime::from_secs(0));
        }
    }
}
