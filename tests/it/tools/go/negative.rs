//! Go: no block without a rule.

use crate::negative::{Bait, GOOD, hosts};

const REFUSED: &str = "HTTP/1.1 401 Unauthorized\n\n";

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        let url = format!("https://{host}/x/@v/list");
        bait.ask(&["go", &url], "HTTP/1.1 404 Not Found\n\n")
            .gets_the_token(&url);
    }
}

#[test]
fn a_response_of_any_size_is_accepted() {
    let bait = Bait::new();
    let url = format!("https://{GOOD}/x");
    for status in ["401 Unauthorized", "404 Not Found"] {
        let header = format!("X-Long: {}\n", "x".repeat(70_000));
        let response = format!("HTTP/1.1 {status}\n{header}{header}\n");
        let call = bait.ask(&["go", &url], &response);
        assert_eq!(call.output.status, crate::negative::exited(0));
        let stdout = String::from_utf8_lossy(&call.output.stdout);
        assert!(stdout.contains(&bait.token), "{status}: {stdout}");
        // Without a rule, the response is not even read.
        bait.ask(&["go", "https://evil.test/x"], &response)
            .gets_nothing_but(0, "", status)
            .silently();
    }
}

#[test]
fn a_host_that_has_no_rule_gets_no_block() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // In a URL, these characters end the host.
        if host.contains(['/', '?']) {
            continue;
        }
        let url = format!("https://{host}/x/@v/list");
        bait.ask(&["go", &url], REFUSED)
            .gets_nothing_but(0, "", what)
            .silently();
    }
    for url in [
        format!("http://{GOOD}/x"),
        format!("ftp://{GOOD}/x"),
        format!("//{GOOD}/x"),
        GOOD.to_owned(),
        String::new(),
        // Go passes a whole https URL, which no option resembles.
        "https://--host=evil.test".to_owned(),
        format!("https://--profile=test@{GOOD}/x"),
        "https://-h/--help?--refresh".to_owned(),
    ] {
        bait.ask(&["go", &url], REFUSED)
            .gets_nothing_but(0, "", &url)
            .silently();
    }
}

#[test]
fn plain_http_gets_nothing_even_if_the_rule_allows_it() {
    let bait = Bait::new();
    bait.world.allow("old.acme.test");
    bait.world.home.append_config("allow-http = true\n");
    let url = "http://old.acme.test/x";
    bait.ask(&["go", url], REFUSED)
        .gets_nothing_but(0, "", url)
        .silently();
}

#[test]
fn without_a_url_only_hosts_that_a_rule_names_in_full_get_a_block() {
    let bait = Bait::new();
    let call = bait.ask(&["go"], "");
    call.gets_the_token("all hosts");
    let said = String::from_utf8_lossy(&call.output.stdout);
    let block = |host: &str| {
        let token = &bait.token;
        format!("https://{host}\n\nAuthorization: Bearer {token}\n\n")
    };
    let hosts = ["127.0.0.1", "[::1]", "ci.acme.test", GOOD];
    assert_eq!(said, hosts.map(block).concat());
}

#[test]
fn an_invalid_go_request_is_an_error() {
    let bait = Bait::new();
    let url = format!("https://{GOOD}/x");
    let long = format!("HTTP/1.1 401 {}\n\n", "x".repeat(64 * 1024));
    bait.ask(&["go", &url], long)
        .gets_nothing_but(2, "", "a status line over 64 KiB");
    bait.ask(&["go", &url, &url], REFUSED)
        .gets_nothing_but(2, "", "two URLs");
}
