//! Spans of time as users write them.

use std::time::Duration;

/// The longest span, a hundred years: some programs read no date after the year 9999.
const LONGEST: u64 = 36_525 * 86_400;

/// Parses a span: a whole number with its unit.
///
/// # Errors
/// A description of a valid span.
pub fn span(text: &str) -> Result<Duration, String> {
    let wanted = || "write a number with s, m, h, d or w, such as 90d".to_owned();
    let at = text.len().saturating_sub(1);
    let (number, unit) = text.split_at_checked(at).ok_or_else(wanted)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(wanted()),
    };
    let is_plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = number
        .parse()
        .ok()
        .filter(|_| is_plain)
        .ok_or_else(wanted)?;
    match number.checked_mul(unit) {
        Some(secs @ 1..=LONGEST) => Ok(Duration::from_secs(secs)),
        _ => Err("it must be from 1s to 36525d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_its_unit() {
        for (text, secs) in [
            ("1s", 1),
            ("30m", 1800),
            ("12h", 43_200),
            ("90d", 7_776_000),
            ("2w", 1_209_600),
            ("36525d", LONGEST),
        ] {
            assert_eq!(span(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "1 d",
            "1y",
            "1ü",
            "36526d",
            "99999999999999999999d",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
