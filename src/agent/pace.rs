//! How long the agent sleeps. Pure.

use std::time::Duration;

use crate::text::clock::UnixTime;
use crate::token::{Freshness, Token};

/// The longest sleep. The clock may jump, by NTP or while the machine is
/// suspended, and an outage ends some day: both are noticed within this.
pub const LONGEST: Duration = Duration::from_secs(60);

/// The first sleep after something failed; the next ones double.
const FIRST: Duration = Duration::from_secs(1);

/// The longest that an issuer may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// How long a token lasts that the issuer gave no lifetime.
const UNTOLD: Duration = Duration::from_secs(600);

/// When the next token is to be fetched.
pub fn renewal(token: &Token, now: UnixTime, draw: f64) -> UnixTime {
    token
        .lifespan()
        .map_or_else(|| now.plus(UNTOLD), |lifespan| lifespan.renewal(draw))
}

/// How good a token is that is held.
pub fn freshness(token: &Token, now: UnixTime) -> Freshness {
    token
        .lifespan()
        .map_or(Freshness::Fresh, |lifespan| lifespan.freshness(now))
}

/// How long to sleep before something is due.
pub fn until(due: UnixTime, now: UnixTime) -> Duration {
    due.since(now).min(LONGEST)
}

/// How long to sleep after so many rounds in a row that left something undone: by
/// `draw` from 0 to 1 a half to the whole of a bound that doubles, or as long as the
/// issuer asked, within reason.
pub fn after_failures(rounds: u32, asked: Option<Duration>, draw: f64) -> Duration {
    let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
    let doublings = rounds.saturating_sub(1).min(6);
    let bound = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    bound.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_double_up_to_a_minute_and_halve_by_luck() {
        let millis = |rounds, draw| after_failures(rounds, None, draw).as_millis();
        let longest = [1, 2, 3, 6, 7, 8, u32::MAX].map(|rounds| millis(rounds, 1.0));
        assert_eq!(longest, [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!([millis(1, 0.0), millis(7, 0.5)], [500, 45_000]);
        let asked = |secs| after_failures(1, Some(Duration::from_secs(secs)), 1.0).as_secs();
        assert_eq!([0, 120, 100_000].map(asked), [1, 120, 600]);
    }

    #[test]
    fn no_sleep_is_longer_than_a_minute_or_passes_what_is_due() {
        let at = UnixTime::from_secs;
        assert_eq!(until(at(1000), at(0)), LONGEST);
        assert_eq!(until(at(1000), at(990)), Duration::from_secs(10));
        assert_eq!(until(at(1000), at(1001)), Duration::ZERO);
    }
}
