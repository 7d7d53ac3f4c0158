//! The outcome of a scenario: figures, and which limits hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::issuer::{self, Kind, Seen};
use crate::scenario::{Bound, Scenario};
use crate::swarm::Call;

const MINUTE: Duration = Duration::from_secs(60);

/// A fleet's calls, and what the issuer saw of them.
pub struct Outcome {
    pub scenario: Scenario,
    /// Number of runners.
    pub asked: usize,
    pub calls: Vec<Call>,
    pub seen: Vec<Seen>,
    pub granted: HashMap<String, Instant>,
    pub bans: usize,
    /// Start time of the first runner.
    pub zero: Instant,
    pub leader_killed_at: Option<Instant>,
    pub load: String,
}

impl Outcome {
    /// Returns the first call of each runner.
    fn first(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.number == 0)
    }

    pub fn mints(&self) -> usize {
        self.granted.len()
    }

    pub fn requests(&self, kind: Kind) -> usize {
        self.seen.iter().filter(|seen| seen.kind == kind).count()
    }

    pub fn refused(&self) -> usize {
        self.seen.iter().filter(|seen| seen.status == 429).count()
    }

    pub fn served(&self) -> usize {
        self.first().filter(|call| call.code == 0).count()
    }

    /// Returns a percentile of the added time in milliseconds, with and without the time
    /// in which other runners had the processors. All of a call counts as added: the key,
    /// the signature and the program's start too, but not the issuer's answers to a runner
    /// that has to mint.
    pub fn added(&self, part: f64) -> (f64, f64) {
        let wall = percentile(self.first().map(|call| call.to - call.from), part);
        let own = |call: &Call| (call.to - call.from - call.queued).max(0.0);
        (wall, percentile(self.first().map(own), part))
    }

    /// Returns a percentile of the added time of processes, as [`Outcome::added`] does.
    pub fn added_to_processes(&self, part: f64) -> f64 {
        let processes = self.first().filter(|call| call.is_process);
        let own = |call: &Call| (call.to - call.from - call.queued).max(0.0);
        percentile(processes.map(own), part)
    }

    /// Returns the number of returned tokens that the issuer did not grant.
    pub fn wrong(&self) -> usize {
        let is_wrong = |call: &&Call| (call.code == 0) != self.granted.contains_key(&call.token);
        self.calls.iter().filter(is_wrong).count()
    }

    /// Returns the largest number of runners that asked the issuer within a minute.
    pub fn tries_a_minute(&self) -> usize {
        let mut starts = BTreeMap::new();
        for seen in &self.seen {
            starts.entry(seen.connection).or_insert(seen.at);
        }
        let mut starts: Vec<_> = starts.into_values().collect();
        starts.sort();
        let within = |(n, start): (usize, &Instant)| {
            starts[n..]
                .iter()
                .take_while(|at| **at - *start < MINUTE)
                .count()
        };
        starts.iter().enumerate().map(within).max().unwrap_or(0)
    }

    /// Returns the time of the first granted token that a runner has.
    fn first_grant(&self) -> Option<Instant> {
        let tokens: BTreeSet<_> = self.calls.iter().map(|call| &call.token).collect();
        let used = self
            .granted
            .iter()
            .filter(|(token, _)| tokens.contains(token));
        used.map(|(_, at)| *at).min()
    }

    /// Returns the number of runners that got another token at a later call.
    pub fn flapping(&self) -> usize {
        let first: HashMap<_, _> = self.first().map(|call| (call.id, &call.token)).collect();
        let later = self.calls.iter().filter(|call| call.number > 0);
        later
            .filter(|call| first.get(&call.id) != Some(&&call.token))
            .count()
    }

    /// Returns the milliseconds from the leader's death to the first token.
    pub fn recovery(&self) -> Option<f64> {
        let killed = self.leader_killed_at?;
        Some(
            self.first_grant()?
                .saturating_duration_since(killed)
                .as_secs_f64()
                * 1000.0,
        )
    }

    /// Returns the milliseconds from the start to the first token at the issuer.
    pub fn first_token(&self) -> Option<f64> {
        let since = self.first_grant()?.saturating_duration_since(self.zero);
        Some(since.as_secs_f64() * 1000.0)
    }

    /// Returns the errors and warnings of runners, each with the number of runners.
    pub fn errors(&self) -> Vec<(String, usize)> {
        let mut errors = BTreeMap::<String, usize>::new();
        for call in self.first().filter(|call| !call.error.is_empty()) {
            let text: String = call
                .error
                .chars()
                .map(|c| if c.is_ascii_digit() { '#' } else { c })
                .collect();
            *errors
                .entry(format!("exit {}: {text}", call.code))
                .or_default() += 1;
        }
        let mut errors: Vec<_> = errors.into_iter().collect();
        errors.sort_by_key(|(_, count)| usize::MAX - count);
        errors
    }

    /// Returns each bound in words, and whether it holds.
    pub fn bounds(&self) -> Vec<(String, bool)> {
        let bounds = self.scenario.bounds.iter().map(|bound| self.bound(*bound));
        let wrong = self.wrong();
        let complete = self
            .first()
            .map(|call| call.id)
            .collect::<BTreeSet<_>>()
            .len();
        let always = [
            (format!("no wrong token: {wrong}"), wrong == 0),
            (format!("all calls end: {complete}"), complete == self.asked),
        ];
        bounds.chain(always).collect()
    }

    /// Returns true if times exceed their bounds, and all other bounds hold.
    pub fn is_only_late(&self) -> bool {
        let late = self.scenario.bounds.iter().filter(|bound| {
            let is_time = matches!(
                bound,
                Bound::P99(_) | Bound::Longest(_) | Bound::Recovery(_)
            );
            is_time && !self.bound(**bound).1
        });
        let late = late.count();
        let broken = self.bounds().iter().filter(|(_, holds)| !holds).count();
        late > 0 && late == broken
    }

    fn bound(&self, bound: Bound) -> (String, bool) {
        let most = |what: &str, is: usize, most: usize| {
            (format!("{what} at most {most}: {is}"), is <= most)
        };
        let within = |what: &str, is: f64, most: f64| {
            (format!("{what} at most {most} ms: {is:.0}"), is <= most)
        };
        match bound {
            Bound::Mints(n) => most("mints", self.mints(), n),
            Bound::MintsOfClocks => {
                let off = self.asked.div_ceil(100);
                most("mints", self.mints(), 1 + off)
            }
            Bound::TokenRequests(n) => most("token requests", self.requests(Kind::Token), n),
            Bound::NoRequest => most("requests", self.seen.len(), 0),
            Bound::NoRequestLater => {
                let first = self.first_grant();
                let later = self
                    .seen
                    .iter()
                    .filter(|seen| first.is_some_and(|first| seen.at > first));
                most("requests after the first token", later.count(), 0)
            }
            Bound::TriesAMinute(n) => most("tries a minute", self.tries_a_minute(), n),
            Bound::No429 => most("429s", self.refused(), 0),
            Bound::AllServed => {
                let without = self.asked - self.served();
                most("runners without a token", without, 0)
            }
            Bound::AllRefused => {
                let other = self.first().filter(|call| call.code != 75).count();
                most("runners with another exit than 75", other, 0)
            }
            Bound::NoFlapping => most("tokens that changed", self.flapping(), 0),
            Bound::P99(ms) => within("added p99", self.added(0.99).1, ms),
            Bound::Longest(ms) => within("longest added", self.longest(), ms),
            Bound::Recovery(ms) => {
                within("first token after", self.recovery().unwrap_or(f64::MAX), ms)
            }
        }
    }

    /// Returns the longest added time, without the issuer's answers where each runner
    /// has to mint.
    pub fn longest(&self) -> f64 {
        let each_mints = self.mints() * 2 > self.asked;
        let answers = if each_mints { 2 } else { 0 };
        let issuers = (issuer::LATENCY * answers).as_secs_f64() * 1000.0;
        self.added(1.0).1 - issuers
    }
}

/// Returns the value below which this share of all values is.
pub fn percentile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let rank = (part * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let of = |part| percentile((1..=200).map(f64::from), part);
        assert_eq!(
            [of(0.0), of(0.5), of(0.99), of(1.0)],
            [1.0, 100.0, 198.0, 200.0]
        );
        assert_eq!(percentile(std::iter::empty(), 0.5), 0.0);
    }
}
