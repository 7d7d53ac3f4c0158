use std::cell::Cell;

use super::*;

/// A Secret, and the test's own server and clock.
struct World {
    place: Place,
    start: Instant,
    passed: Cell<Duration>,
    sent: Cell<u32>,
}

impl World {
    fn new() -> Self {
        Self {
            place: Place::new("ci/zitadel-token".parse().expect("a name")),
            start: Instant::now(),
            passed: Cell::default(),
            sent: Cell::default(),
        }
    }

    /// Offers a token to a server with this answer.
    fn offer(&mut self, token: &str, answer: fn() -> Result<(), Error>) -> Option<Error> {
        self.offer_slowly(token, Duration::ZERO, answer)
    }

    /// Offers a token to a server that takes this long to answer.
    fn offer_slowly(
        &mut self,
        token: &str,
        delay: Duration,
        answer: fn() -> Result<(), Error>,
    ) -> Option<Error> {
        let token = Token::new(token.to_owned(), None).expect("a b64token");
        let clock = || self.start + self.passed.get();
        if !self.place.is_due(clock(), &token) {
            return None;
        }
        self.place.apply(&clock, &mut || 1.0, &token, |_| {
            self.sent.set(self.sent.get() + 1);
            self.passed.set(self.passed.get() + delay);
            answer()
        })
    }

    /// Lets the time pass until the Secret is due, and returns its length.
    fn wait(&self) -> Duration {
        let due = self.place.due.expect("it was tried");
        let wait = due - (self.start + self.passed.get());
        self.passed.set(self.passed.get() + wait);
        wait
    }
}

fn gone() -> Result<(), Error> {
    Err(Error::Passing(Report::new("connection refused")))
}

#[test]
fn a_secret_is_applied_again_each_minute_and_a_new_token_at_once() {
    let mut world = World::new();
    assert!(world.offer("one", || Ok(())).is_none());
    world.offer("one", || Ok(()));
    assert_eq!(world.sent.get(), 1, "not before a minute");
    assert_eq!(world.wait(), pace::LONGEST);
    world.offer("one", || Ok(()));
    world.offer("two", || Ok(()));
    assert_eq!(world.sent.get(), 3);
}

#[test]
fn a_server_down_for_ten_minutes_is_retried_each_minute_and_then_gets_the_token() {
    let mut world = World::new();
    world.offer("one", || Ok(()));
    world.wait();
    let mut waits = Vec::new();
    while world.passed.get() < Duration::from_secs(660) {
        // A renewal meanwhile does not shorten the pause.
        assert!(world.offer("two", gone).is_some());
        assert!(world.offer("three", gone).is_none());
        waits.push(world.wait().as_secs());
    }
    assert_eq!(
        waits,
        [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60]
    );
    assert!(world.offer("three", || Ok(())).is_none());
    assert_eq!((world.place.failures, world.wait()), (0, pace::LONGEST));
    assert!(
        world
            .place
            .token
            .is_some_and(|token| token.expose() == "three")
    );
}

#[test]
fn the_pause_begins_after_the_attempt() {
    let mut world = World::new();
    world.offer_slowly("one", Duration::from_secs(30), gone);
    assert_eq!(world.wait(), Duration::from_secs(1));
    world.offer_slowly("one", Duration::from_secs(30), || Ok(()));
    assert_eq!(world.wait(), pace::LONGEST);
}

#[test]
fn a_lasting_refusal_differs_from_one_of_a_starting_server() {
    let mut world = World::new();
    let refuse = || Err(Error::Final(Report::new("HTTP 403")));
    for answer in [refuse, refuse, refuse, refuse, gone, refuse] {
        world.offer("one", answer);
        world.wait();
        assert!(world.place.refusals < REFUSALS);
    }
    let start = world.passed.get();
    for _ in 1..REFUSALS {
        world.offer("one", refuse);
        world.wait();
    }
    assert_eq!(world.place.refusals, REFUSALS);
    assert!(world.passed.get() > start);
}

#[test]
fn the_servers_requested_wait_is_kept_also_for_a_new_token() {
    let mut world = World::new();
    let busy = || {
        let wait = Some(Duration::from_secs(300));
        Err(Error::Passing(Report::new("busy").wait(wait)))
    };
    assert!(world.offer("one", busy).is_some());
    assert!(world.offer("two", busy).is_none());
    assert_eq!(world.wait(), Duration::from_secs(300));
}

#[test]
fn the_service_status_includes_failed_secrets() {
    let args = Args {
        kubernetes_secret: vec![],
        secret_type: Kind::Token,
        registry: vec![],
    };
    let mut secrets = Secrets::new(&|_| None, &args).expect("no Secret");
    let status = || "READY=1\nSTATUS=token valid until 12:00".to_owned();
    assert_eq!(secrets.status(&status()), status());
    let mut world = World::new();
    world.offer("one", gone);
    secrets.places.push(world.place);
    assert_eq!(secrets.status(&status()), "STATUS=connection refused");
    secrets.places[0].token = Some(Secret::new("one".to_owned()));
    assert_eq!(
        secrets.status(&status()),
        "READY=1\nSTATUS=connection refused"
    );
}
