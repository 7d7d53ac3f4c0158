//! A real store that is restarted, killed, stopped, full, a replica or slow, or that
//! refuses the login.

use std::time::Duration;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rustix::process::Signal;

use super::{Server, fleet_at, programs};
use crate::support::fleet::{Fleet, quiet_token, token};
use crate::support::patience::{patient, within};
use crate::support::side_by_side;
use crate::support::store::Relay;

/// The maximum delay of a call by a failing store.
const ADDED: Duration = Duration::from_millis(6500);

#[test]
fn a_restart_costs_a_call_nothing_but_time() {
    patient(|| {
        side_by_side(programs(), |program| {
            let mut server = Server::start(&program, "");
            let fleet = server.fleet();
            let first = quiet_token(&server.machine(&fleet));
            server.stop();
            let home = server.machine(&fleet);
            let waiting = std::thread::spawn(move || token(&home));
            std::thread::sleep(Duration::from_millis(500));
            server.run();
            // The store is empty now, so this machine's own token is the next one.
            let (assert, took) = waiting.join().unwrap();
            let second = assert.success().stderr("").get_output().stdout.clone();
            within(took, ADDED);
            let second = String::from_utf8(second).unwrap();
            assert_ne!(second, first);
            assert_eq!(quiet_token(&server.machine(&fleet)), second);
            assert_eq!(fleet.issuer.token_requests(), 2);
        });
    });
}

#[test]
fn a_store_that_was_killed_or_is_stopped_adds_a_bounded_time() {
    patient(|| {
        side_by_side(programs(), |program| {
            let mut server = Server::start(&program, "");
            let fleet = server.fleet();
            quiet_token(&server.machine(&fleet));
            server.running().signal(Signal::STOP);
            in_trouble(&server, &fleet, "no answer in time");
            server.running().signal(Signal::CONT);
            server.stop();
            in_trouble(&server, &fleet, "connection refused");
        });
    });
}

#[test]
fn a_full_store_gives_a_warning_and_a_token() {
    patient(|| {
        side_by_side(programs(), |program| {
            let lines = "maxmemory-policy noeviction\nmaxmemory 1\n";
            let server = Server::start(&program, lines);
            let fleet = server.fleet();
            in_trouble(&server, &fleet, "the server is full (OOM)");
        });
    });
}

#[test]
fn a_replica_is_recognized() {
    patient(|| {
        side_by_side(programs(), |program| {
            // Its primary does not exist, and its data is still served.
            let server = Server::start(&program, "replicaof 127.0.0.1 1\n");
            let fleet = server.fleet();
            in_trouble(&server, &fleet, "the server is a replica");
        });
    });
}

#[test]
fn a_wrong_password_or_a_missing_right_is_named_with_its_remedy() {
    patient(|| {
        side_by_side(programs(), |program| {
            let server = Server::start(
                &program,
                "user poor on >poor resetkeys ~zc1:* -@all +auth +get\n",
            );
            let fleet = server.fleet();
            let login = server.login();
            server.home.write("poor", "poor");
            let wrong = server.home.write("wrong", "another-password");
            let password = server.home.path().join("password").display().to_string();
            let with_wrong = login.replace(&password, wrong.to_str().unwrap());
            let poor = server.home.path().join("poor").display().to_string();
            let with_poor = login
                .replace(&password, &poor)
                .replace("\"zc\"", "\"poor\"");
            for (lines, said) in [
                (
                    with_wrong,
                    "refuses the user name or the password (WRONGPASS)",
                ),
                (with_poor, "the server's ACL does not allow it (NOPERM)"),
            ] {
                let home = fleet.machine_with(&lines);
                let (assert, took) = token(&home);
                let said = contains(said).and(contains("another-password").not());
                assert.success().stderr(said);
                within(took, Duration::from_secs(3));
                let home = fleet.machine_with(&lines);
                let doctor = home.zitadel(["doctor"]).assert().code(1);
                doctor.stdout(contains("shared").and(contains("another-password").not()));
            }
        });
    });
}

#[test]
fn a_slow_store_is_used_or_skipped_in_time() {
    patient(|| {
        side_by_side(programs(), |program| {
            let server = Server::start(&program, "");
            let relay = Relay::start(server.port, Duration::from_millis(50));
            let fleet = fleet_at(relay.port());
            let first = quiet_token(&server.machine(&fleet));
            assert_eq!(quiet_token(&server.machine(&fleet)), first);
            assert_eq!(fleet.issuer.token_requests(), 1);
            let relay = Relay::start(server.port, Duration::from_secs(2));
            let fleet = fleet_at(relay.port());
            in_trouble(&server, &fleet, "no answer in time");
        });
    });
}

/// Asserts that a call without a token mints within the limit, with one warning; with
/// `fail` it makes no request.
fn in_trouble(server: &Server, fleet: &Fleet, said: &str) {
    let requests = fleet.issuer.token_requests();
    let (assert, took) = token(&server.machine(fleet));
    let output = assert.success().stderr(contains(said)).get_output().clone();
    let lines = String::from_utf8(output.stderr).unwrap();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    within(took, ADDED);
    assert_eq!(fleet.issuer.token_requests(), requests + 1);
    let total = fleet.issuer.total_requests();
    let login = format!("{}on-failure = \"fail\"\n", server.login());
    let (assert, took) = token(&fleet.machine_with(&login));
    assert.code(75).stdout("").stderr(contains(said));
    within(took, ADDED);
    assert_eq!(fleet.issuer.total_requests(), total);
}
