//! The keys that `jwks2pem.py` writes.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::{HaProxy, KEYS};
use crate::git::gits;
use crate::program::{output, stderr_of_failure, stdout_of_success};
use crate::servers::cast::{Cast, Who};
use crate::servers::person::configure_git;
use crate::support::TokenKind::Jwt;
use crate::support::{Endpoint, Fault, until};

impl HaProxy<'_> {
    fn key_files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.files.path(KEYS)).unwrap();
        entries
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect()
    }
}

#[test]
fn a_new_key_counts_after_a_reload_and_the_old_one_still_does() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    let bearer = || format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    let old = bearer();
    assert_eq!(haproxy.reads(Some(&old)), 200);
    let reload = format!("echo reloaded; kill -USR2 {}", haproxy.process());
    stdout_of_success(haproxy.fetch_keys("echo reloaded; exit 1").unwrap());

    cast.issuer().rotate_key();
    let new = bearer();
    assert_eq!(
        [haproxy.reads(Some(&old)), haproxy.reads(Some(&new))],
        [200, 401]
    );
    let said = stderr_of_failure(haproxy.fetch_keys("exit 1").unwrap());
    assert!(said.contains("returned non-zero exit status 1"), "{said}");
    let said = stdout_of_success(haproxy.fetch_keys(&reload).unwrap());
    assert_eq!(said, "reloaded\n", "again, because it failed");
    until("the new key counts", || haproxy.reads(Some(&new)) == 200);
    for authorization in [&old, &new] {
        assert_eq!(haproxy.reads(Some(authorization)), 200);
        assert_eq!(haproxy.writes(Some(authorization)), 200);
    }
    let said = stdout_of_success(haproxy.fetch_keys(&reload).unwrap());
    assert_eq!(said, "", "nothing has changed");
}

#[test]
fn without_a_valid_answer_all_files_stay() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    let before = haproxy.key_files();
    assert_eq!(before.len(), 5, "{before:?}");
    let key = |id: &str| json!({ "kty": "RSA", "kid": id, "n": "AQAB", "e": "AQAB" });
    let body = |keys: Value| Fault::body("application/json", json!({ "keys": keys }).to_string());
    for fault in [
        Fault::Close,
        Fault::CutMidBody,
        Fault::status(502, "text/html", "<html>Bad Gateway</html>"),
        Fault::body("text/html", "<html>a login page</html>"),
        body(json!([])),
        body(json!([{ "kty": "EC", "kid": "1" }])),
        body(json!([key("1"), key("../2")])),
        body(json!([key("1"), key("2 3")])),
        body(json!([key("1"), key("2"), key("3"), key("4"), key("5")])),
        body(json!([key("1"), { "kty": "RSA", "kid": "2", "n": "AQAB" }])),
        body(json!([key("1"), { "kty": "RSA", "kid": "2", "n": "", "e": "AQAB" }])),
        body(json!([key("1"), { "kty": "RSA", "kid": 2, "n": "AQAB", "e": "AQAB" }])),
        body(json!([key("\u{fc}")])),
        body(json!("keys")),
        Fault::body("application/json", "[".repeat(100_000)),
    ] {
        cast.issuer().fault(Endpoint::Any, fault, usize::MAX);
        let said = stderr_of_failure(haproxy.fetch_keys("echo reloaded").unwrap());
        assert!(
            said.starts_with("jwks2pem.py: ") && said.lines().count() == 1,
            "{said}"
        );
        assert_eq!(haproxy.key_files(), before);
        cast.issuer().clear_faults();
    }
    // The redirect is not followed, even to an address with the keys.
    let elsewhere = format!("{}/oauth/v2/keys", cast.issuer().url());
    cast.issuer()
        .fault(Endpoint::Any, Fault::redirect(&elsewhere), 1);
    let said = stderr_of_failure(haproxy.fetch_keys("echo reloaded").unwrap());
    assert!(said.contains("HTTP Error 302"), "{said}");
}

/// openssl compares the keys with the issuer's own.
#[test]
fn the_files_are_public_keys() {
    let cast = Cast::new();
    cast.issuer().rotate_key();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    for slot in 1..=4 {
        let mut openssl = cast.world.home.command("openssl");
        openssl.args(["pkey", "-pubin", "-noout", "-text", "-in"]);
        openssl.arg(haproxy.files.path(&format!("{KEYS}/{slot}.pem")));
        let output = output(openssl);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("(2048 bit)"), "{said}");
    }
    let files = haproxy.key_files();
    assert_ne!(files["1.pem"], files["2.pem"]);
    assert_eq!(files["2.pem"], files["3.pem"]);
    assert_eq!(files["keys.map"].lines().count(), 2);
}

/// `git.cfg` compares the key's ID first for this reason.
#[test]
fn a_large_push_passes_whichever_key_has_signed() {
    for git in gits() {
        let cast = Cast::new();
        cast.issuer().set_token_kind(Jwt);
        let Some(haproxy) = HaProxy::start(&cast) else {
            return;
        };
        cast.issuer().rotate_key();
        let reload = format!("kill -USR2 {}", haproxy.process());
        stdout_of_success(haproxy.fetch_keys(&reload).unwrap());
        let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
        until("the key counts", || haproxy.reads(Some(&token)) == 200);
        configure_git(&haproxy);
        haproxy.assert_hooks_know_the_user_and_not_the_token(&git);
    }
}
