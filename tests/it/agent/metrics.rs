//! `agent --metrics-file`, and an agent's messages about its key's expiry.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;

use predicates::str::contains;
use rustix::process::Signal;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::machine::{NOBODY, is_root_or_skipped};
use crate::support::patience::{patient, renewed_in_time};
use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary, until};

fn agent(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.home.command(binary());
    command.arg("agent").args(arguments);
    command
}

fn once(world: &World) {
    let words = ["--once", "--write", "token", "--metrics-file", "m.prom"];
    let output = agent(world, &words).run();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

/// Returns the value of a metric with this text in its labels.
fn value_with(world: &World, name: &str, label: &str) -> Option<u64> {
    let text = fs::read_to_string(world.home.path().join("m.prom")).unwrap_or_default();
    let start = format!("zitadel_credential_{name}{{");
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with(&start) && line.contains(label))?;
    line.rsplit(' ').next().unwrap().parse().ok()
}

fn value(world: &World, name: &str) -> Option<u64> {
    value_with(world, name, "")
}

fn failures(world: &World, reason: &str) -> u64 {
    let label = format!("reason=\"{reason}\"");
    value_with(world, "failures_total", &label).unwrap_or_default()
}

fn now() -> u64 {
    OffsetDateTime::now_utc()
        .unix_timestamp()
        .try_into()
        .unwrap()
}

fn secs(rfc3339: &Value) -> u64 {
    let time = OffsetDateTime::parse(rfc3339.as_str().unwrap(), &Rfc3339).unwrap();
    time.unix_timestamp().try_into().unwrap()
}

/// Writes a key file whose key expires in `days` days.
fn key_ends_in(world: &World, days: u64) -> u64 {
    let end = now() + days * 24 * 3600;
    let date = OffsetDateTime::from_unix_timestamp(end.try_into().unwrap()).unwrap();
    let key = world
        .user
        .key_json_expiring(&date.format(&Rfc3339).unwrap());
    world.home.write("key.json", key);
    end
}

fn stop(agent: Running) -> String {
    agent.signal(Signal::TERM);
    let output = agent.output();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_file_has_the_expiry_of_token_and_key_and_the_last_success() {
    let world = World::new();
    let start = now();
    once(&world);
    let meta = fs::metadata(world.home.path().join("m.prom")).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o644);
    let note = world.home.read(".token.zitadel-credential.json");
    let note: Value = serde_json::from_str(&note).unwrap();
    let expiry = secs(&note["tokens"][0]["expires_at"]);
    assert_eq!(
        value(&world, "token_expiry_timestamp_seconds"),
        Some(expiry)
    );
    assert_eq!(value(&world, "key_expiry_timestamp_seconds"), None);
    let success = value(&world, "last_success_timestamp_seconds").unwrap();
    assert!((start..=now()).contains(&success));
    assert_eq!(value(&world, "renewals_total"), Some(1));
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert_eq!(value_with(&world, "build_info", &version), Some(1));
    let file = world.home.path().join("token");
    let file = format!("file=\"{}\"", file.display());
    assert_eq!(value_with(&world, "renewals_total", &file), Some(1));
    let end = key_ends_in(&world, 100);
    once(&world);
    assert_eq!(value(&world, "key_expiry_timestamp_seconds"), Some(end));
    let text = world.home.read("m.prom");
    assert!(!text.contains(&world.home.read("token")));
}

#[test]
fn renewals_and_failures_are_counted_by_reason() {
    let world = World::new();
    world.issuer.set_lifetime(4);
    world
        .issuer
        .fault(Endpoint::Any, Fault::rate_limit(), Times::Forever);
    let words = ["--write", "token", "--metrics-file", "m.prom"];
    let running = Running::start(agent(&world, &words));
    until("it fails before the first token", || {
        failures(&world, "temporary") > 0
    });
    assert_eq!(value(&world, "last_success_timestamp_seconds"), None);
    assert_eq!(value(&world, "token_expiry_timestamp_seconds"), None);
    world.issuer.clear_faults();
    until("it is renewed", || {
        value(&world, "renewals_total") > Some(2)
    });
    let success = value(&world, "last_success_timestamp_seconds").unwrap();
    assert!(success <= now() && success + 60 > now());
    world.issuer.expire_key(&world.user.key_id);
    until("it is refused", || failures(&world, "refused") > 0);
    world.home.write("key.json", "{}");
    until("there is no key", || failures(&world, "permanent") > 0);
    fs::remove_file(&world.key_file).unwrap();
    until("there is no file", || failures(&world, "configuration") > 0);
    assert_eq!(failures(&world, "file"), 0);
    stop(running);
}

