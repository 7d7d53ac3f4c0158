//! A hostile store: nothing of what it says is accepted, and it costs a bounded time.

use std::time::Duration;

use predicates::str::contains;

use crate::support::entry;
use crate::support::fleet::{Fleet, quiet_token, token};
use crate::support::store::{Store, bulk};

/// The most that a store in trouble adds to a call.
const ADDED: Duration = Duration::from_millis(6500);

fn fleet() -> (Store, Fleet) {
    let store = Store::start();
    let fleet = Fleet::new(&store.url());
    (store, fleet)
}

/// A new machine gets a token of its own, of the issuer's, within the bound.
fn is_not_taken_in(fleet: &Fleet) {
    let issued = fleet.issuer.issued_tokens().len();
    let (assert, took) = token(&fleet.machine());
    let token = assert.success().get_output().stdout.clone();
    let token = String::from_utf8(token).unwrap();
    assert!(took < ADDED, "{took:?}");
    let all = fleet.issuer.issued_tokens();
    assert_eq!(all.len(), issued + 1);
    assert_eq!(all.last().unwrap(), token.trim());
}

#[test]
fn no_entry_with_a_flipped_bit_is_accepted() {
    let (store, fleet) = fleet();
    quiet_token(&fleet.machine());
    let (name, value) = store.entry();
    // Each part of the header, the content and the tag: the unit test has every bit.
    for byte in [0, 3, 4, 12, 20, 28, 40, 100, value.len() - 1] {
        let mut flipped = value.clone();
        flipped[byte] ^= 1;
        store.set(&name, &flipped);
        is_not_taken_in(&fleet);
    }
    for cut in [0, 1, 39, 40, value.len() - 1] {
        store.set(&name, &value[..cut]);
        is_not_taken_in(&fleet);
    }
}

#[test]
fn an_entry_under_another_name_is_not_accepted() {
    let (store, fleet) = fleet();
    quiet_token(&fleet.machine());
    let (_, other) = store.entry();
    store.clear();
    let scopes = fleet.machine();
    let assert = scopes.zitadel(["token", "--scope", "profile"]).assert();
    assert.success();
    let (name, _) = store.entry();
    store.set(&name, &other);
    let machine = fleet.machine();
    let words = ["token", "--scope", "profile"];
    machine.zitadel(words).assert().success();
    assert_eq!(fleet.issuer.issued_tokens().len(), 3);
}

#[test]
fn an_old_entry_that_is_played_again_is_one_of_this_user_or_none() {
    let (store, fleet) = fleet();
    fleet.issuer.set_lifetime(60);
    quiet_token(&fleet.machine());
    let (name, old) = store.entry();
    fleet.issuer.set_lifetime(43_200);
    // Ten minutes later by the clock of whoever reads it.
    let Some(faketime) = crate::support::program::client("faketime") else {
        return;
    };
    store.set(&name, &old);
    for offset in ["+600s", "-600s"] {
        store.set(&name, &old);
        let home = fleet.machine();
        let mut command = home.command(&faketime);
        command
            .args(["-f", offset])
            .arg(crate::support::binary())
            .arg("token");
        let output = crate::support::Run::run(&mut command);
        assert!(output.status.success(), "{output:?}");
        let all = fleet.issuer.issued_tokens();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(all.last().unwrap(), printed.trim());
    }
    assert_eq!(fleet.issuer.issued_tokens().len(), 3);
}

