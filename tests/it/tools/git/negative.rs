//! git: empty stdout and exit code 0, so that git tries its next helper.

use crate::negative::{Bait, GOOD, hosts};

fn asked(host: &str) -> String {
    format!("protocol=https\nhost={host}\n\n")
}

/// Asserts that a message gets no response, and that erasing the valid token with it
/// removes nothing.
#[track_caller]
fn nothing(bait: &Bait, message: impl AsRef<[u8]>, what: &str) {
    let message = message.as_ref();
    let shown = format!("{what}: {:.200}", message.escape_ascii().to_string());
    bait.ask(&["git", "get"], message)
        .gets_nothing_but(0, "", &shown)
        .silently();
    let erase = [format!("password={}\n", bait.token).as_bytes(), message].concat();
    bait.ask(&["git", "erase"], erase)
        .gets_nothing_but(0, "", &shown)
        .silently();
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        bait.ask(&["git", "get"], asked(host)).gets_the_token(host);
    }
    for message in [
        format!("protocol=HTTPS\nhost={GOOD}\n\n"),
        format!("protocol=https\r\nhost={GOOD}\r\n\r\n"),
        format!("protocol=https\nhost={GOOD}\npath=a/../b?c#d\nusername=eve\n\n"),
    ] {
        bait.ask(&["git", "get"], &message).gets_the_token(&message);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_nothing() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        nothing(&bait, asked(&host), what);
    }
}

#[test]
fn a_message_that_git_never_sends_gets_nothing() {
    let bait = Bait::new();
    for (what, messages) in MESSAGES {
        for message in *messages {
            nothing(&bait, message.replace("GOOD", GOOD), what);
        }
    }
}

#[test]
fn other_line_separators_do_not_end_a_line() {
    let bait = Bait::new();
    for end in [
        "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}", "\0", "\u{1c}", "\u{1d}",
        "\u{1e}", "%0a", "\\n",
    ] {
        for message in [
            format!(
                "protocol=http\nhost=localhost\nusername={end}protocol=https{end}host={GOOD}{end}\n"
            ),
            format!("protocol=https\nhost=evil.test{end}host={GOOD}\n"),
            format!("protocol=https\nhost={GOOD}{end}host=evil.test\n"),
            format!("protocol=http{end}protocol=https\nhost={GOOD}\n"),
        ] {
            nothing(
                &bait,
                message,
                "smuggled lines (CVE-2024-50338, CVE-2025-23040)",
            );
        }
        if !end.starts_with(['%', '\\']) {
            let path = format!("protocol=https\nhost={GOOD}\npath=a{end}host=evil.test\n");
            nothing(&bait, path, "in a path (CVE-2024-52006)");
        }
    }
}

#[test]
fn a_too_large_or_binary_message_gets_nothing() {
    let bait = Bait::new();
    let long = "x".repeat(64 * 1024);
    let good = format!("protocol=https\nhost={GOOD}\n");
    nothing(&bait, format!("{good}path={long}\n\n"), "a line");
    nothing(&bait, format!("path={long}\n{good}\n"), "a line before");
    let lines = "wwwauth[]=Bearer\n".repeat(4096);
    nothing(&bait, format!("{good}{lines}\n"), "many lines");
    for bytes in [b"\xff".as_slice(), b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5"] {
        let message = [good.as_bytes(), b"path=", bytes, b"\n\n"].concat();
        nothing(&bait, message, "bytes that are no UTF-8");
    }
    nothing(&bait, format!("\u{feff}{good}\n"), "a byte order mark");
}

#[test]
fn an_operation_without_a_login_touches_nothing() {
    let bait = Bait::new();
    for word in ["store", "rotate", "", "GET", "get\n", "../get"] {
        let message = asked(GOOD);
        bait.ask(&["git", word], message)
            .gets_nothing_but(0, "", word);
    }
    let capable = "version 0\ncapability authtype\n";
    bait.ask(&["git", "capability"], asked(GOOD))
        .gets_nothing_but(0, capable, "capability");
}

