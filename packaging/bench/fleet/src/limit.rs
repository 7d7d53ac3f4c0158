//! The two rules of ZITADEL Cloud for one address: 50 requests a second averaged over a
//! minute, and a ban of a minute for an address that is above them for three.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Requests a second.
pub const RATE: usize = 50;

const MINUTE: Duration = Duration::from_secs(60);
const THREE: Duration = Duration::from_secs(180);

/// The requests of one address. Refused ones count too.
#[derive(Default)]
pub struct Limit {
    seen: VecDeque<Instant>,
    banned_until: Option<Instant>,
    /// Number of the address's bans.
    pub bans: usize,
}

impl Limit {
    /// Counts a request, and returns whether it is served.
    pub fn admits(&mut self, now: Instant) -> bool {
        while self.seen.front().is_some_and(|at| now - *at >= THREE) {
            self.seen.pop_front();
        }
        self.seen.push_back(now);
        if self.banned_until.is_some_and(|end| now < end) {
            return false;
        }
        if self.seen.len() > RATE * 180 {
            self.banned_until = Some(now + MINUTE);
            self.bans += 1;
            return false;
        }
        let older = self.seen.partition_point(|at| now - *at >= MINUTE);
        self.seen.len() - older <= RATE * 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(limit: &mut Limit, start: Instant, from: u64, rate: u64, secs: u64) -> usize {
        let ticks = (from * rate..(from + secs) * rate).map(|n| n * 1000 / rate);
        let times = ticks.map(|millis| start + Duration::from_millis(millis));
        times.filter(|at| limit.admits(*at)).count()
    }

    #[test]
    fn fifty_a_second_are_served_for_ever() {
        let (mut limit, start) = (Limit::default(), Instant::now());
        assert_eq!(served(&mut limit, start, 0, 50, 600), 50 * 600);
        assert_eq!(limit.bans, 0);
    }

    #[test]
    fn a_minutes_requests_may_come_at_once_and_no_more() {
        let (mut limit, start) = (Limit::default(), Instant::now());
        let at_once = (0..10_000).filter(|_| limit.admits(start)).count();
        assert_eq!((at_once, limit.bans), (3000, 1));
        let later = start + Duration::from_secs(59);
        assert!(!limit.admits(later), "it is banned");
    }

    #[test]
    fn exceeding_the_limit_for_three_minutes_bans_for_one() {
        let (mut limit, start) = (Limit::default(), Instant::now());
        served(&mut limit, start, 0, 60, 151);
        assert_eq!(limit.bans, 1);
        assert!(!limit.admits(start + Duration::from_secs(200)));
        assert!(limit.admits(start + Duration::from_secs(400)));
    }
}
