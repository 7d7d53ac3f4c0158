//! Responses to docker and similar tools, and messages to the user, if there is no token.
//! stdout follows the tool's protocol, byte for byte.

use std::fs;

use snapbox::str;

use crate::errors::{HOST, refused, ruled};
use crate::support::{Case, Endpoint, Fault, Times};

const NOT_FOUND: &str = "credentials not found in native keychain\n";

#[test]
fn docker_gets_a_short_error_and_its_user_the_full_one() {
    refused().ask(["docker", "get"], HOST).prints(1, str![[r#"
zitadel-credential: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)

"#]], str![[r#"
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
fn docker_while_the_issuer_is_down() {
    let case = ruled();
    let down = Fault::status(500, "text/plain", "\u{1b}[31mdown\nnow");
    case.world.issuer.fault(Endpoint::Any, down, Times::Forever);
    case.ask(["docker", "get"], HOST).prints(
        1,
        str![[r#"
zitadel-credential: [ISSUER]/.well-known/openid-configuration: HTTP 500: \u{1b}[31mdown\nnow

"#]],
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 500: \u{1b}[31mdown\nnow
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again later: the issuer has an internal problem

"#]],
    );
}

#[test]
fn docker_where_there_is_no_key() {
    let case = ruled();
    fs::remove_file(&case.world.key_file).unwrap();
    case.ask(["docker", "get"], HOST).prints(1, str![[r#"
zitadel-credential: key file [HOME]/key.json: no such file or directory

"#]], str![[r#"
zitadel-credential: error: key file [HOME]/key.json: no such file or directory
  hint: set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

"#]]);
}

#[test]
fn docker_finds_nothing_for_a_host_without_a_rule() {
    let case = Case::new();
    for server in [
        HOST,
        "https://git.acme.test/v2/",
        "ftp://git.acme.test",
        "\u{1b}[31m",
    ] {
        case.ask(["docker", "get"], server)
            .answers(1, NOT_FOUND, "");
        case.ask(["docker", "erase"], server).answers(0, "", "");
    }
    case.ask(["docker", "get", "-v"], HOST).answers(
        1,
        NOT_FOUND,
        str![[r#"
zitadel-credential: no host rule for https://git.acme.test: add [hosts."git.acme.test"] to the config file; or run zitadel-credential setup TOOL git.acme.test, for example setup git git.acme.test; or for one call, give --host git.acme.test

"#]],
    );
    case.ask(["docker", "get", "-v"], "\u{1b}[31m").answers(
        1,
        NOT_FOUND,
        str![[r#"
zitadel-credential: no token: invalid host in docker's server URL

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn docker_names_no_server() {
    let case = ruled();
    for nothing in ["", "\n"] {
        case.ask(["docker", "get"], nothing)
            .answers(1, "no credentials server URL\n", "");
    }
    assert_eq!(case.requests(), 0);
}

#[test]
fn docker_names_an_endless_server() {
    let long = "x".repeat(70_000);
    ruled().ask(["docker", "get"], &long).prints(
        1,
        str![[r#"
zitadel-credential: the server URL on stdin is larger than 65536 bytes

"#]],
        str![[r#"
zitadel-credential: error: the server URL on stdin is larger than 65536 bytes

"#]],
    );
}

#[test]
fn docker_asks_for_an_unknown_operation() {
    let case = ruled();
    case.ask(["docker", "rotate"], HOST)
        .answers(1, "Unknown credential action `rotate`\n", "");
    case.ask(["docker", "\u{1b}[31m\n"], HOST).answers(
        1,
        "Unknown credential action `\\u{1b}[31m`\n",
        "",
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn docker_with_a_config_file_that_is_broken() {
    let case = Case::new();
    case.world.home.write_config("[hosts\n");
    case.ask(["docker", "get"], HOST).prints(1, str![[r#"
zitadel-credential: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: unclosed table, expected `]`

"#]], str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: unclosed table, expected `]`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
}

#[test]
fn docker_lists_what_it_can() {
    let case = ruled();
    case.world.home.append_config(
        "[profiles.gone]\nissuer = \"https://id.acme.test\"\nkey-file = \"~/gone.json\"\n\
         [hosts.\"gone.acme.test\"]\nprofile = \"gone\"\n",
    );
    let docker = case.world.home.path().join(".docker");
    std::fs::create_dir_all(&docker).unwrap();
    let file = r#"{"credHelpers": {"git.acme.test": "zitadel", "gone.acme.test": "zitadel"}}"#;
    std::fs::write(docker.join("config.json"), file).unwrap();
    case.ask(["docker", "list"], "unused").prints(0, str![[r#"
{"git.acme.test":"[USER_ID]"}

"#]], str![[r#"
zitadel-credential: warning: gone.acme.test is not listed: key file [HOME]/gone.json: no such file or directory

"#]]);
    assert_eq!(case.requests(), 0);
}