#[test]
fn replies_that_are_too_large_or_nested_are_refused_at_once() {
    for reply in [
        "*2\r\n$1073741824\r\n",
        "$1073741824\r\n",
        "*1000000000\r\n",
        "*2\r\n*2\r\n*2\r\n*2\r\n",
        "%2\r\n",
        ">3\r\n",
        "+OK\r\n",
        ":7\r\n",
        "*2\r\n:1\r\n:2\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "\u{1b}[2J",
        "-\u{1b}[2J\r\n",
    ] {
        let (store, fleet) = fleet();
        let reply = reply.as_bytes().to_vec();
        store.turn(move |words, _| (words[0] == b"MGET").then(|| reply.clone()));
        let home = fleet.machine();
        let (assert, took) = token(&home);
        assert
            .success()
            .stderr(contains("not an answer of Redis or Valkey"));
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}

#[test]
fn a_gigabyte_that_really_comes_is_not_read() {
    let (store, fleet) = fleet();
    store.turn(|words, _| {
        let is_it = words[0] == b"MGET";
        is_it.then(|| [b"*2\r\n".to_vec(), bulk(&vec![b'x'; 64 << 20])].concat())
    });
    let (assert, took) = token(&fleet.machine());
    assert.success();
    assert!(took < ADDED, "{took:?}");
}

#[test]
fn a_reply_that_comes_byte_by_byte_ends_in_time() {
    let listener = crate::support::http::listen();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut client = client;
                while std::io::Write::write_all(&mut client, b"$").is_ok() {
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    let fleet = Fleet::new(&format!("redis://127.0.0.1:{port}"));
    let (assert, took) = token(&fleet.machine());
    assert.success();
    assert!(took < ADDED, "{took:?}");
}

#[test]
fn endless_locks_cost_the_wait_and_no_more() {
    let (store, fleet) = fleet();
    store.turn(|words, _| {
        let is_lock = words[0] == b"SET" && words[1].ends_with(b":l:0");
        is_lock.then(|| b"$-1\r\n".to_vec())
    });
    let home = fleet.machine();
    let start = std::time::Instant::now();
    let assert = home.zitadel(["token", "--timeout", "6"]).assert();
    assert
        .success()
        .stderr(contains("another machine has held it for long"));
    assert!(start.elapsed() < Duration::from_secs(6));
    store.clear();
    let home = fleet.machine_with("on-failure = \"fail\"\n");
    let issued = fleet.issuer.total_requests();
    let assert = home.zitadel(["token", "--timeout", "6"]).assert();
    assert
        .code(75)
        .stderr(contains("another machine has the lock"));
    assert_eq!(fleet.issuer.total_requests(), issued);
}

#[test]
fn false_bans_are_believed_for_their_short_time_alone() {
    for ban in ["91", "86400", "-1", "0", "x", "99999999999999999999", ""] {
        let (store, fleet) = fleet();
        store.turn(move |words, _| (words[0] == b"GET").then(|| bulk(ban.as_bytes())));
        is_not_taken_in(&fleet);
    }
    // One that never ends is over after the time that it named.
    let (store, fleet) = fleet();
    store.turn(|words, _| (words[0] == b"GET").then(|| bulk(b"3")));
    let home = fleet.machine();
    let start = std::time::Instant::now();
    home.zitadel(["token"]).assert().success();
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_false_pause_is_none() {
    let (store, fleet) = fleet();
    quiet_token(&fleet.machine());
    let (_, value) = store.entry();
    store.turn(move |words, _| {
        let reply = || [b"*2\r\n$-1\r\n".to_vec(), bulk(&value)].concat();
        (words[0] == b"MGET").then(reply)
    });
    is_not_taken_in(&fleet);
}

#[test]
fn a_token_at_hand_stays_in_use_whatever_the_store_says() {
    for reply in [
        "*2\r\n$1073741824\r\n",
        "-OOM\r\n",
        "-READONLY\r\n",
        "*0\r\n",
    ] {
        let (store, fleet) = fleet();
        let home = fleet.machine();
        let first = quiet_token(&home);
        for file in entry::files(&home, "json") {
            entry::age(&file, 43_200 - 300);
        }
        let reply = reply.as_bytes().to_vec();
        store.turn(move |words, _| (words[0] == b"MGET").then(|| reply.clone()));
        let (assert, took) = token(&home);
        assert.success().stdout(first);
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(fleet.issuer.issued_tokens().len(), 1);
    }
}
