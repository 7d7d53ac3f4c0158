//! A wrong clock, by faketime: a token whenever the issuer's own clock allows one, and
//! never a loop.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::program::{client, output};
use crate::support::{Running, World, binary, until};

/// Runs `token` at an offset from the true time, like `+2h`.
fn token_at(faketime: &Path, world: &World, offset: &str) -> Command {
    let mut command = world.home.command(faketime);
    command.args(["-f", offset]).arg(binary()).arg("token");
    // Waits use the clock that cannot be set.
    command.env("DONT_FAKE_MONOTONIC", "1");
    command
}

/// Returns the token, which must be valid, and stderr.
fn answered(world: &World, output: &Output) -> (String, String) {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(output.status.success(), "{stderr}");
    let token = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(world.issuer.accepts(token.trim_end()), "{stderr}");
    (token, stderr)
}

/// Asserts that stderr is one warning with the clock's offset in seconds.
fn assert_told(stderr: &str, off: RangeInclusive<u64>, side: &str) {
    let told = stderr
        .strip_prefix("zitadel-credential: warning: the local clock is ")
        .and_then(|rest| {
            rest.strip_suffix(&format!(" s {side} the issuer's: synchronize it (NTP)\n"))
        })
        .and_then(|seconds| seconds.parse().ok());
    assert!(
        told.is_some_and(|seconds| off.contains(&seconds)),
        "{stderr}"
    );
}

#[test]
fn a_clock_within_the_assertions_leeway_is_not_noticed() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    // iat is backdated by 60 s, exp is 600 s ahead.
    for offset in ["+5s", "+55s", "-5s", "-90s", "-590s"] {
        let world = World::new();
        let (first, stderr) = answered(&world, &output(token_at(&faketime, &world, offset)));
        assert_eq!(stderr, "", "{offset}");
        assert_eq!(world.issuer.token_requests(), 1, "{offset}");
        let (second, _) = answered(&world, &output(token_at(&faketime, &world, offset)));
        assert_eq!(second, first, "{offset}: from the cache");
    }
}

#[test]
fn a_clock_beyond_the_leeway_gives_one_warning_and_a_second_assertion() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    for (offset, off, side) in [
        ("+90s", 88..=91, "ahead of"),
        ("+2h", 7198..=7201, "ahead of"),
        ("-610s", 609..=612, "behind"),
        ("-2h", 7199..=7202, "behind"),
    ] {
        let world = World::new();
        let (first, stderr) = answered(&world, &output(token_at(&faketime, &world, offset)));
        assert_told(&stderr, off, side);
        assert_eq!(world.issuer.token_requests(), 2, "{offset}");
        let (second, stderr) = answered(&world, &output(token_at(&faketime, &world, offset)));
        assert_eq!((second, stderr.as_str()), (first, ""), "{offset}: cached");
        assert_eq!(world.issuer.token_requests(), 2, "{offset}");
    }
}

#[test]
fn a_refusal_not_due_to_the_clock_makes_at_most_two_requests() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    for (offset, requests) in [("+5s", 1), ("-2h", 2)] {
        let world = World::new();
        world.issuer.remove_key(&world.user.key_id);
        let refused = output(token_at(&faketime, &world, offset));
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(world.issuer.token_requests(), requests, "{offset}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_the_entry_unusable() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    // The clock goes from the first offset back to the second.
    for (ahead, back) in [("+0s", "-90s"), ("+2h", "+0s"), ("+2h", "-2h")] {
        let world = World::new();
        let (first, _) = answered(&world, &output(token_at(&faketime, &world, ahead)));
        let before = world.issuer.issued_tokens().len();
        let (second, _) = answered(&world, &output(token_at(&faketime, &world, back)));
        assert_ne!(second, first, "{ahead} {back}");
        assert_eq!(world.issuer.issued_tokens().len(), before + 1);
        let (third, _) = answered(&world, &output(token_at(&faketime, &world, back)));
        assert_eq!(third, second, "{ahead} {back}: the new one is cached");
    }
}

#[test]
fn a_clock_that_is_set_forward_past_the_end_makes_the_entry_unusable() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    let world = World::new();
    let (first, _) = answered(&world, &output(token_at(&faketime, &world, "+0s")));
    let (second, stderr) = answered(&world, &output(token_at(&faketime, &world, "+12h")));
    assert_ne!(second, first);
    assert_told(&stderr, 43_198..=43_201, "ahead of");
}

/// A second counts as a minute: the agent's rounds are a minute apart, and its next
/// renewal is hours away.
#[test]
fn an_agent_logs_the_expiry_of_a_new_key_within_a_minute() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    let world = World::new();
    let key_ends_in = |days| {
        let end = OffsetDateTime::now_utc() + time::Duration::days(days);
        let end = end.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap();
        let key = world.user.key_json_expiring(&end);
        world.home.write("key.json", key);
        end
    };
    key_ends_in(300);
    let mut command = world.home.command(faketime);
    command.args(["-f", "+0 x60"]).arg(binary());
    command.args(["agent", "--write", "token", "--log-format", "json"]);
    command.args(["--metrics-file", "m.prom"]);
    let running = Running::start(command);
    let metrics = world.home.path().join("m.prom");
    until("it runs", || metrics.exists());
    let before = fs::read_to_string(&metrics).unwrap();
    key_ends_in(13);
    let name = "zitadel_credential_key_expiry_timestamp_seconds{";
    let end = |text: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with(name));
        lines.next().map(ToOwned::to_owned)
    };
    until("it is taken up", || {
        fs::read_to_string(&metrics).is_ok_and(|now| end(&now) != end(&before))
    });
    // faketime itself waits for this process.
    let faketime = running.id();
    let children = fs::read_to_string(format!("/proc/{faketime}/task/{faketime}/children"));
    let agent = children
        .unwrap()
        .trim()
        .parse()
        .ok()
        .and_then(Pid::from_raw);
    kill_process(agent.unwrap(), Signal::TERM).unwrap();
    let said = String::from_utf8(running.output().stderr).unwrap();
    assert_eq!(world.issuer.token_requests(), 1);
    assert_eq!(said.matches("the key expires at ").count(), 1, "{said}");
}

/// By a clock that is behind, the expiry would be in the past.
#[test]
fn a_new_keys_expiry_is_counted_by_the_issuers_clock() {
    let Some(faketime) = client("faketime") else {
        return;
    };
    for offset in ["+0s", "-2h", "-20h", "+2h", "+100d"] {
        let world = World::new();
        let mut command = world.home.command(&faketime);
        command.args(["-f", offset]).arg(binary());
        command.args(["key", "rotate", "--lifetime", "1h", "--timeout", "10"]);
        command.env("DONT_FAKE_MONOTONIC", "1");
        let rotated = output(command);
        let said = String::from_utf8(rotated.stderr).unwrap();
        assert!(rotated.status.success(), "{offset}: {said}");
        let key: serde_json::Value = serde_json::from_str(&world.home.read("key.json")).unwrap();
        let end = OffsetDateTime::parse(key["expirationDate"].as_str().unwrap(), &Rfc3339);
        let left = end.unwrap() - OffsetDateTime::now_utc();
        assert!(
            (3400..=3601).contains(&left.whole_seconds()),
            "{offset}: {left}"
        );
        assert_eq!(
            world.issuer.key_ids(&world.user.user_id).len(),
            1,
            "{offset}"
        );
        let said = output(token_at(&faketime, &world, "+0s"));
        answered(&world, &said);
    }
}
