//! A shared cache, with the tests' own store.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::support::fleet::{Fleet, quiet_token, token};
use crate::support::patience::{patient, within};
use crate::support::store::{Store, honest};
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
    // A hit causes no write.
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
fn an_agent_counts_tokens_from_the_shared_cache() {
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
fn no_cache_skips_the_shared_cache_too() {
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
fn a_refused_token_is_not_read_from_the_store_again() {
    let (_store, fleet) = fleet();
    let home = fleet.machine();
    home.append_config("[hosts.\"git.acme.dev\"]\n");
    let first = quiet_token(&home);
    fleet.issuer.revoke_all();
    // The next token is newer by these seconds.
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
    // The same holds without the content of the local cache.
    for file in entry::files(&home, "json") {
        std::fs::remove_file(file).unwrap();
    }
    assert_ne!(quiet_token(&home), first);
    assert_eq!(fleet.issuer.token_requests(), 2);
}

#[test]
fn a_temporary_failure_pauses_the_fleet() {
    patient(|| {
        let (store, fleet) = fleet();
        let fault = Fault::status(503, "text/plain", "down\n");
        fleet.issuer.fault(Endpoint::Token, fault, Times::Forever);
        token(&fleet.machine()).0.code(75).stderr(contains("503"));
        let requests = fleet.issuer.token_requests();
        let (assert, took) = token(&fleet.machine());
        assert.code(75).stderr(contains(
            "another machine failed to get a token less than 30 s ago",
        ));
        within(took, Duration::from_secs(2));
        assert_eq!(fleet.issuer.token_requests(), requests);
        // The leader has released its lock.
        assert_eq!(store.values(":l:0").len(), 0);
    });
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
    patient(|| {
        let (store, fleet) = fleet();
        fleet.issuer.fault(
            Endpoint::Token,
            Fault::retry_after(429, "40"),
            Times::Forever,
        );
        token(&fleet.machine()).0.code(75).stderr(contains("429"));
        let (name, value) = store.values("").remove(0);
        assert!(name.starts_with("zc1:ban:"), "{name}");
        let end: u64 = String::from_utf8(value).unwrap().parse().unwrap();
        let left = || {
            end - SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
        };
        assert!((37..=50).contains(&left()), "{}", left());
        let requests = fleet.issuer.token_requests();
        let home = fleet.machine();
        // The ban lasts longer than the timeout of 30 s, so nobody waits.
        let (banned, took) = token(&home);
        let banned = banned.code(75).get_output().stderr.clone();
        let banned = String::from_utf8(banned).unwrap();
        let (_, told) = banned.split_once("try again in ").expect(&banned);
        let told: u64 = told.split(' ').next().unwrap().parse().unwrap();
        assert!((left()..=50).contains(&told), "{banned}");
        within(took, Duration::from_secs(2));
        // Another pool is not banned.
        token(&fleet.machine_with("pool = \"other\"\n")).0.code(75);
        assert!(fleet.issuer.token_requests() > requests);
    });
}

#[test]
fn a_store_that_is_down_costs_a_bounded_time_and_then_none() {
    patient(|| {
        let fleet = Fleet::new("redis://127.0.0.1:1");
        let home = fleet.machine();
        let (assert, took) = token(&home);
        assert.success().stderr(contains(
            "continuing without the shared cache: connection refused",
        ));
        within(took, Duration::from_millis(6500));
        for file in entry::files(&home, "json") {
            std::fs::remove_file(file).unwrap();
        }
        let (assert, took) = token(&home);
        assert.success().stderr("");
        within(took, Duration::from_secs(2));
    });
}

#[test]
fn a_fleet_that_must_never_storm_makes_no_request_without_its_store() {
    patient(|| {
        let fleet = Fleet::new("redis://127.0.0.1:1");
        let home = fleet.machine_with("on-failure = \"fail\"\n");
        let (assert, took) = token(&home);
        assert.code(75).stdout("").stderr(contains(
            "shared cache redis://127.0.0.1:1: connection refused",
        ));
        within(took, Duration::from_millis(6500));
        let (assert, took) = token(&home);
        assert.code(75).stdout("");
        within(took, Duration::from_secs(2));
        assert_eq!(fleet.issuer.total_requests(), 0);
    });
}

#[test]
fn a_cached_token_waits_200_ms_for_the_store() {
    patient(|| {
        let (store, fleet) = fleet();
        let home = fleet.machine();
        let first = quiet_token(&home);
        for file in entry::files(&home, "json") {
            entry::age(&file, 43_200 - 300);
        }
        // The store is silent until the call has ended.
        let (call, end) = mpsc::channel::<()>();
        let end = Mutex::new(end);
        store.turn(move |_, _| {
            let _ = end.lock().unwrap().recv_timeout(Duration::from_secs(10));
            None
        });
        let (assert, took) = token(&home);
        drop(call);
        assert.success().stdout(first);
        within(took, Duration::from_millis(1500));
        assert_eq!(fleet.issuer.token_requests(), 1);
    });
}

#[test]
fn a_machine_whose_clock_is_off_mints_its_own_and_leaves_the_others_alone() {
    let (_store, fleet) = fleet();
    let first = quiet_token(&fleet.machine());
    let behind = fleet.machine();
    // The program gets a time two hours in the past.
    let Some(faketime) = crate::support::program::client("faketime") else {
        return;
    };
    let mut command = behind.command(faketime);
    command.args(["-f", "-2h"]).arg(binary()).arg("token");
    let output = command.run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fleet.issuer.issued_tokens().len(), 2);
    assert_ne!(String::from_utf8(output.stdout).unwrap(), first);
    // The others use the published token.
    quiet_token(&fleet.machine());
    assert_eq!(fleet.issuer.issued_tokens().len(), 2);
}

#[test]
fn a_killed_leader_delays_others_by_its_lease() {
    patient(|| {
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
        within(took, Duration::from_secs(16));
        assert_eq!(fleet.issuer.token_requests(), 2);
    });
}

#[test]
fn a_lost_reply_to_the_lock_costs_no_lease() {
    patient(|| {
        let (store, fleet) = fleet();
        let locks = AtomicUsize::new(0);
        store.turn(move |words, values| {
            let is_lock = words[0] == b"SET" && words.contains(&b"NX".to_vec());
            let is_lost = is_lock && locks.fetch_add(1, Ordering::Relaxed) == 0;
            is_lost.then(|| {
                honest(words, values);
                Vec::new()
            })
        });
        let (assert, took) = token(&fleet.machine());
        assert.success().stderr("");
        within(took, Duration::from_secs(5));
        assert_eq!(fleet.issuer.token_requests(), 1);
        assert_eq!(store.values(":l:0").len(), 0);
    });
}

#[test]
fn a_lock_of_an_older_version_is_another_machines() {
    let (store, fleet) = fleet();
    let home = fleet.machine();
    let first = quiet_token(&home);
    let name = store.entry().0.replace(":t", ":l:0");
    store.clear();
    // Older versions write this value.
    store.set(&name, b"1");
    for file in entry::files(&home, "json") {
        entry::age(&file, 43_200 - 300);
    }
    assert_eq!(quiet_token(&home), first);
    assert_eq!(store.values(":l:0"), [(name, b"1".to_vec())]);
    assert_eq!(fleet.issuer.token_requests(), 1);
}

#[test]
fn the_password_is_read_once_and_only_for_a_server_that_is_up() {
    let (store, fleet) = fleet();
    // The server refuses two logins, each of which ends a connection.
    let refuse_twice = || {
        let logins = AtomicUsize::new(0);
        store.turn(move |words, _| {
            let is_login = words[0] == b"AUTH";
            let is_refused = is_login && logins.fetch_add(1, Ordering::Relaxed) < 2;
            is_refused.then(|| b"-LOADING it is read from disk\r\n".to_vec())
        });
    };
    refuse_twice();
    let home = fleet.machine_with("password-file = \"/dev/stdin\"\n");
    let mut command = home.zitadel(["token"]);
    command
        .write_stdin("secret\n")
        .assert()
        .success()
        .stderr("");
    assert_eq!(store.count("AUTH"), 3);
    refuse_twice();
    let home = fleet.machine_with("password-file = \"~/password\"\n");
    let password = home.write("password", "secret\n");
    std::fs::set_permissions(password, Permissions::from_mode(0o644)).unwrap();
    let warning = contains("every user can read it");
    token(&home).0.success().stderr(warning.clone().count(1));
    assert_eq!(store.count("AUTH"), 6);
    for file in entry::files(&home, "json") {
        entry::age(&file, 43_200 - 300);
    }
    let config = home.read(".config/zitadel-credential/config.toml");
    home.write_config(&config.replace(&store.url(), "redis://127.0.0.1:1"));
    token(&home).0.success().stderr(
        contains("continuing without the shared cache: connection refused").and(warning.not()),
    );
}

#[test]
fn a_token_that_is_too_large_releases_the_lock() {
    let (store, fleet) = fleet();
    let large = format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_in":3600}}"#,
        "a".repeat(600_000)
    );
    let fault = Fault::body("application/json", large);
    fleet.issuer.fault(Endpoint::Token, fault, 1usize);
    let assert = token(&fleet.machine()).0.success();
    assert.stderr(contains("the token is too large to share"));
    assert_eq!(store.values("").len(), 0);
}