const MESSAGES: &[(&str, &[&str])] = &[
    (
        "a rule is for https alone",
        &[
            "protocol=http\nhost=GOOD\n\n",
            "protocol=http\nhost=127.0.0.1\n\n",
        ],
    ),
    (
        "a rule with a username is for that one",
        &[
            "protocol=https\nhost=ci.acme.test\nusername=eve\n\n",
            "protocol=https\nhost=ci.acme.test\nusername=CI\n\n",
        ],
    ),
    (
        "twice the same key (CVE-2020-5260, CVE-2024-53263)",
        &[
            "protocol=https\nhost=evil.test\nhost=GOOD\n\n",
            "protocol=https\nhost=GOOD\nhost=evil.test\n\n",
            "protocol=https\nhost=GOOD\nhost=GOOD\n\n",
            "protocol=https\nhost=\nhost=GOOD\n\n",
            "protocol=http\nprotocol=https\nhost=GOOD\n\n",
            "protocol=\nprotocol=https\nhost=GOOD\n\n",
            "protocol=https\nhost=GOOD\nusername=a\nusername=b\n\n",
            "protocol=https\nhost=GOOD\npath=a\npath=b\n\n",
        ],
    ),
    (
        "no host or no protocol (CVE-2020-11008)",
        &[
            "protocol=https\n\n",
            "host=GOOD\n\n",
            "protocol=https\nhost=\n\n",
            "protocol=\nhost=GOOD\n\n",
            "",
            "\n",
            "\nprotocol=https\nhost=GOOD\n\n",
            "protocol=https\n\nhost=GOOD\n\n",
        ],
    ),
    (
        "a protocol that has no rules",
        &[
            "protocol=cert\nhost=GOOD\n\n",
            "protocol=cert\nhost=\npath=/key.pem\n\n",
            "protocol=ftp\nhost=GOOD\n\n",
            "protocol=ssh\nhost=GOOD\n\n",
            "protocol=file\nhost=GOOD\n\n",
            "protocol=httpss\nhost=GOOD\n\n",
            "protocol=https:\nhost=GOOD\n\n",
            "protocol=https \nhost=GOOD\n\n",
            "protocol= https\nhost=GOOD\n\n",
            "protocol=http\u{17f}\nhost=GOOD\n\n",
        ],
    ),
    (
        "a url, which is a second source",
        &[
            "url=https://GOOD\n\n",
            "url=https://GOOD\nprotocol=https\nhost=evil.test\n\n",
            "protocol=https\nhost=GOOD\nurl=https://evil.test\n\n",
            "url=\nprotocol=https\nhost=GOOD\n\n",
        ],
    ),
    (
        "lines that are none",
        &[
            "protocol=https\nhost=GOOD\nhello\n\n",
            "protocol=https\nhost=GOOD\n=x\n\n",
            "protocol=https\nhost=GOOD\n \n\n",
            "protocol=https\nhost=GOOD\npath=\0\n\n",
            "protocol=https\nhost=GOOD\npassword=a\0b\n\n",
            "protocol=https\nhost=GOOD\nx=\0\n\n",
            "protocol=https\0\nhost=GOOD\n\n",
        ],
    ),
    (
        "keys that are not the key",
        &[
            "Protocol=https\nHost=GOOD\n\n",
            "protocol=https\n host=GOOD\n\n",
            "protocol=https\nhost =GOOD\n\n",
            "protocol=https\nhost[]=GOOD\n\n",
            "protocol[]=https\nhost=GOOD\n\n",
            "protocol:https\nhost:GOOD\n\n",
        ],
    ),
    (
        "a CR that is no line's end",
        &[
            "protocol=https\r\nhost=GOOD\n\n",
            "protocol=https\nhost=GOOD\r\n\n",
            "protocol=https\nhost=GOOD\n\r\n",
            "protocol=https\r\nhost=GOOD\r\r\n\r\n",
            "protocol=https\rhost=GOOD\r\r",
        ],
    ),
    (
        "what steers a terminal (CVE-2024-50349)",
        &[
            "protocol=https\nhost=GOOD\npath=\u{1b}[31m\n\n",
            "protocol=https\nhost=GOOD\nusername=\u{7}\n\n",
            "protocol=https\nhost=GOOD\npath=\u{202e}tset\n\n",
        ],
    ),
];
