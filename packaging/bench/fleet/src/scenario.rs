//! The scenarios of a fleet, and the limits of each.

use std::time::Duration;

use crate::issuer::Mood;

/// The store's behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// There is no shared cache in the configuration.
    Absent,
    Up,
    /// It refuses writes, because its memory is full.
    Full,
    /// Each of its answers has this delay.
    Slow(Duration),
    /// It accepts connections, but never answers.
    Hung,
    /// It is killed when half of the fleet has started.
    KilledMidway,
    /// Nothing listens.
    Down,
}

/// One run of a fleet.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub store: Behaviour,
    /// `on-failure = "fail"` in place of `"mint"`.
    pub fails: bool,
    pub issuer: Mood,
    /// The fleet's size, as a share of the requested size.
    pub part: f64,
    /// The time in which it starts, as a share of the requested time; 0 for a herd.
    pub spread: f64,
    /// One runner in a hundred has a clock that is two hours off, half of them late.
    pub skewed: bool,
    /// The first runner is killed while it waits for the issuer.
    pub leader_killed: bool,
    /// The limits.
    pub bounds: &'static [Bound],
}

/// A bound of a scenario.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// Tokens granted, at most.
    Mints(usize),
    /// At most one, and one more for each wrong clock.
    MintsOfClocks,
    /// Requests at the token endpoint, at most.
    TokenRequests(usize),
    /// No request reaches the issuer.
    NoRequest,
    /// No request after the first token was granted.
    NoRequestLater,
    /// Runners that ask the issuer in any one minute, at most.
    TriesAMinute(usize),
    No429,
    /// Each runner gets a token.
    AllServed,
    /// Each runner ends with 75: try again later.
    AllRefused,
    /// No second call of a runner reaches the issuer.
    NoFlapping,
    /// The 99th percentile of the added time in milliseconds.
    P99(f64),
    /// The longest added time in milliseconds.
    Longest(f64),
    /// The time from the leader's death to the first token in milliseconds.
    Recovery(f64),
}

const PLAIN: Scenario = Scenario {
    name: "",
    title: "",
    store: Behaviour::Up,
    fails: false,
    issuer: Mood::Up,
    part: 1.0,
    spread: 1.0,
    skewed: false,
    leader_killed: false,
    bounds: &[],
};

/// The delay that a failing store may cause for a runner, in milliseconds.
const PATIENCE: f64 = 5500.0;

/// The duration of a leader's lock plus one second, in milliseconds.
const LEASE: f64 = 16_000.0;

/// A share of the runners that is small enough for each to mint, with discovery.
const FEW: f64 = 0.06;

const MINTS_WITHOUT: &[Bound] = &[Bound::Longest(PATIENCE), Bound::No429, Bound::AllServed];
const FAILS_WITHOUT: &[Bound] = &[
    Bound::Longest(PATIENCE),
    Bound::NoRequest,
    Bound::AllRefused,
];

/// All scenarios.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "alone",
        title: "no shared cache",
        store: Behaviour::Absent,
        ..PLAIN
    },
    Scenario {
        name: "alone-herd",
        title: "no shared cache, all at once",
        store: Behaviour::Absent,
        spread: 0.0,
        ..PLAIN
    },
    Scenario {
        name: "up",
        title: "store up",
        bounds: &[
            Bound::Mints(1),
            Bound::No429,
            Bound::AllServed,
            Bound::P99(250.0),
        ],
        ..PLAIN
    },
    Scenario {
        name: "up-herd",
        title: "store up, all at once",
        spread: 0.0,
        bounds: &[
            Bound::Mints(1),
            Bound::No429,
            Bound::AllServed,
            Bound::P99(2000.0),
        ],
        ..PLAIN
    },
    Scenario {
        name: "clocks",
        title: "1 % of the clocks off by two hours",
        skewed: true,
        bounds: &[
            Bound::MintsOfClocks,
            Bound::NoFlapping,
            Bound::No429,
            Bound::AllServed,
        ],
        ..PLAIN
    },
    Scenario {
        name: "leader-killed",
        title: "first leader killed at the issuer",
        issuer: Mood::SlowOnce,
        leader_killed: true,
        bounds: &[
            Bound::TokenRequests(2),
            Bound::Recovery(LEASE),
            Bound::No429,
            Bound::AllServed,
        ],
        ..PLAIN
    },
    Scenario {
        name: "issuer-down",
        title: "issuer down",
        issuer: Mood::Down,
        spread: 2.0,
        bounds: &[Bound::TriesAMinute(2)],
        ..PLAIN
    },
    Scenario {
        name: "banned",
        title: "address banned by others",
        issuer: Mood::Banned,
        bounds: &[Bound::TriesAMinute(2)],
        ..PLAIN
    },
    Scenario {
        name: "slow",
        title: "store slow: 300 ms an answer",
        store: Behaviour::Slow(Duration::from_millis(300)),
        bounds: &[Bound::Longest(PATIENCE), Bound::No429, Bound::AllServed],
        ..PLAIN
    },
    Scenario {
        name: "too-slow",
        title: "store too slow: 2 s an answer, fail",
        store: Behaviour::Slow(Duration::from_secs(2)),
        fails: true,
        bounds: FAILS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "hung",
        title: "store hung, fail",
        store: Behaviour::Hung,
        fails: true,
        bounds: FAILS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "hung-mint",
        title: "store hung, mint: few runners",
        store: Behaviour::Hung,
        part: FEW,
        bounds: MINTS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "killed",
        title: "store killed midway, fail",
        store: Behaviour::KilledMidway,
        fails: true,
        bounds: &[
            Bound::Mints(1),
            Bound::NoRequestLater,
            Bound::No429,
            Bound::Longest(PATIENCE),
        ],
        ..PLAIN
    },
    Scenario {
        name: "killed-mint",
        title: "store killed midway, mint",
        store: Behaviour::KilledMidway,
        ..PLAIN
    },
    Scenario {
        name: "full",
        title: "store full, fail",
        store: Behaviour::Full,
        fails: true,
        bounds: FAILS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "full-mint",
        title: "store full, mint: few runners",
        store: Behaviour::Full,
        part: FEW,
        bounds: MINTS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "down",
        title: "store down, fail",
        store: Behaviour::Down,
        fails: true,
        bounds: FAILS_WITHOUT,
        ..PLAIN
    },
    Scenario {
        name: "down-mint",
        title: "store down, mint: few runners",
        store: Behaviour::Down,
        part: FEW,
        bounds: MINTS_WITHOUT,
        ..PLAIN
    },
];
