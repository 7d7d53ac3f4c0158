//! A hostile store: none of its data is accepted, and it costs a limited time.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use predicates::str::contains;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::fleet::{Fleet, quiet_token, token};
use crate::support::http::listen_on;
use crate::support::patience::{patient, within};
use crate::support::store::{Store, bulk};
use crate::support::{Ca, entry};

/// The maximum delay of a call by a failing store.
const ADDED: Duration = Duration::from_millis(6500);

fn fleet() -> (Store, Fleet) {
    let store = Store::start();
    let fleet = Fleet::new(&store.url());
    (store, fleet)
}

/// Asserts that a new machine gets its own token of the issuer within the limit.
fn is_not_taken_in(fleet: &Fleet) {
    let issued = fleet.issuer.issued_tokens().len();
    let (assert, took) = token(&fleet.machine());
    let token = assert.success().get_output().stdout.clone();
    let token = String::from_utf8(token).unwrap();
    within(took, ADDED);
    let all = fleet.issuer.issued_tokens();
    assert_eq!(all.len(), issued + 1);
    assert_eq!(all.last().unwrap(), token.trim());
}

#[test]
fn no_entry_with_a_flipped_bit_is_accepted() {
    patient(|| {
        let (store, fleet) = fleet();
        quiet_token(&fleet.machine());
        let (name, value) = store.entry();
        // The bytes are in each part of the header, the content and the tag: the unit test
        // has every bit.
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
    });
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
fn a_replayed_entry_outside_its_lifetime_is_not_used() {
    let (store, fleet) = fleet();
    fleet.issuer.set_lifetime(60);
    quiet_token(&fleet.machine());
    let (name, old) = store.entry();
    fleet.issuer.set_lifetime(43_200);
    // The reader's clock is ten minutes ahead.
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
    patient(|| {
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
            within(took, Duration::from_secs(3));
        }
    });
}

#[test]
fn a_reply_of_a_gigabyte_is_not_read() {
    patient(|| {
        let (store, fleet) = fleet();
        store.turn(|words, _| {
            let is_it = words[0] == b"MGET";
            is_it.then(|| [b"*2\r\n".to_vec(), bulk(&vec![b'x'; 64 << 20])].concat())
        });
        let (assert, took) = token(&fleet.machine());
        assert.success();
        within(took, ADDED);
    });
}

#[test]
fn a_reply_that_comes_byte_by_byte_ends_in_time() {
    patient(|| {
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
        within(took, ADDED);
    });
}

#[test]
fn endless_locks_cost_no_more_than_the_wait() {
    patient(|| {
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
        within(start.elapsed(), Duration::from_secs(6));
        store.clear();
        let home = fleet.machine_with("on-failure = \"fail\"\n");
        let issued = fleet.issuer.total_requests();
        let assert = home.zitadel(["token", "--timeout", "6"]).assert();
        assert
            .code(75)
            .stderr(contains("another machine has the lock"));
        assert_eq!(fleet.issuer.total_requests(), issued);
    });
}

/// Returns the value of a ban that ends at this distance from now, in seconds.
fn ban(distance: i64) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = now.as_secs().checked_add_signed(distance).unwrap();
    bulk(end.to_string().as_bytes())
}

#[test]
fn forged_bans_last_only_their_short_time() {
    patient(|| {
        let words = ["90", "-1", "0", "x", "99999999999999999999", ""];
        let forged = words.map(|word| bulk(word.as_bytes()));
        // Such a ban lasts longer than any, or it is over: the store kept it.
        for ban in forged
            .into_iter()
            .chain([200, 86_400, -61, -86_400].map(ban))
        {
            let (store, fleet) = fleet();
            store.turn(move |words, _| (words[0] == b"GET").then(|| ban.clone()));
            is_not_taken_in(&fleet);
        }
        // A ban that the store keeps is over after its end.
        let (store, fleet) = fleet();
        let kept = ban(3);
        store.turn(move |words, _| (words[0] == b"GET").then(|| kept.clone()));
        let home = fleet.machine();
        let start = Instant::now();
        home.zitadel(["token"]).assert().success();
        within(start.elapsed(), Duration::from_secs(8));
    });
}

/// Answers a connection over TLS with one long value, byte by byte, with new keys between
/// them, until the other side has gone.
fn flood(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    let session = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    let _ = stream.read(&mut [0; 4096])?;
    stream.write_all(b"$1000000\r\n")?;
    loop {
        stream.write_all(b"x")?;
        for _ in 0..20 {
            stream.conn.refresh_traffic_keys().unwrap();
        }
    }
}

#[test]
fn a_server_that_never_stops_sending_costs_no_more_than_a_silent_one() {
    patient(|| {
        let ca = Ca::new();
        let config = ca.server(&["localhost"], |_| ()).own_server_config();
        let listener = listen_on(Ipv4Addr::LOCALHOST.into());
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let config = Arc::clone(&config);
                thread::spawn(move || flood(stream.unwrap(), config));
            }
        });
        let fleet = Fleet::new(&format!("rediss://localhost:{port}"));
        let home = fleet.machine_with("ca-file = \"~/ca.pem\"\n");
        home.write("ca.pem", ca.pem());
        let (assert, took) = token(&home);
        let first = assert.success().get_output().stdout.clone();
        within(took, ADDED);
        // With a valid token, the call waits for 200 ms.
        for file in entry::files(&home, "json") {
            entry::age(&file, 43_200 - 300);
        }
        let (assert, took) = token(&home);
        assert.success().stdout(first);
        within(took, Duration::from_secs(2));
    });
}

/// If the call is ended while it publishes, the next one does not request another token.
#[test]
fn a_new_token_is_in_the_local_cache_before_it_is_published() {
    let (store, fleet) = fleet();
    let home = Arc::new(fleet.machine());
    let (there, stored) = (Arc::clone(&home), Arc::new(AtomicBool::new(false)));
    let noted = Arc::clone(&stored);
    store.turn(move |words, _| {
        if words[0] == b"SET" && words[1].ends_with(b":t") {
            noted.store(!entry::files(&there, "json").is_empty(), Ordering::SeqCst);
        }
        None
    });
    quiet_token(&home);
    assert!(stored.load(Ordering::SeqCst));
}

#[test]
fn a_forged_pause_is_ignored() {
    patient(|| {
        let (store, fleet) = fleet();
        quiet_token(&fleet.machine());
        let (_, value) = store.entry();
        store.turn(move |words, _| {
            // The second value is the pause, and the third one, if asked for, a lock.
            let head = format!("*{}\r\n$-1\r\n", words.len() - 1).into_bytes();
            let lock = b"$-1\r\n".repeat(words.len().saturating_sub(3));
            let reply = || [head, bulk(&value), lock].concat();
            (words[0] == b"MGET").then(reply)
        });
        is_not_taken_in(&fleet);
    });
}

#[test]
fn a_cached_token_stays_in_use_for_any_store_reply() {
    patient(|| {
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
            within(took, Duration::from_secs(2));
            assert_eq!(fleet.issuer.issued_tokens().len(), 1);
        }
    });
}