#[test]
fn a_token_without_time_left_releases_the_lock() {
    let (store, fleet) = fleet();
    // The command ends in the second in which its token's margin begins.
    let script = r#"s=$(date +%s)
while [ $(date +%s) = $s ]; do sleep 0.02; done
echo "{\"access_token\":\"abc\",\"expires_at\":$((s + 2))}"
"#;
    let home = fleet.machine();
    home.write("supply", script);
    home.write("seal", [7; 32]);
    std::fs::set_permissions(home.path().join("seal"), Permissions::from_mode(0o600)).unwrap();
    home.write_config(&format!(
        "[profiles.test]\ntoken-command = [\"sh\", \"supply\"]\n[profiles.test.shared]\nurl = \"{}\"\nseal-key-file = \"~/seal\"\n",
        store.url()
    ));
    // On a busy machine the token may expire before it is read.
    let _ = token(&home);
    assert_eq!(store.count("SET"), 1);
    assert_eq!(store.values("").len(), 0);
}

#[test]
fn a_token_in_its_refresh_window_is_renewed_by_one_machine() {
    let (_store, fleet) = fleet();
    fleet.issuer.set_lifetime(300);
    let machines: Vec<_> = (0..3).map(|_| fleet.machine()).collect();
    let first: Vec<_> = machines.iter().map(quiet_token).collect();
    // The last 60 of 300 s are the window.
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
        "HTTP 503",
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
    // The same length needs the same reads.
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
