//! Computes the agent's sleeps. Pure functions.

use std::time::Duration;

use crate::text::clock::UnixTime;
use crate::token::{Freshness, Token};

/// The longest sleep. Within this time the agent notices that the clock jumped (NTP,
/// a suspended machine) and that an outage is over.
pub const LONGEST: Duration = Duration::from_secs(60);

/// The first sleep after a failure; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// The longest sleep that an issuer may request (`Retry-After`).
const LONGEST_REQUESTED: Duration = Duration::from_secs(600);

/// Renewal interval of a token without a lifetime.
const NO_LIFETIME: Duration = Duration::from_secs(600);

/// Returns the time to fetch the next token.
pub fn renewal(token: &Token, now: UnixTime, draw: f64) -> UnixTime {
    token
        .lifespan()
        .map_or_else(|| now.plus(NO_LIFETIME), |lifespan| lifespan.renewal(draw))
}

/// Returns a token's freshness; one without a lifetime counts as fresh.
pub fn freshness(token: &Token, now: UnixTime) -> Freshness {
    token
        .lifespan()
        .map_or(Freshness::Fresh, |lifespan| lifespan.freshness(now))
}

/// Returns the sleep until `due`.
pub fn until(due: UnixTime, now: UnixTime) -> Duration {
    due.since(now).min(LONGEST)
}

/// Returns the sleep after this many failed rounds in a row: `draw`, from 0 to 1, selects
/// between half and all of a bound that doubles. The sleep is at least as long as the
/// issuer requested, up to [`LONGEST_REQUESTED`].
pub fn after_failures(rounds: u32, requested: Option<Duration>, draw: f64) -> Duration {
    let requested = requested.unwrap_or_default().min(LONGEST_REQUESTED);
    let doublings = rounds.saturating_sub(1).min(6);
    let bound = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    bound
        .mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0)
        .max(requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_double_up_to_a_minute_and_jitter_halves_them() {
        let millis = |rounds, draw| after_failures(rounds, None, draw).as_millis();
        let longest = [1, 2, 3, 6, 7, 8, u32::MAX].map(|rounds| millis(rounds, 1.0));
        assert_eq!(longest, [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!([millis(1, 0.0), millis(7, 0.5)], [500, 45_000]);
        let secs_of = |secs| after_failures(1, Some(Duration::from_secs(secs)), 1.0).as_secs();
        assert_eq!([0, 120, 100_000].map(secs_of), [1, 120, 600]);
    }

    #[test]
    fn no_sleep_is_longer_than_a_minute_or_than_the_time_left() {
        let at = UnixTime::from_secs;
        assert_eq!(until(at(1000), at(0)), LONGEST);
        assert_eq!(until(at(1000), at(990)), Duration::from_secs(10));
        assert_eq!(until(at(1000), at(1001)), Duration::ZERO);
    }
}
