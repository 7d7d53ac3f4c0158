//! cargo: `url-not-supported` without a rule, and an error for an invalid request; exit
//! code 0, as cargo reads no response from a provider that failed.

use serde_json::{Value, json};

use crate::negative::{Bait, GOOD, hosts};

const HELLO: &str = "{\"v\":[1]}\n";
const CARGO: [&str; 2] = ["cargo", "--cargo-plugin"];

fn question(index_url: &str) -> Value {
    json!({"v": 1, "kind": "get", "operation": "read", "registry": {"index-url": index_url}})
}

fn refused(kind: &str) -> String {
    format!("{HELLO}{{\"Err\":{{\"kind\":\"{kind}\"}}}}\n")
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        for index_url in [
            format!("sparse+https://{host}/index/"),
            format!("https://{host}/index.git"),
            format!("ssh://git@{host}/index.git"),
        ] {
            bait.ask(&CARGO, question(&index_url).to_string())
                .gets_the_token(&index_url);
        }
    }
}

#[test]
fn a_host_that_has_no_rule_gets_nothing() {
    let bait = Bait::new();
    let nothing = |index_url: &str, what: &str| {
        bait.ask(&CARGO, question(index_url).to_string())
            .gets_nothing_but(0, &refused("url-not-supported"), what)
            .silently();
    };
    for (host, what) in hosts::bad() {
        // In a URL, these characters end the host.
        if host.contains(['/', '?']) {
            continue;
        }
        nothing(&format!("sparse+https://{host}/index/"), what);
    }
    for index_url in [
        format!("sparse+http://{GOOD}/"),
        format!("http://{GOOD}/index.git"),
        format!("ssh://{GOOD}@evil.test/index.git"),
        format!("ssh://evil.test/@{GOOD}/"),
        format!("ssh://git:x@{GOOD}/"),
        format!("sparse+sparse+https://{GOOD}/"),
        format!("sparse+ssh://{GOOD}/"),
        format!("file://{GOOD}/index"),
        format!("//{GOOD}/"),
        GOOD.to_owned(),
    ] {
        nothing(&index_url, &index_url);
    }
}

#[test]
fn a_host_without_a_rule_is_left_to_the_next_provider_for_any_kind() {
    let bait = Bait::new();
    for kind in ["login", "logout", "later"] {
        let mut question = question("sparse+https://evil.test/");
        question["kind"] = kind.into();
        bait.ask(&CARGO, question.to_string())
            .gets_nothing_but(0, &refused("url-not-supported"), kind)
            .silently();
    }
    let mut question = question(&format!("sparse+https://{GOOD}/"));
    question["kind"] = "login".into();
    bait.ask(&CARGO, question.to_string())
        .gets_nothing_but(0, &refused("operation-not-supported"), "login")
        .silently();
}

#[test]
fn crates_io_gets_nothing_where_the_host_of_its_index_has_a_rule() {
    let bait = Bait::new();
    bait.world.allow("github.com");
    for crates_io in [
        "https://github.com/rust-lang/crates.io-index",
        "https://github.com/rust-lang/crates.io-index.git",
        "https://GitHub.com:443//rust-lang/./crates.io-index?x",
        "ssh://git@github.com/rust-lang/crates.io-index",
    ] {
        bait.ask(&CARGO, question(crates_io).to_string())
            .gets_nothing_but(0, &refused("url-not-supported"), crates_io)
            .silently();
    }
    let other = "https://github.com/acme/index";
    bait.ask(&CARGO, question(other).to_string())
        .gets_the_token(other);
}

#[test]
fn a_malformed_request_is_an_error_for_cargo() {
    let bait = Bait::new();
    let good = question(&format!("sparse+https://{GOOD}/")).to_string();
    let registry = json!({ "index-url": format!("sparse+https://{GOOD}/") });
    let list = json!([1, "get", "read", registry, []]);
    let within = good.replace(
        &registry.to_string(),
        &json!([registry["index-url"]]).to_string(),
    );
    assert_ne!(within, good);
    for (input, reason) in [
        (list.to_string(), "malformed"),
        (within, "malformed"),
        (good.replace(":1}", ":2}"), "malformed"),
        (
            good.replace(
                "{\"index-url\"",
                "{\"index-url\":\"https://evil.test/\",\"index-url\"",
            ),
            "malformed",
        ),
        (good[..good.len() - 1].to_owned(), "malformed"),
        (format!("{good}{good}"), "malformed"),
        (
            format!("{good}{}", " ".repeat(64 * 1024)),
            "larger than 65536 bytes",
        ),
    ] {
        let what = format!("cargo's request on stdin is {reason}");
        let told = json!({"Err": {
            "kind": "other",
            "message": what,
            "caused-by": ["hint: let cargo run this command; its protocol describes the input"],
        }});
        let call = bait.ask(&CARGO, &input);
        let stdout = String::from_utf8_lossy(&call.output.stdout).into_owned();
        let answer: Value = serde_json::from_str(&stdout[HELLO.len()..]).unwrap();
        assert_eq!(answer, told);
        call.gets_nothing_but(0, &stdout, reason).silently();
    }
    bait.ask(&CARGO, "")
        .gets_nothing_but(0, HELLO, "no question");
    bait.ask(&["cargo", "get"], good)
        .gets_nothing_but(2, "", "an operation");
}
