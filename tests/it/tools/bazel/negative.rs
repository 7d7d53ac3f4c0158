//! Bazel: no headers without a rule, and exit code 2 for an invalid request.

use serde_json::json;

use crate::negative::{Bait, GOOD, hosts};

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        let question = json!({"uri": format!("https://{host}/x"), "later": 1}).to_string();
        bait.ask(&["bazel", "get"], &question)
            .gets_the_token(&question);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_no_header() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // In a URL, these characters end the host.
        if host.contains(['/', '?']) {
            continue;
        }
        let question = json!({"uri": format!("https://{host}/x")}).to_string();
        bait.ask(&["bazel", "get"], question)
            .gets_nothing_but(0, "{}\n", what)
            .silently();
    }
    for uri in [
        format!("http://{GOOD}/x"),
        format!("ftp://{GOOD}/x"),
        format!("//{GOOD}/x"),
        GOOD.to_owned(),
    ] {
        let question = json!({ "uri": uri }).to_string();
        bait.ask(&["bazel", "get"], question)
            .gets_nothing_but(0, "{}\n", &uri)
            .silently();
    }
}

#[test]
fn a_malformed_request_is_an_error() {
    let bait = Bait::new();
    let good = json!({"uri": format!("https://{GOOD}/")}).to_string();
    for (question, what) in [
        (String::new(), "nothing"),
        (format!("{good}{good}"), "two"),
        (
            good.replace('}', ",\"uri\":\"https://evil.test/\"}"),
            "two URIs",
        ),
        (format!("{good}{}", " ".repeat(64 * 1024)), "over 64 KiB"),
        (good[..good.len() - 1].to_owned(), "half"),
        (json!([format!("https://{GOOD}/")]).to_string(), "a list"),
    ] {
        bait.ask(&["bazel", "get"], question)
            .gets_nothing_but(2, "", what);
    }
    for operation in ["store", "GET", "get ", ""] {
        bait.ask(&["bazel", operation], &good)
            .gets_nothing_but(2, "", operation);
    }
}
