//! Terraform: no token without a rule, and a failure for an invalid request.

use crate::negative::{Bait, GOOD, hosts};

/// Asserts that a host gets no token, and that erasing removes nothing.
#[track_caller]
fn nothing(bait: &Bait, host: &str, what: &str) {
    bait.ask(&["terraform", "get", host], "")
        .gets_nothing_but(0, "{}\n", what)
        .silently();
    bait.ask(&["terraform", "forget", host], "")
        .gets_nothing_but(0, "", what)
        .silently();
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        bait.ask(&["terraform", "get", host], "")
            .gets_the_token(host);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_no_token() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        nothing(&bait, &host, what);
    }
    for host in [
        "",
        "https://GOOD",
        "http://GOOD",
        "//GOOD",
        "GOOD/",
        "GOOD/v1/modules",
        " GOOD",
        "GOOD\n",
    ] {
        nothing(&bait, &host.replace("GOOD", GOOD), host);
    }
}

#[test]
fn a_host_that_looks_like_an_option_gets_no_token() {
    let bait = Bait::new();
    for word in hosts::OPTIONS {
        nothing(&bait, word, word);
        let words = ["terraform", "get", word, GOOD];
        bait.ask(&words, "").gets_nothing_but(2, "", word);
    }
}

#[test]
fn an_operation_without_a_token_touches_nothing() {
    let bait = Bait::new();
    let token = r#"{"token":"x"}"#;
    let long = "x".repeat(64 * 1024 + 1);
    for input in ["", token, &long] {
        bait.ask(&["terraform", "store", GOOD], input)
            .gets_nothing_but(1, "", "store");
    }
    for operation in ["erase", "GET", "get ", ""] {
        bait.ask(&["terraform", operation, GOOD], "")
            .gets_nothing_but(2, "", operation);
    }
    for arguments in [["get"].as_slice(), &[], &["get", GOOD, GOOD]] {
        bait.ask(&[&["terraform"], arguments].concat(), "")
            .gets_nothing_but(2, "", "too few words, or too many");
    }
}
