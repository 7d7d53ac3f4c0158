use std::cell::Cell;
use std::fs;

use tempfile::TempDir;

use super::*;
use crate::error::Report;
use crate::token::Lifespan;

const LIFETIME: u64 = 3600;

/// A keeper of two files. The test controls clock, issuer and disk.
struct World {
    dir: TempDir,
    keeper: Keeper,
    now: Cell<u64>,
    minted: Cell<u32>,
    takes: Duration,
    is_down: Cell<bool>,
    is_full: Cell<bool>,
    failed_renewal: Cell<Option<Duration>>,
    lifetime: Cell<Option<u64>>,
    age: Cell<u64>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let keeper = Keeper::new(
            &["a", "b"].map(|name| dir.path().join(name)),
            Access::PRIVATE,
        );
        Self {
            dir,
            keeper,
            now: Cell::new(1_000_000),
            minted: Cell::default(),
            takes: Duration::ZERO,
            is_down: Cell::default(),
            is_full: Cell::default(),
            failed_renewal: Cell::default(),
            lifetime: Cell::new(Some(LIFETIME)),
            age: Cell::default(),
        }
    }

    fn fetch(&self) -> Result<Fetched, Error> {
        if self.is_down.get() {
            return Err(Error::Passing(Report::new("no answer")));
        }
        // A slow issuer.
        self.pass(self.takes);
        self.minted.set(self.minted.get() + 1);
        let obtained_at = UnixTime::from_secs(self.now.get() - self.age.get());
        let lifespan = self.lifetime.get().map(|secs| Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(secs)),
        });
        let token = Token::new(format!("token-{}", self.minted.get()), lifespan);
        Ok(Fetched {
            token: token.expect("a b64token"),
            failed_renewal: self.failed_renewal.get().map(|wait| FailedRenewal {
                why: "busy".to_owned(),
                wait: Some(wait),
                kind: Kind::Passing,
            }),
        })
    }

    /// Runs one round, without the sleep after it.
    fn round(&mut self) -> Round {
        let mut keeper = mem::replace(&mut self.keeper, Keeper::new(&[], Access::PRIVATE));
        let round = keeper.round(
            &|| UnixTime::from_secs(self.now.get()),
            &mut || 0.5,
            &mut || self.fetch(),
            &mut |path, text| {
                if self.is_full.get() && path.ends_with("a") {
                    return Err(Error::Final(Report::new("no space")));
                }
                fs::write(path, text.expose()).expect("written");
                Ok(())
            },
        );
        self.keeper = keeper;
        round
    }

    fn pass(&self, span: Duration) {
        self.now.set(self.now.get() + span.as_secs());
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn a_day_of_hourly_tokens_always_has_a_valid_one_and_mints_each_once() {
    let mut world = World::new();
    let start = world.now.get();
    while world.now.get() < start + 24 * LIFETIME {
        let round = world.round();
        assert!(round.is_well && round.sleep <= pace::LONGEST);
        let current = world.keeper.current.as_ref().expect("a token");
        assert_eq!(world.file("a"), current.token.expose());
        let now = UnixTime::from_secs(world.now.get());
        let freshness = pace::freshness(&current.token, now);
        assert_ne!(freshness, Freshness::Unusable);
        world.pass(round.sleep.max(Duration::from_secs(1)));
    }
    // Each is renewed in the middle of the first half of its renewal window.
    assert_eq!(world.minted.get(), 28);
}

#[test]
fn an_outage_keeps_the_files_and_is_retried_with_longer_sleeps() {
    let mut world = World::new();
    world.round();
    world.is_down.set(true);
    world.pass(Duration::from_secs(LIFETIME));
    let sleeps = [(); 9].map(|()| {
        let round = world.round();
        assert!(!round.has_replaced && !round.is_well);
        assert!(world.keeper.continues_after(&round.errors[0]));
        round.sleep.as_millis()
    });
    let expected = [
        750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000, 45_000,
    ];
    assert_eq!(sleeps, expected);
    assert_eq!([world.file("a"), world.file("b")], ["token-1", "token-1"]);
    world.is_down.set(false);
    assert!(world.round().is_well);
    assert_eq!([world.file("a"), world.file("b")], ["token-2", "token-2"]);
}

#[test]
fn a_slow_issuer_mints_only_once() {
    let mut world = World::new();
    world.takes = Duration::from_secs(20);
    assert!(world.round().is_well);
    assert_eq!(world.minted.get(), 1);
}

#[test]
fn a_failed_file_does_not_delay_the_renewal() {
    let mut world = World::new();
    world.is_full.set(true);
    for _ in 0..9 {
        world.round();
    }
    // The renewal is due 3,142 s after the start of the token's lifetime.
    world.pass(Duration::from_secs(3122));
    assert_eq!(world.round().sleep, Duration::from_secs(20));
}

#[test]
fn the_issuers_requested_wait_is_kept() {
    let mut keeper = Keeper::new(&[], Access::PRIVATE);
    let now = UnixTime::from_secs(1_000_000);
    let wait = Duration::from_secs(120);
    let busy = || Error::Passing(Report::new("busy").wait(Some(wait)));
    let round = keeper.round(
        &|| now,
        &mut || 0.5,
        &mut || Err(busy()),
        &mut |_, _| Ok(()),
    );
    assert_eq!(round.sleep, wait);
}

#[test]
fn a_clock_jump_in_either_direction_is_noticed_in_the_next_round() {
    for jump in [-7200_i64, 7200] {
        let mut world = World::new();
        world.round();
        world.now.set(world.now.get().saturating_add_signed(jump));
        let round = world.round();
        assert_eq!(
            (world.file("a"), round.is_well),
            ("token-2".to_owned(), true)
        );
    }
}

#[test]
fn a_failed_file_does_not_stop_the_others_and_is_retried() {
    let mut world = World::new();
    world.is_full.set(true);
    let round = world.round();
    assert!(round.has_replaced && world.keeper.continues_after(&round.errors[0]));
    assert_eq!([world.file("a"), world.file("b")], ["", "token-1"]);
    assert!(
        !world.keeper.status().contains("READY"),
        "one file is missing"
    );
    world.is_full.set(false);
    assert!(world.round().is_well);
    assert_eq!(
        (world.file("a"), world.minted.get()),
        ("token-1".to_owned(), 1)
    );
    assert!(world.keeper.status().starts_with("READY=1\n"));
}

#[test]
fn a_removed_file_is_written_again() {
    let mut world = World::new();
    assert!(world.round().has_replaced);
    assert!(!world.round().has_replaced);
    fs::remove_file(world.dir.path().join("b")).expect("removed");
    assert!(world.round().has_replaced);
    assert_eq!(
        (world.file("b"), world.minted.get()),
        ("token-1".to_owned(), 1)
    );
}

#[test]
fn before_the_first_file_only_temporary_errors_are_retried() {
    let mut keeper = Keeper::new(&["/nowhere/a".into()], Access::PRIVATE);
    let last = || Error::Final(Report::new("refused"));
    assert!(!keeper.continues_after(&last()));
    assert!(keeper.continues_after(&Error::Passing(Report::new("no answer"))));
    let world = World::new();
    let now = UnixTime::from_secs(world.now.get());
    let round = keeper.round(&|| now, &mut || 0.5, &mut || world.fetch(), &mut |_, _| {
        Err(last())
    });
    assert!(
        !keeper.continues_after(&round.errors[0]),
        "no file was written"
    );
    let mut world = World::new();
    world.round();
    assert!(world.keeper.continues_after(&last()));
}

#[test]
fn a_file_that_another_agent_wrote_is_not_replaced() {
    let mut world = World::new();
    world.round();
    let path = world.dir.path().join("a");
    let token = world
        .keeper
        .current
        .as_ref()
        .expect("a token")
        .token
        .clone();
    token_file::write_noted(&path, &token, &Access::PRIVATE, UnixTime::now()).expect("written");
    assert!(!world.round().has_replaced);
}

#[test]
fn a_changed_file_is_written_again() {
    let mut world = World::new();
    world.round();
    for change in ["garbage", "token-2", "token-1"] {
        let path = world.dir.path().join("a");
        fs::remove_file(&path).expect("removed");
        fs::write(path, change).expect("written");
        let round = world.round();
        assert!(round.has_replaced && round.is_well);
        assert_eq!([world.file("a"), world.file("b")], ["token-1", "token-1"]);
        assert!(!world.round().has_replaced);
    }
    assert_eq!(world.minted.get(), 1);
}

#[test]
fn a_clock_set_back_also_renews_a_token_without_a_lifetime() {
    let mut world = World::new();
    world.lifetime.set(None);
    world.round();
    world.now.set(world.now.get() - 100_000);
    assert!(world.round().has_replaced);
    assert_eq!(world.file("a"), "token-2");
}

#[test]
fn the_issuers_requested_wait_is_kept_while_the_token_is_valid() {
    let mut world = World::new();
    // The broker's token is in its renewal window, and the issuer has no newer one.
    world.age.set(LIFETIME - 300);
    world.failed_renewal.set(Some(Duration::from_secs(300)));
    let sleeps = [(); 2].map(|()| world.round().sleep);
    assert_eq!(sleeps, [Duration::from_secs(300); 2]);
}
