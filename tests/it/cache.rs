//! The cache as users see it: one mint, many responses, and never an obstacle.

use std::fs;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use predicates::prelude::*;

use crate::support::entry::{age, edit, files, only};
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::patience::{patient, within};
use crate::support::{Run, World, binary};

/// Returns the output of `token`, and asserts that stderr is empty.
fn token(world: &World) -> String {
    let output = world.zitadel(["token"]).run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a world whose cache has a token of 12 h with this many seconds left.
fn with_seconds_left(seconds: i64) -> (World, String) {
    let world = World::new();
    let token = token(&world);
    age(&only(&world.home), 43_199 - seconds);
    (world, token)
}

#[test]
fn a_token_is_minted_once_and_then_comes_from_the_cache() {
    let world = World::new();
    let first = token(&world);
    assert!(world.issuer.accepts(first.trim_end()), "{first}");
    assert_eq!(token(&world), first);
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 1);
    assert_eq!(world.issuer.token_requests(), 1);
    assert_eq!(world.issuer.connections(), 1, "both on one connection");
}

#[test]
fn an_entry_in_its_refresh_window_is_renewed_ahead() {
    let (world, old) = with_seconds_left(300);
    let new = token(&world);
    assert_ne!(new, old);
    assert_eq!(token(&world), new);
    assert_eq!(world.issuer.token_requests(), 2);
    assert_eq!(
        world.issuer.requests(Endpoint::Discovery),
        1,
        "the entry remembers the endpoints"
    );
}

#[test]
fn an_issuer_that_is_down_in_the_refresh_window_is_not_noticed() {
    let (world, old) = with_seconds_left(300);
    let down = Fault::status(503, "text/plain", "down");
    world.issuer.fault(Endpoint::Any, down, Times::Forever);
    assert_eq!(token(&world), old);
    world.issuer.clear_faults();
    world
        .issuer
        .fault(Endpoint::Any, Fault::Close, Times::Forever);
    assert_eq!(token(&world), old);
}

#[test]
fn a_process_with_a_valid_token_waits_for_no_renewal() {
    patient(|| {
        let (world, old) = with_seconds_left(300);
        let lock = File::open(&files(&world.home, "lock")[0]).unwrap();
        fs2::FileExt::lock_exclusive(&lock).unwrap();
        let start = Instant::now();
        assert_eq!(token(&world), old);
        within(start.elapsed(), Duration::from_secs(5));
        assert_eq!(world.issuer.token_requests(), 1);
    });
}

#[test]
fn a_token_past_its_margin_is_never_handed_out() {
    let (world, old) = with_seconds_left(29);
    let down = Fault::status(503, "text/plain", "down");
    world.issuer.fault(Endpoint::Any, down, Times::Forever);
    world
        .zitadel(["token"])
        .assert()
        .code(75)
        .stdout("")
        .stderr(predicate::str::contains("HTTP 503"));
    world.issuer.clear_faults();
    assert_ne!(token(&world), old);
}

#[test]
fn a_token_from_the_future_is_not_used() {
    let (world, old) = with_seconds_left(43_199);
    age(&only(&world.home), -120);
    assert_ne!(token(&world), old);
}

#[test]
fn refresh_mints_anew_and_no_cache_leaves_nothing() {
    let world = World::new();
    let first = token(&world);
    world
        .zitadel(["token", "--refresh"])
        .assert()
        .success()
        .stdout(predicate::ne(first.clone()));
    assert_ne!(token(&world), first, "the new one is cached");
    assert_eq!(world.issuer.token_requests(), 2);

    let world = World::new();
    world.zitadel(["token", "--no-cache"]).assert().success();
    assert!(!world.home.path().join(".cache").exists());
}

#[test]
fn other_scopes_have_an_entry_of_their_own() {
    let world = World::new();
    let openid = token(&world);
    let other = world.zitadel(["token", "--scope", "profile"]).run();
    assert_ne!(other.stdout, openid.into_bytes());
    assert_eq!(files(&world.home, "json").len(), 2);
}

#[test]
fn a_lock_that_is_never_freed_gives_one_warning_and_a_token_in_time() {
    patient(|| {
        let world = World::new();
        token(&world);
        fs::remove_file(only(&world.home)).unwrap();
        let path = &files(&world.home, "lock")[0];
        let lock = File::open(path).unwrap();
        fs2::FileExt::lock_exclusive(&lock).unwrap();
        let start = Instant::now();
        world
            .zitadel(["token", "--timeout", "2"])
            .assert()
            .success()
            .stderr(predicate::str::contains(path.to_str().unwrap()).count(1));
        within(start.elapsed(), Duration::from_secs(2));
    });
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "077", "0777"] {
        let world = World::new();
        let script = format!("umask {umask}; exec \"$0\" token");
        let output = world
            .home
            .command("sh")
            .args(["-c", &script])
            .arg(binary())
            .run();
        assert!(output.status.success());
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o7777;
        let entry = only(&world.home);
        assert_eq!(mode(&entry), 0o600, "umask {umask}");
        assert_eq!(mode(&entry.with_extension("lock")), 0o600);
        for directory in entry.ancestors().skip(1).take(3) {
            assert_eq!(mode(directory), 0o700, "umask {umask}");
        }
    }
}

#[test]
fn endpoints_that_have_moved_are_found_again() {
    let world = World::new();
    token(&world);
    let entry = only(&world.home);
    age(&entry, 43_199);
    edit(&entry, |entry| {
        let moved = entry["token_endpoint"]
            .as_str()
            .unwrap()
            .replace("v2", "v1");
        entry["token_endpoint"] = moved.into();
    });
    let moved = token(&world);
    assert!(world.issuer.accepts(moved.trim_end()));
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 2);
}

#[test]
fn a_renamed_issuer_is_reported() {
    let world = World::new();
    token(&world);
    age(&only(&world.home), 43_199);
    world.issuer.remove_key(&world.user.key_id);
    let renamed = Fault::edit(|document| document["issuer"] = "https://new.acme.dev".into());
    world
        .issuer
        .fault(Endpoint::Discovery, renamed, Times::Forever);
    world
        .zitadel(["token"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(predicate::str::contains("https://new.acme.dev"));
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn a_remembered_endpoint_that_is_gone_is_found_again() {
    for gone in ["http://127.0.0.1:1/token", "http://10.0.0.1/token"] {
        let world = World::new();
        token(&world);
        age(&only(&world.home), 43_199);
        edit(&only(&world.home), |entry| {
            entry["token_endpoint"] = gone.into();
            entry["userinfo_endpoint"] = gone.into();
        });
        let found = token(&world);
        assert!(world.issuer.accepts(found.trim_end()), "{gone}");
        edit(&only(&world.home), |entry| {
            entry["userinfo_endpoint"] = gone.into();
        });
        world.zitadel(["whoami"]).assert().success();
    }
}
