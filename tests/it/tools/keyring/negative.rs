//! pip and uv: exit code 1 and empty stdout without a rule.

use crate::negative::{Bait, GOOD, hosts};

/// Asserts that a service and a username get no response, and that erasing removes
/// nothing.
#[track_caller]
fn nothing(bait: &Bait, service: &str, username: &str, what: &str) {
    for arguments in [
        ["keyring", "get", service, username].as_slice(),
        &[
            "keyring",
            "--mode=creds",
            "--output=json",
            "get",
            service,
            username,
        ],
        &["keyring", "del", service, username],
    ] {
        bait.ask(arguments, "")
            .gets_nothing_but(1, "", what)
            .silently();
    }
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        let service = format!("https://{host}/simple/");
        bait.ask(&["keyring", "get", &service, "ci"], "")
            .gets_the_token(host);
        bait.ask(&["keyring", "get", &service, "--mode", "creds"], "")
            .gets_the_token(host);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_nothing() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // In a URL, these characters end the host.
        if host.contains(['/', '?']) {
            continue;
        }
        nothing(&bait, &format!("https://{host}/simple/"), "ci", what);
    }
    for service in [
        "",
        "GOOD",
        "//GOOD/simple/",
        "http://GOOD/simple/",
        "ftp://GOOD/",
        "https:GOOD",
        "uv:https://GOOD/",
        "https://GOOD/#@evil.test",
    ] {
        nothing(&bait, &service.replace("GOOD", GOOD), "ci", service);
    }
}

/// pip and uv ask like this after getting nothing for the URL, which may be an http one,
/// and would send a token there.
#[test]
fn a_bare_host_gets_nothing_with_any_rule() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        nothing(&bait, host, "ci", host);
        nothing(&bait, &format!("{host}:443"), "ci", host);
    }
}

#[test]
fn another_username_than_the_rules_gets_nothing() {
    let bait = Bait::new();
    for username in ["eve", "CI", "ci "] {
        nothing(&bait, "https://ci.acme.test/simple/", username, "another");
    }
    for username in ["ci\nevil", "ci\r", "\u{2028}"] {
        let service = format!("https://{GOOD}/simple/");
        nothing(&bait, &service, username, "more than a line");
    }
}

/// pip 26 passes the user of a URL as the last word, with `%3D` and `%2F` decoded; in
/// creds mode, a call without a user is valid.
#[test]
fn a_service_or_username_that_looks_like_an_option_gets_nothing() {
    let bait = Bait::new();
    let (evil, good) = (
        "https://evil.test/simple/",
        format!("https://{GOOD}/simple/"),
    );
    let home = &bait.world.home;
    let profile = "[profiles.evil]\nissuer = \"ISSUER\"\nkey-command = [\"touch\", \"ran\"]\n";
    let profile = profile.replace("ISSUER", &bait.world.issuer.url());
    let rule = "[hosts.\"evil.test\"]\nprofile = \"evil\"\n";
    home.write("evil.toml", profile + rule);
    for word in hosts::OPTIONS {
        nothing(&bait, evil, word, word);
        nothing(&bait, &good, word, word);
        nothing(&bait, word, "ci", word);
        nothing(&bait, word, word, word);
        let words = ["keyring", "--mode=creds", "--output=json", "get", word];
        bait.ask(&words, "")
            .gets_nothing_but(1, "", word)
            .silently();
    }
}

#[test]
fn an_operation_without_a_login_touches_nothing() {
    let bait = Bait::new();
    let service = format!("https://{GOOD}/simple/");
    bait.ask(&["keyring", "set", &service, "ci"], "password\n")
        .gets_nothing_but(1, "", "set");
    for arguments in [
        ["store", &service, "ci"].as_slice(),
        &["GET", &service, "ci"],
        &["", &service, "ci"],
        &["get", &service],
        &["del", &service],
        &["del", &service, "--mode", "creds"],
        &["get", &service, "ci", "--mode", "all"],
        &["get", &service, "ci", "--output", "yaml"],
        &["get", &service, "ci", "x"],
        &["get"],
        &[],
        &["diagnose"],
    ] {
        bait.ask(&[&["keyring"], arguments].concat(), "")
            .gets_nothing_but(2, "", "no question");
    }
}