#[test]
fn an_unwritable_token_file_is_counted_also_if_it_ends_the_agent() {
    let world = World::new();
    let words = ["--once", "--write", "token", "--write", "nowhere/token"];
    let words = [&words[..], &["--metrics-file", "m.prom"]].concat();
    let output = agent(&world, &words).run();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(failures(&world, "file"), 1);
    let output = agent(
        &world,
        &["--metrics-file", "m.prom", "--write", "nowhere/token"],
    )
    .run();
    assert_eq!(
        (output.status.code(), failures(&world, "file")),
        (Some(1), 1)
    );
    assert_eq!(value(&world, "last_success_timestamp_seconds"), None);
}

#[test]
fn unwritable_metrics_give_one_warning_and_end_no_agent() {
    patient(|| {
        let world = World::new();
        world.issuer.set_lifetime(4);
        let words = ["--write", "token", "--metrics-file", "absent/m.prom"];
        let running = Running::start(agent(&world, &words));
        until("it is renewed twice", || world.issuer.token_requests() > 2);
        fs::create_dir(world.home.path().join("absent")).unwrap();
        let file = world.home.path().join("absent/m.prom");
        until("they are written", || file.exists());
        // The message comes after that, and before the next request.
        let requests = world.issuer.token_requests();
        until("it is renewed again", || {
            world.issuer.token_requests() > requests
        });
        let said = stop(running);
        renewed_in_time(&said);
        let said: Vec<_> = said.lines().collect();
        assert_eq!(
            said,
            [
                "zitadel-credential: warning: absent/m.prom: metrics not written: there is no directory absent (create it, or choose another directory)",
                "zitadel-credential: warning: absent/m.prom: the metrics are written again",
            ]
        );
        let words = [
            "--once",
            "--write",
            "token",
            "--metrics-file",
            "none/m.prom",
        ];
        let output = agent(&world, &words).run();
        assert!(output.status.success(), "{output:?}");
    });
}

#[test]
fn the_directory_may_be_another_users_and_our_files_are_not_replaced() {
    let world = World::new();
    let dir = world.home.path().join("textfile");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o775)).unwrap();
    if is_root_or_skipped() {
        chown(&dir, Some(NOBODY), None).unwrap();
    }
    symlink("textfile/m.prom", world.home.path().join("m.prom")).unwrap();
    once(&world);
    assert!(dir.join("m.prom").is_file(), "the link is followed");
    let left = fs::read_dir(&dir).unwrap().count();
    assert_eq!(left, 1);
    let config = ".config/zitadel-credential/config.toml";
    let note = ".token.zitadel-credential.json";
    for (file, why) in [
        ("key.json", "the metrics would replace a key file"),
        (config, "the metrics would replace the config file"),
        (note, "the metrics would replace an agent's note"),
        ("token", "both a token's and the metrics' file"),
        ("./token", "both a token's and the metrics' file"),
    ] {
        let before = fs::read(world.home.path().join(file)).unwrap();
        let words = ["agent", "--write", "token", "--metrics-file", file];
        let refusal = world.zitadel(words).assert().code(2);
        refusal.stderr(contains(why));
        assert_eq!(fs::read(world.home.path().join(file)).unwrap(), before);
    }
}

#[test]
fn a_key_that_expires_soon_is_logged_once_and_not_per_renewal() {
    patient(|| {
        let world = World::new();
        world.issuer.set_lifetime(4);
        let end = key_ends_in(&world, 13);
        let words = ["--write", "token", "--metrics-file", "m.prom"];
        let running = Running::start(agent(&world, &words));
        until("it is renewed", || {
            value(&world, "renewals_total") > Some(2)
        });
        assert_eq!(value(&world, "key_expiry_timestamp_seconds"), Some(end));
        // Another key, which expires later.
        let end = key_ends_in(&world, 15);
        until("it is taken up", || {
            value(&world, "key_expiry_timestamp_seconds") == Some(end)
        });
        let said = stop(running);
        renewed_in_time(&said);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("key.json: the key expires at 20"), "{said}");
        assert!(said.contains("run zitadel-credential key rotate before then"));
    });
}
