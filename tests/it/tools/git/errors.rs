//! Responses to git, and messages to its user, if there is no token. stdout follows git's
//! protocol, byte for byte.

use std::fs;

use snapbox::str;

use crate::errors::{refused, ruled};
use crate::support::{Case, Endpoint, Fault, Times};

const ASKED: &str = "protocol=https\nhost=git.acme.test\n\n";

#[test]
fn git_gets_a_quit_if_the_token_is_refused() {
    refused()
        .ask(["git", "get"], ASKED)
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]);
}

#[test]
fn git_gets_a_quit_if_the_issuer_is_down() {
    let case = ruled();
    let down = Fault::status(500, "text/plain", "down");
    case.world.issuer.fault(Endpoint::Any, down, Times::Forever);
    case.ask(["git", "get"], ASKED).answers(
        1,
        "quit=1\n",
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 500: down
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again later: the issuer has an internal problem

"#]],
    );
}

#[test]
fn git_gets_a_quit_without_a_key() {
    let case = ruled();
    fs::remove_file(&case.world.key_file).unwrap();
    case.ask(["git", "get"], ASKED)
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: key file [HOME]/key.json: no such file or directory
  hint: set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

"#]]);
}

#[test]
fn git_gets_nothing_for_a_host_without_a_rule() {
    let case = Case::new();
    case.ask(["git", "get"], ASKED).answers(0, "", "");
    case.ask(["git", "get", "-v"], ASKED).answers(
        0,
        "",
        str![[r#"
zitadel-credential: no host rule for https://git.acme.test: add [hosts."git.acme.test"] to the config file; or run zitadel-credential setup TOOL git.acme.test, for example setup git git.acme.test; or for one call, give --host git.acme.test

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_gets_nothing_if_the_rule_is_for_another_port_scheme_or_user() {
    let case = Case::new();
    let rule = "[hosts.\"git.acme.test:8443\"]\nprofile = \"test\"\nusername = \"ci\"\n";
    case.world.home.append_config(rule);
    for (asked, said) in [
        (
            "protocol=https\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: no host rule for https://git.acme.test: git.acme.test:8443 is for another port: add [hosts."git.acme.test"] to the config file; or run zitadel-credential setup TOOL git.acme.test, for example setup git git.acme.test; or for one call, give --host git.acme.test

"#]],
        ),
        (
            "protocol=http\nhost=git.acme.test:8443\n",
            str![[r#"
zitadel-credential: host rule git.acme.test:8443 is for https, not for http://git.acme.test:8443: use https; or set allow-http = true in that rule if you trust the network

"#]],
        ),
        (
            "protocol=https\nhost=git.acme.test:8443\nusername=me\n",
            str![[r#"
zitadel-credential: host rule git.acme.test:8443 has the username ci, but another one was requested: request that username, or none

"#]],
        ),
    ] {
        case.ask(["git", "get", "-v"], asked).answers(0, "", said);
    }
    assert_eq!(case.requests(), 0);
}

/// A rule of the caller, and one that setup writes, are for https only.
#[test]
fn plain_http_is_allowed_only_by_a_rule_of_the_config_file() {
    let case = Case::new();
    let asked = "protocol=http\nhost=git.acme.test\n";
    case.ask(["git", "get", "-v"], asked).answers(0, "", str![[r#"
zitadel-credential: no host rule for http://git.acme.test: use https; or add [hosts."git.acme.test"] with allow-http = true to the config file if you trust the network

"#]]);
    let with_rule = ["git", "get", "-v", "--host", "*.acme.test"];
    case.ask(with_rule, asked).answers(0, "", str![[r#"
zitadel-credential: host rule *.acme.test is for https, not for http://git.acme.test: use https; or add [hosts."*.acme.test"] with allow-http = true to the config file if you trust the network

"#]]);
}

#[test]
fn git_gets_nothing_for_a_malformed_message() {
    let case = ruled();
    for (message, said) in [
        (
            "host=git.acme.test\rprotocol=https\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: a line contains CR or NUL

"#]],
        ),
        (
            "protocol=https\nhost=\u{1b}[31mgit.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: a value contains a control character

"#]],
        ),
        (
            "protocol=https\nprotocol=https\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: duplicate key

"#]],
        ),
        (
            "",
            str![[r#"
zitadel-credential: no token: git's message is malformed: no protocol

"#]],
        ),
        (
            "protocol=https\ngit.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: a line has no =

"#]],
        ),
        (
            "protocol=https\n=git.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: empty key

"#]],
        ),
        (
            "url=https://git.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: unexpected key url

"#]],
        ),
        (
            "protocol=ssh\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: the protocol is not https or http

"#]],
        ),
        (
            "protocol=https\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: no host

"#]],
        ),
        (
            "protocol=https\nhost=git acme\n",
            str![[r#"
zitadel-credential: no token: git's message is malformed: invalid host

"#]],
        ),
    ] {
        case.ask(["git", "get"], message).answers(0, "", "");
        case.ask(["git", "get", "-v"], message).answers(0, "", said);
    }
    let long = "x".repeat(70_000);
    case.ask(["git", "get", "-v"], &long).answers(
        0,
        "",
        str![[r#"
zitadel-credential: no token: git's message is larger than 65536 bytes

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_may_ask_for_an_unknown_operation() {
    let case = refused();
    case.ask(["git", "rotate"], ASKED).answers(0, "", "");
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_with_a_config_file_that_is_broken() {
    let case = Case::new();
    case.world.home.write_config("[hosts\n");
    case.ask(["git", "get"], ASKED).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: unclosed table, expected `]`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
    case.ask(["git", "store"], ASKED).answers(0, "", "");
}
