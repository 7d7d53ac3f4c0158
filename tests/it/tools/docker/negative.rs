//! docker and similar tools: the text that callers compare, and exit code 1.

use crate::negative::{Bait, GOOD, hosts};
use crate::support::library::VERSION;

const NOT_FOUND: &str = "credentials not found in native keychain\n";

/// Asserts that a server URL is not found, and that erasing it removes nothing.
#[track_caller]
fn not_found(bait: &Bait, url: impl AsRef<[u8]>, what: &str) {
    let url = url.as_ref();
    let shown = format!("{what}: {:.200}", url.escape_ascii().to_string());
    bait.ask(&["docker", "get"], url)
        .gets_nothing_but(1, NOT_FOUND, &shown)
        .silently();
    bait.ask(&["docker", "erase"], url)
        .gets_nothing_but(0, "", &shown)
        .silently();
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        for url in [
            (*host).to_owned(),
            format!("{host}/team/app"),
            format!("//{host}"),
            format!("https://{host}/v2/?x=y"),
            format!("HTTPS://{host}"),
            format!(" {host}\r\n"),
        ] {
            bait.ask(&["docker", "get"], &url).gets_the_token(&url);
        }
    }
}

#[test]
fn a_host_that_has_no_rule_is_not_found() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // Spaces around a URL are cut off.
        if host.trim_ascii() != host || host.contains("://") {
            continue;
        }
        not_found(&bait, &host, what);
        // In a URL, these characters end the host.
        if !host.contains(['/', '?']) {
            not_found(&bait, format!("https://{host}/v2/"), what);
        }
    }
}

#[test]
fn a_url_that_leads_elsewhere_is_not_found() {
    let bait = Bait::new();
    for (what, urls) in URLS {
        for url in *urls {
            not_found(&bait, url.replace("GOOD", GOOD), what);
        }
    }
    for bytes in [b"\xff".as_slice(), b"\xc0\xaf", b"\xed\xa0\x80"] {
        let url = [GOOD.as_bytes(), b"/", bytes].concat();
        not_found(&bait, url, "bytes that are no UTF-8");
    }
}

#[test]
fn an_empty_and_an_endless_server_have_their_own_answers() {
    let bait = Bait::new();
    for empty in ["", "\n", " \t\r\n", "\u{c}"] {
        for (operation, code) in [("get", 1), ("erase", 1)] {
            bait.ask(&["docker", operation], empty).gets_nothing_but(
                code,
                "no credentials server URL\n",
                operation,
            );
        }
    }
    let too_large = "zitadel-credential: the server URL on stdin is larger than 65536 bytes\n";
    let blanks = " ".repeat(64 * 1024);
    for url in [
        format!("https://{GOOD}/{}", "x".repeat(64 * 1024)),
        format!("{blanks}{GOOD}"),
        format!("{GOOD}{blanks}"),
    ] {
        for operation in ["get", "erase"] {
            bait.ask(&["docker", operation], &url)
                .gets_nothing_but(1, too_large, operation);
        }
    }
}

#[test]
fn an_operation_without_a_login_touches_nothing() {
    let bait = Bait::new();
    let login = format!("{{\"ServerURL\":\"{GOOD}\",\"Username\":\"x\",\"Secret\":\"y\"}}");
    let version = format!("docker-credential-zitadel {VERSION}\n");
    for (word, code, answer) in [
        ("store", 0, ""),
        ("version", 0, &*version),
        ("rotate", 1, "Unknown credential action `rotate`\n"),
        ("GET", 1, "Unknown credential action `GET`\n"),
        ("", 1, "Unknown credential action ``\n"),
    ] {
        bait.ask(&["docker", word], &login)
            .gets_nothing_but(code, answer, word);
    }
}

const URLS: &[(&str, &[&str])] = &[
    (
        "a rule is for https alone",
        &[
            "http://GOOD",
            "HTTP://GOOD/v2/",
            "http://127.0.0.1",
            "http://GOOD:443",
        ],
    ),
    (
        "the host stands elsewhere",
        &[
            "evil.test/GOOD",
            "https://evil.test/GOOD",
            "https://evil.test/https://GOOD/",
            "https://evil.test?GOOD",
            "https://evil.test#GOOD",
            "https://evil.test\\GOOD",
            "https://evil.test/\\GOOD",
            "https://https://GOOD",
            "///GOOD",
            "////GOOD",
            "/GOOD",
            "\\\\GOOD",
            "https:///GOOD",
            "https:/GOOD",
            "https:GOOD",
            "https:\\\\GOOD",
            "./GOOD",
            "../GOOD",
        ],
    ),
    (
        "a user",
        &[
            "https://GOOD@evil.test/",
            "https://GOOD:443@evil.test/",
            "https://user@GOOD/",
            "https://user:password@GOOD/",
            "https://evil.test\\@GOOD/",
            "https://GOOD\\@evil.test/",
            "//user@GOOD",
        ],
    ),
    (
        "another scheme",
        &[
            "ftp://GOOD",
            "ssh://GOOD",
            "file://GOOD",
            "docker://GOOD",
            "oci://GOOD",
            "javascript://GOOD",
            "httpss://GOOD",
            "http\u{17f}://GOOD",
            " https ://GOOD",
            "://GOOD",
            "wss://GOOD",
        ],
    ),
    (
        "a fragment, where readers differ",
        &[
            "GOOD#",
            "https://GOOD#@evil.test",
            "https://GOOD/#",
            "GOOD/x#y",
        ],
    ),
    (
        "several lines, and what ends one",
        &[
            "GOOD\nevil.test",
            "evil.test\nGOOD",
            "GOOD\r\nevil.test\r\n",
            "GOOD\revil.test",
            "GOOD\n/v2/",
            "ht\ntps://GOOD",
            "https://GO\tOD",
            "GOOD/v2/\u{2028}",
            "GOOD/\u{85}x",
        ],
    ),
    (
        "a NUL, and what is no blank",
        &[
            "GOOD\0",
            "\0GOOD",
            "GOOD\0.evil.test",
            "https://GOOD/\0",
            "\u{feff}GOOD",
            "\u{a0}GOOD",
            "GOOD\u{3000}",
            "\u{b}GOOD",
        ],
    ),
    (
        "what steers a terminal",
        &[
            "GOOD/\u{1b}[31m",
            "https://GOOD/\u{7}",
            "GOOD/\u{202e}",
            "\u{9b}31mGOOD",
        ],
    ),
    (
        "JSON, as store takes it",
        &[
            "{\"ServerURL\":\"GOOD\"}",
            "\"GOOD\"",
            "'GOOD'",
            "<GOOD>",
            "[GOOD]",
        ],
    ),
];
