//! Dates and waits of headers and key files have exactly their written values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::net::retry;
use zitadel_credential::text::clock::UnixTime;

fuzz_target!(|text: &str| {
    if let Some(time) = UnixTime::parse_rfc3339(text) {
        assert_eq!(UnixTime::parse_rfc3339(&time.to_string()), Some(time));
        assert!(text.is_ascii());
    }
    let date = UnixTime::parse_http_date(text);
    let now = UnixTime::from_secs(1_700_000_000);
    let seconds = text.trim();
    match retry::retry_after(text, now) {
        Some(wait) if !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit()) => {
            let secs = seconds.parse().unwrap_or(u64::MAX);
            assert_eq!(wait.as_secs(), secs.min(u32::MAX.into()));
        }
        Some(wait) => {
            let date = UnixTime::parse_http_date(seconds).expect("a date");
            assert_eq!(wait, date.since(now));
        }
        None => assert_eq!(UnixTime::parse_http_date(seconds), None),
    }
    if let Some(date) = date {
        // RFC 9110 cannot represent a later day.
        assert!(date.as_secs() < 253_402_300_800 + 86_400, "{text:?}");
    }
});
