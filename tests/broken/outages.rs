//! A failing issuer: the retries, and the end of all of them in time.

use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use predicates::str::contains;

use crate::support::World;
use crate::support::exchange::now;
use crate::support::http::{date, listen};
use crate::support::issuer::{Endpoint, Fault, Times, Version};
use crate::support::keys::ServiceUser;
use crate::support::patience::{patient, within};
use crate::support::ports::free_port;

/// Runs `token` with this timeout in seconds, and measures its duration.
fn timed(world: &World, timeout: u64) -> (Assert, Duration) {
    let start = Instant::now();
    let assert = world
        .zitadel(["token", "--timeout", &timeout.to_string()])
        .assert();
    (assert, start.elapsed())
}

#[test]
fn temporary_errors_are_tried_three_times() {
    for (endpoint, status) in [
        (Endpoint::Discovery, 429),
        (Endpoint::Token, 502),
        (Endpoint::Token, 504),
    ] {
        let world = World::new();
        let fault = Fault::status(status, "text/plain", "busy\n");
        world.issuer.fault(endpoint, fault, 2usize);
        timed(&world, 30).0.success().stderr("");
        assert_eq!(world.issuer.requests(endpoint), 3);
    }
}

#[test]
fn after_three_tries_it_gives_up_for_now() {
    patient(|| {
        let world = World::new();
        world
            .issuer
            .fault(Endpoint::Token, Fault::rate_limit(), Times::Forever);
        let (assert, took) = timed(&world, 30);
        assert.code(75).stdout("").stderr(contains("HTTP 429"));
        assert_eq!(world.issuer.token_requests(), 3);
        within(took, Duration::from_secs(5));
    });
}

#[test]
fn a_broken_connection_is_tried_again() {
    for fault in [Fault::Close, Fault::CutMidBody] {
        let world = World::new();
        world.issuer.fault(Endpoint::Token, fault, 2usize);
        timed(&world, 30).0.success().stderr("");
        assert_eq!(world.issuer.token_requests(), 3);
    }
}

#[test]
fn a_refusal_is_final_even_as_a_500() {
    for version in Version::ALL {
        let world = World::new();
        world.issuer.set_version(version);
        world.issuer.remove_key(&world.user.key_id);
        timed(&world, 30).0.code(1).stdout("");
        // A 500 may be an internal error of the issuer.
        let is_500 = matches!(version, Version::Older | Version::V2025);
        let tries = if is_500 { 2 } else { 1 };
        assert_eq!(world.issuer.token_requests(), tries, "{version:?}");
    }
}

#[test]
fn the_wait_that_the_issuer_asks_for_is_kept() {
    patient(|| {
        for is_date in [false, true] {
            let world = World::new();
            let wait = if is_date {
                date(now() + 2)
            } else {
                "1".to_owned()
            };
            let fault = Fault::retry_after(503, &wait);
            world.issuer.fault(Endpoint::Token, fault, 1usize);
            let (assert, took) = timed(&world, 30);
            assert.success().stderr("");
            // A date has whole seconds: two may be little more than one.
            assert!(took >= Duration::from_millis(900), "{wait}: {took:?}");
            within(took, Duration::from_secs(5));
        }
    });
}

#[test]
fn a_wait_beyond_the_timeout_fails_at_once_and_names_the_wait() {
    patient(|| {
        for wait in ["120".to_owned(), date(now() + 120)] {
            let world = World::new();
            let fault = Fault::retry_after(429, &wait);
            world.issuer.fault(Endpoint::Token, fault, Times::Forever);
            let (assert, took) = timed(&world, 30);
            assert.code(75).stdout("").stderr(contains("try again in"));
            assert_eq!(world.issuer.token_requests(), 1);
            within(took, Duration::from_secs(3));
        }
    });
}

#[test]
fn a_hang_ends_at_the_timeout_and_its_phase_is_named() {
    patient(|| {
        for endpoint in [Endpoint::Discovery, Endpoint::Token] {
            let world = World::new();
            world.issuer.fault(endpoint, Fault::Hang, Times::Forever);
            let (assert, took) = timed(&world, 1);
            assert
                .code(75)
                .stdout("")
                .stderr(contains("within 1 s, while waiting for the response"));
            within(took, Duration::from_secs(3));
        }
    });
}

/// Returns a world whose issuer is a silent port.
fn world_at(port: u16) -> World {
    let world = World::new();
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"https://localhost:{port}\"\nkey-file = \"~/key.json\"\n"
    ));
    world
}

#[test]
fn a_hanging_handshake_ends_at_the_timeout() {
    patient(|| {
        let listener = listen();
        let port = listener.local_addr().unwrap().port();
        let (assert, took) = timed(&world_at(port), 1);
        assert
            .code(75)
            .stdout("")
            .stderr(contains("while in the TLS handshake"));
        within(took, Duration::from_secs(3));
    });
}

#[test]
fn a_refused_connection_and_an_unknown_name_say_where() {
    patient(|| {
        let port = free_port();
        let world = world_at(port);
        let (assert, took) = timed(&world, 30);
        assert
            .code(75)
            .stderr(contains(format!("connecting to 127.0.0.1:{port}")));
        within(took, Duration::from_secs(5));

        world.home.write_config(
            "[profiles.p]\nissuer = \"https://issuer.invalid\"\nkey-file = \"~/key.json\"\n",
        );
        let (assert, took) = timed(&world, 2);
        assert.code(75).stderr(contains("issuer.invalid"));
        within(took, Duration::from_secs(4));
    });
}

#[test]
fn a_key_that_was_just_made_may_take_a_moment() {
    let world = World::new();
    let stranger = ServiceUser::new();
    let key_file = world.home.write("new.json", stranger.key_json());
    world
        .zitadel(["token", "--key-file", key_file.to_str().unwrap()])
        .assert()
        .code(1)
        .stderr(contains("may take a moment"));
    world.issuer.register(&stranger);
    world
        .zitadel(["token", "--key-file", key_file.to_str().unwrap()])
        .assert()
        .success();
}

#[test]
fn a_token_that_expired_on_its_way_is_not_returned() {
    let world = World::new();
    world.issuer.set_lifetime(3);
    let late = Fault::Delay(Duration::from_secs(3));
    world.issuer.fault(Endpoint::Token, late, Times::Forever);
    let (assert, _) = timed(&world, 20);
    assert
        .code(75)
        .stdout("")
        .stderr(contains("had expired when it arrived"));
}
