//! The expiry of a key, as ZITADEL stores it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::clock::UnixTime;

/// The expiry of a key, in the form that ZITADEL stores: to the microsecond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyEnd {
    /// The date, without its fraction of a second.
    pub at: UnixTime,
    micros: u32,
}

impl KeyEnd {
    /// Creates an expiry `micros` microseconds after a time.
    pub fn new(at: UnixTime, micros: u32) -> Self {
        Self {
            at,
            micros: micros % 1_000_000,
        }
    }

    /// Parses a date (RFC 3339). Digits of a second after the sixth are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let at = UnixTime::parse_rfc3339(text)?;
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit);
        let six = digits.chain(std::iter::repeat(b'0')).take(6);
        let micros = six.fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'));
        Some(Self { at, micros })
    }

    /// True if the key never expires: ZITADEL writes the year 9999.
    pub fn is_never(&self) -> bool {
        /// The year 9000, in seconds since 1970.
        const FAR: u64 = 221_845_392_000;
        self.at.as_secs() > FAR
    }
}

impl fmt::Display for KeyEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.at.to_string();
        match whole.strip_suffix('Z') {
            Some(whole) if self.micros > 0 => write!(f, "{whole}.{:06}Z", self.micros),
            _ => f.write_str(&whole),
        }
    }
}

impl From<KeyEnd> for String {
    fn from(end: KeyEnd) -> Self {
        end.to_string()
    }
}

impl TryFrom<String> for KeyEnd {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a date")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_year_9999_is_never() {
        let is_never = |text| KeyEnd::parse(text).expect("a date").is_never();
        assert!(is_never("9999-12-31T23:59:59Z"));
        assert!(!is_never("2099-12-31T23:59:59Z"));
    }

    proptest! {
        #[test]
        fn an_expiry_reads_back_as_it_is_shown(secs in 0_u64..253_402_300_800, micros in 0_u32..1_000_000) {
            let end = KeyEnd::new(UnixTime::from_secs(secs), micros);
            prop_assert_eq!(KeyEnd::parse(&end.to_string()), Some(end));
        }
    }
}
