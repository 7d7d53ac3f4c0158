//! Unusual lifetimes, dates, waits and tokens.

use std::time::{Duration, Instant};

use predicates::str::contains;
use serde_json::Value;

use super::{INVALID_GRANT, JSON, world};
use crate::support::entry::only;
use crate::support::exchange::now;
use crate::support::http::date;
use crate::support::patience::{patient, within};
use crate::support::{Endpoint, Fault, Response, Times, World};

#[test]
fn a_lifetime_of_centuries_is_cut_to_one() {
    let world = World::new();
    let long = Fault::edit(|answer| answer["expires_in"] = 8_999_999_999_u64.into());
    world.issuer.fault(Endpoint::Token, long, 1);
    let output = world.zitadel(["token", "--output", "json"]).run();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        answer["expires_at"].as_str().unwrap().starts_with("21"),
        "{answer}"
    );
    world.zitadel(["kubectl"]).assert().success();
    assert_eq!(world.issuer.token_requests(), 1, "it is cached");
}

#[test]
fn an_implausible_date_is_not_used_in_an_assertion() {
    const YEAR: i64 = 365 * 24 * 3600;
    for offset in [10 * YEAR, 25 * 3600, -10 * YEAR, -now()] {
        let world = World::new();
        let answer = Response::new(400).with_body(JSON, INVALID_GRANT);
        world.issuer.set_date_offset(offset);
        world
            .issuer
            .fault(Endpoint::Token, Fault::Answer(answer), Times::Forever);
        world
            .zitadel(["token"])
            .assert()
            .code(1)
            .stderr(contains("the difference is too large to believe"));
        assert_eq!(
            world.issuer.token_requests(),
            1,
            "{offset}: {}",
            date(now() + offset)
        );
    }
    for offset in [23 * 3600, -23 * 3600] {
        let world = World::new();
        world.issuer.set_date_offset(offset);
        world.zitadel(["token"]).assert().success();
        assert_eq!(world.issuer.token_requests(), 2, "{offset}");
    }
}

#[test]
fn a_partial_timeout_names_its_own_length() {
    patient(|| {
        let (world, _) = world();
        world.pass(50_000);
        world
            .issuer
            .fault(Endpoint::Token, Fault::Hang, Times::Forever);
        let start = Instant::now();
        // The remembered endpoint gets three quarters of the time that is left: 1.5 s, or less on
        // a busy machine.
        world
            .zitadel(["token", "--timeout", "2"])
            .assert()
            .code(75)
            .stderr(contains("no response within 1."));
        within(start.elapsed(), Duration::from_millis(2500));
    });
}

#[test]
fn the_issuer_is_asked_about_a_token_of_any_size() {
    let world = World::new();
    let token = "a".repeat(200_000);
    let large = Fault::edit(move |answer| answer["access_token"] = token.clone().into());
    world.issuer.fault(Endpoint::Token, large, 2);
    world
        .zitadel(["whoami"])
        .assert()
        .failure()
        .stderr(contains("the issuer refused the token"));
    assert!(world.issuer.requests(Endpoint::Userinfo) > 0);
}

/// The JWT has 400 roles.
#[test]
fn a_token_of_more_than_64_kib_is_used_and_reported() {
    let world = World::new();
    world.allow("git.acme.dev");
    let token = format!(
        "{}.{}.{}",
        "a".repeat(100),
        "b".repeat(80_000),
        "c".repeat(342)
    );
    let answer =
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":43199}}"#);
    let fault = Fault::body("application/json", answer);
    world.issuer.fault(Endpoint::Token, fault, Times::Forever);
    for _ in 0..2 {
        let output = world.zitadel(["token"]).run();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            format!("{token}\n")
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
    let asked = world
        .zitadel(["git", "get"])
        .write_stdin("protocol=https\nhost=git.acme.dev\n\n")
        .run();
    let answer = String::from_utf8(asked.stdout).unwrap();
    assert!(answer.contains(&format!("password={token}\n")));
    assert_eq!(world.issuer.token_requests(), 1, "it is cached");
    let said = String::from_utf8(world.zitadel(["token", "-v"]).run().stderr).unwrap();
    let remark = "the token has 80444 bytes: many servers refuse a header of more than 8 KiB";
    assert!(said.contains(remark), "{said}");
    let examined = String::from_utf8(world.zitadel(["doctor"]).run().stdout).unwrap();
    assert!(examined.contains(remark), "{examined}");
    let erased = format!("protocol=https\nhost=git.acme.dev\npassword={token}\n\n");
    world.zitadel(["git", "erase"]).write_stdin(erased).run();
    assert!(world.home.read(only(&world.home)).contains("doubted"));
}
