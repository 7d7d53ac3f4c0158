//! A shared cache, with a store of the tests' own.

use std::time::Duration;

use predicates::str::contains;

use crate::support::fleet::{Fleet, quiet_token, token};
use crate::support::store::Store;
use crate::support::{Endpoint, Fault, Run, Running, Times, binary, entry, trace, until};

fn fleet() -> (Store, Fleet) {
    let store = Store::start();
    let fleet = Fleet::new(&store.url());
    (store, fleet)
}

#[test]
fn a_fleet_mints_once() {
    let (store, fleet) = fleet();
    let first = quiet_token(&fleet.machine());
    for _ in 0..3 {
        assert_eq!(quiet_token(&fleet.machine()), first);
    }
    assert_eq!(fleet.issuer.total_requests(), 2);
    // A hit writes nothing.
    assert_eq!(store.count("SET"), 2);
}

#[test]
fn a_herd_mints_once() {
    let (_store, fleet) = fleet();
    let machines: Vec<_> = (0..12).map(|_| fleet.machine()).collect();
    let running: Vec<_> = machines
        .iter()
        .map(|home| {
            let mut command = home.command(binary());
            command.arg("token");
            Running::start(command)
        })
        .collect();
    for one in running {
        let output = one.output();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(fleet.issuer.token_requests(), 1);
}

#[test]
fn a_fresh_token_of_the_local_cache_needs_no_store() {
    let (store, fleet) = fleet();
    let home = fleet.machine();
    let first = quiet_token(&home);
    let commands = store.count("GET");
    assert_eq!(quiet_token(&home), first);
    assert_eq!(store.count("GET"), commands);
}

#[test]
fn an_agent_counts_what_it_had_of_the_shared_cache() {
    let (store, fleet) = fleet();
    let counts = |fleet: &Fleet| {
        let home = fleet.machine();
        let words = ["agent", "--once", "--write", "token", "--metrics-file", "m"];
        home.zitadel(words).assert().success();
        let text = home.read("m");
        ["hits", "misses", "failures"].map(|name| {
            let start = format!("zitadel_credential_shared_cache_{name}_total{{");
            let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        })
    };
    assert_eq!(counts(&fleet), ["0", "1", "0"]);
    assert_eq!(counts(&fleet), ["1", "0", "0"]);
    store.turn(|_, _| Some(b"-LOADING it is read from disk\r\n".to_vec()));
    assert_eq!(counts(&fleet), ["0", "0", "1"]);
}

#[test]
fn no_cache_is_without_the_shared_one() {
    let (store, fleet) = fleet();
    let home = fleet.machine();
    home.zitadel(["token", "--no-cache"]).assert().success();
    assert_eq!(store.count("GET"), 0);
}

#[test]
fn refresh_replaces_the_shared_token() {
    let (_store, fleet) = fleet();
    let first = quiet_token(&fleet.machine());
    let home = fleet.machine();
    let assert = home.zitadel(["token", "--refresh"]).assert().success();
    let second = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert_ne!(first, second);
    assert_eq!(quiet_token(&fleet.machine()), second);
    assert_eq!(fleet.issuer.token_requests(), 2);
}

#[test]
fn a_refused_token_is_taken_from_no_store_again() {
    let (_store, fleet) = fleet();
    let home = fleet.machine();
    home.append_config("[hosts.\"git.acme.dev\"]\n");
    let first = quiet_token(&home);
    fleet.issuer.revoke_all();
    // The next token is newer by the second.
    fleet.issuer.set_date_offset(5);
    let get = |verb: &str, more: &str| {
        let words = ["git", verb];
        home.zitadel(words)
            .write_stdin(format!("protocol=https\nhost=git.acme.dev\n{more}\n"))
            .assert()
            .success()
    };
    get("erase", &format!("password={}\n", first.trim()));
    let output = get("get", "").get_output().stdout.clone();
    assert!(!String::from_utf8(output).unwrap().contains(first.trim()));
    // Also without what the local cache holds.
    for file in entry::files(&home, "json") {
        std::fs::remove_file(file).unwrap();
    }
    assert_ne!(quiet_token(&home), first);
    assert_eq!(fleet.issuer.token_requests(), 2);
}

#[test]
fn a_failure_that_may_pass_pauses_the_fleet() {
    let (store, fleet) = fleet();
    let fault = Fault::status(503, "text/plain", "down\n");
    fleet.issuer.fault(Endpoint::Token, fault, Times::Forever);
    token(&fleet.machine()).0.code(75).stderr(contains("503"));
    let requests = fleet.issuer.token_requests();
    let (assert, took) = token(&fleet.machine());
    assert.code(75).stderr(contains(
        "another machine failed to get a token less than 30 s ago",
    ));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(fleet.issuer.token_requests(), requests);
    // The leader has given up its lock.
    assert_eq!(store.values(":l:0").len(), 0);
}

#[test]
fn a_final_refusal_is_not_shared() {
    let (store, fleet) = fleet();
    fleet.issuer.remove_key(&fleet.user.key_id);
    for _ in 0..2 {
        let refused = token(&fleet.machine()).0.code(1);
        refused.stderr(contains("the issuer refused the assertion"));
    }
    assert_eq!(store.values("").len(), 0);
}

#[test]
fn too_many_requests_ban_the_pool_for_a_while() {
    let (store, fleet) = fleet();
    fleet.issuer.fault(
        Endpoint::Token,
        Fault::retry_after(429, "40"),
        Times::Forever,
    );
    token(&fleet.machine()).0.code(75).stderr(contains("429"));
    let (name, value) = store.values("").remove(0);
    assert!(name.starts_with("zc1:ban:"), "{name}");
    let secs: u64 = String::from_utf8(value).unwrap().parse().unwrap();
    assert!((40..=50).contains(&secs), "{secs}");
    let requests = fleet.issuer.token_requests();
    let home = fleet.machine();
    // It outlasts the timeout of 30 s, so that nobody waits for it.
    let (banned, took) = token(&home);
    banned
        .code(75)
        .stderr(contains(format!("try again in {secs} s")));
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Another pool is not banned.
    token(&fleet.machine_with("pool = \"other\"\n")).0.code(75);
    assert!(fleet.issuer.token_requests() > requests);
}

#[test]
fn a_store_that_is_down_costs_a_bounded_time_and_then_none() {
    let fleet = Fleet::new("redis://127.0.0.1:1");
    let home = fleet.machine();
    let (assert, took) = token(&home);
    assert.success().stderr(contains(
        "continuing without the shared cache: connection refused",
    ));
    assert!(took < Duration::from_millis(6500), "{took:?}");
    for file in entry::files(&home, "json") {
        std::fs::remove_file(file).unwrap();
    }
    let (assert, took) = token(&home);
    assert.success().stderr("");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_fleet_that_must_never_storm_makes_no_request_without_its_store() {
    let fleet = Fleet::new("redis://127.0.0.1:1");
    let home = fleet.machine_with("on-failure = \"fail\"\n");
    let (assert, took) = token(&home);
    assert.code(75).stdout("").stderr(contains(
        "shared cache redis://127.0.0.1:1: connection refused",
    ));
    assert!(took < Duration::from_millis(6500), "{took:?}");
    let (assert, took) = token(&home);
    assert.code(75).stdout("");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(fleet.issuer.total_requests(), 0);
}

#[test]
fn a_token_at_hand_waits_200_ms_for_the_store() {
    let (store, fleet) = fleet();
    let home = fleet.machine();
    let first = quiet_token(&home);
    for file in entry::files(&home, "json") {
        entry::age(&file, 43_200 - 300);
    }
    store.turn(|_, _| {
        std::thread::sleep(Duration::from_secs(2));
        None
    });
    let (assert, took) = token(&home);
    assert.success().stdout(first);
    assert!(took < Duration::from_millis(1500), "{took:?}");
    assert_eq!(fleet.issuer.token_requests(), 1);
}

#[test]
fn a_machine_whose_clock_is_off_mints_its_own_and_leaves_the_others_alone() {
    let (_store, fleet) = fleet();
    let first = quiet_token(&fleet.machine());
    let behind = fleet.machine();
    // Whoever is asked for the time is told of two hours ago.
    let Some(faketime) = crate::support::program::client("faketime") else {
        return;
    };
    let mut command = behind.command(faketime);
    command.args(["-f", "-2h"]).arg(binary()).arg("token");
    let output = command.run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fleet.issuer.issued_tokens().len(), 2);
    assert_ne!(String::from_utf8(output.stdout).unwrap(), first);
    // The others take what that one has published.
    quiet_token(&fleet.machine());
    assert_eq!(fleet.issuer.issued_tokens().len(), 2);
}

#[test]
fn a_leader_that_is_killed_costs_its_lease() {
    let (store, fleet) = fleet();
    let fault = Fault::Hang;
    fleet.issuer.fault(Endpoint::Token, fault, 1usize);
    let home = fleet.machine();
    let mut command = home.command(binary());
    command.arg("token");
    let leader = Running::start(command);
    until("its request", || fleet.issuer.token_requests() == 1);
    drop(leader);
    assert_eq!(store.values(":l:0").len(), 1);
    let (assert, took) = token(&fleet.machine());
    assert.success();
    assert!(took < Duration::from_secs(16), "{took:?}");
    assert_eq!(fleet.issuer.token_requests(), 2);
}

#[test]
fn a_token_in_its_refresh_window_is_renewed_by_one_machine() {
    let (_store, fleet) = fleet();
    fleet.issuer.set_lifetime(300);
    let machines: Vec<_> = (0..3).map(|_| fleet.machine()).collect();
    let first: Vec<_> = machines.iter().map(quiet_token).collect();
    // Of 300 s, the last 60 are the window.
    for home in &machines {
        for file in entry::files(home, "json") {
            entry::age(&file, 250);
        }
    }
    let second: Vec<_> = machines.iter().map(quiet_token).collect();
    assert!(second.iter().all(|token| *token == second[0]));
    assert_ne!(first, second);
    assert_eq!(fleet.issuer.token_requests(), 2);
}

#[test]
fn nothing_of_token_key_user_or_scope_is_in_the_store_or_its_traffic() {
    let (store, fleet) = fleet();
    let token = quiet_token(&fleet.machine());
    quiet_token(&fleet.machine());
    let fault = Fault::status(503, "text/plain", "down\n");
    fleet.issuer.fault(Endpoint::Token, fault, Times::Forever);
    let home = fleet.machine();
    let _ = home.zitadel(["token", "--refresh"]).assert();
    let dump = store.dump();
    let issuer = fleet.issuer.url();
    let user = &fleet.user;
    for secret in [
        token.trim(),
        &user.key_id,
        &user.user_id,
        "openid",
        &issuer,
        "oauth",
        "503",
        "PRIVATE",
    ] {
        let is_it = |part: &[u8]| part == secret.as_bytes();
        assert!(!dump.windows(secret.len()).any(is_it), "{secret}");
    }
}

#[test]
fn a_source_without_a_key_of_ours_needs_a_seal_key_file() {
    let (store, fleet) = fleet();
    fleet.issuer.set_name(&fleet.user.user_id, "ci");
    let secret = fleet.issuer.new_client_secret(&fleet.user.user_id);
    let home = fleet.machine();
    home.write("secret", secret);
    let config = |lines: &str| {
        home.write_config(&format!(
            "[profiles.test]\nissuer = \"{}\"\nclient-id = \"ci\"\nclient-secret-file = \"~/secret\"\n[profiles.test.shared]\nurl = \"{}\"\n{lines}",
            fleet.issuer.url(), store.url()
        ));
    };
    config("");
    token(&home)
        .0
        .code(2)
        .stderr(contains("the shared cache has no seal-key-file"));
    config("seal-key-file = \"~/seal\"\n");
    home.write("seal", [7; 31]);
    token(&home).0.code(2).stderr(contains("31 bytes, not 32"));
    let seal = home.write("seal", [7; 32]);
    let mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&seal, permissions).unwrap();
    };
    mode(0o640);
    token(&home)
        .0
        .code(2)
        .stderr(contains("open to other users"));
    mode(0o600);
    let first = quiet_token(&home);
    for file in entry::files(&home, "json") {
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(quiet_token(&home), first);
    assert_eq!(fleet.issuer.token_requests(), 1);
}

#[test]
fn a_cached_call_makes_no_system_call_more() {
    let (_store, fleet) = fleet();
    let with = fleet.machine();
    let without = fleet.machine();
    quiet_token(&with);
    let config = without.read(".config/zitadel-credential/config.toml");
    let table = config.find("[profiles.test.shared]").unwrap();
    // The same length, so that it takes the same reads.
    let (head, tail) = config.split_at(table);
    without.write_config(&format!("{head}{}", "#".repeat(tail.len())));
    quiet_token(&without);
    if trace::is_missing() {
        return;
    }
    let [of_with, of_without] = [&with, &without].map(|home| {
        let mut command = home.command("strace");
        command.args(["-f", "-qq", "-o", "calls", "--"]);
        let output = command.arg(binary()).arg("token").run();
        assert!(output.status.success(), "{output:?}");
        home.read("calls").lines().count()
    });
    assert_eq!(of_with, of_without);
}
