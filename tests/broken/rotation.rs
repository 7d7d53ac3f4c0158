//! A key that replaces another while the binary is in use.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::{fs, thread};

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::World;
use crate::support::jwt::Jwt;
use crate::support::keys::ServiceUser;

/// Replaces the key file as users do: a new file beside the old one, then renamed over
/// it.
fn swap(world: &World, user: &ServiceUser) {
    let new = world.home.write("key.json.new", user.key_json());
    fs::rename(new, &world.key_file).unwrap();
}

fn token(world: &World) -> String {
    let output = world.zitadel(["token"]).run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a second key of the world's user.
fn second_key(world: &World) -> ServiceUser {
    let key = ServiceUser::with_bits(2048).with_user_id(&world.user.user_id);
    world.issuer.register(&key);
    key
}

fn signer(world: &World) -> String {
    let assertion = world.issuer.last_token_request().form_value("assertion");
    let jwt = Jwt::parse(&assertion.unwrap()).unwrap();
    jwt.key_id().unwrap().to_owned()
}

#[test]
fn a_new_key_takes_over_without_a_call_that_fails() {
    let world = World::new();
    let old = token(&world);
    let new_key = second_key(&world);

    // Half of the calls mint, so that the swap coincides with every step of a mint.
    let done = AtomicBool::new(false);
    let calls = AtomicUsize::new(0);
    thread::scope(|scope| {
        let callers = [["token", "--refresh"], ["token", "--output=raw"]].map(|arguments| {
            let (world, done, calls) = (&world, &done, &calls);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let output = world.zitadel(arguments).run();
                    let stderr = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            })
        });
        let has_failed = || callers.iter().any(ScopedJoinHandle::is_finished);
        while calls.load(Ordering::SeqCst) < 40 && !has_failed() {
            for key in [&new_key, &world.user] {
                swap(&world, key);
                thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        swap(&world, &new_key);
        done.store(true, Ordering::SeqCst);
    });

    let new = token(&world);
    assert_ne!(new, old);
    world.zitadel(["token", "--refresh"]).assert().success();
    assert_eq!(signer(&world), new_key.key_id);

    let asked = world.issuer.token_requests();
    world.issuer.remove_key(&world.user.key_id);
    token(&world);
    assert_eq!(world.issuer.token_requests(), asked, "nothing is noticed");
    world.zitadel(["token", "--refresh"]).assert().success();
}

#[test]
fn the_new_key_is_used_at_once_and_the_old_keys_token_is_not() {
    let world = World::new();
    let old = token(&world);
    let new_key = second_key(&world);
    swap(&world, &new_key);
    let new = token(&world);
    assert_ne!(new, old);
    assert_eq!(world.issuer.token_requests(), 2);
    assert_eq!(signer(&world), new_key.key_id);
    assert_eq!(token(&world), new, "from the cache");

    // Each key has a separate directory, which can be cleared separately.
    let cache = world.home.path().join(".cache/zitadel-credential/v1");
    for key in [&world.user, &new_key] {
        assert_eq!(fs::read_dir(cache.join(&key.key_id)).unwrap().count(), 2);
    }
    world
        .zitadel(["cache", "clear", "--key-id", &world.user.key_id])
        .assert()
        .success();
    assert_eq!(token(&world), new);
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn an_old_key_restored_by_mistake_is_named() {
    let world = World::new();
    let new_key = second_key(&world);
    swap(&world, &new_key);
    token(&world);
    world.issuer.remove_key(&world.user.key_id);
    swap(&world, &world.user);
    world.zitadel(["token"]).assert().code(1).stdout("").stderr(
        contains("the issuer refused the assertion").and(contains(format!(
            "key {} is listed under its Keys",
            world.user.key_id
        ))),
    );
    swap(&world, &new_key);
    token(&world);
}

/// The entry is the old key's: a token of the new key does not belong there.
#[test]
fn a_key_replaced_between_two_assertions_is_not_taken_for_the_first() {
    let world = World::new();
    let other = world.issuer.new_user();
    world.home.write("other.json", other.key_json());
    world.home.append_config(&format!(
        "[profiles.swapped]\nissuer = \"{}\"\n\
         key-command = [\"sh\", \"-c\", \"cat key.json; cp other.json key.json\"]\n",
        world.issuer.url()
    ));
    // The clock difference makes it sign twice.
    world.issuer.set_date_offset(-120);
    world
        .zitadel(["token", "--profile", "swapped"])
        .assert()
        .code(75)
        .stdout("")
        .stderr(contains("the key was replaced during this call"));
    assert_eq!(world.issuer.issued_tokens(), [""; 0]);
}
