//! All errors of a call's settings, as the user reads them. None of them causes a request
//! to the issuer.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use snapbox::{Data, str};

use crate::support::Case;

/// Runs `token` with this config file.
#[track_caller]
fn config(toml: &str, stderr: impl Into<Data>) {
    let case = Case::new();
    case.world.home.write_config(toml);
    case.run(["token"]).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

/// Runs `token` with these options, in a world where it works without them.
#[track_caller]
fn options(more: &[&str], stderr: impl Into<Data>) {
    let case = Case::new();
    case.run(["token"].iter().chain(more)).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

/// Runs `token` with this variable, in a world where it works without it.
#[track_caller]
fn variable(name: &str, value: impl AsRef<OsStr>, stderr: impl Into<Data>) {
    let case = Case::new();
    let mut command = case.world.zitadel(["token"]);
    command.env(name, value);
    case.end(command).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_missing_config_file() {
    options(
        &["--config", "none.toml"],
        str![[r#"
zitadel-credential: error: config file none.toml: no such file or directory
  hint: set --config or ZITADEL_CREDENTIAL_CONFIG to a TOML file that you can read

"#]],
    );
    options(
        &["--config", "."],
        str![[r#"
zitadel-credential: error: config file .: is a directory
  hint: set --config or ZITADEL_CREDENTIAL_CONFIG to a TOML file that you can read

"#]],
    );
}

#[test]
fn an_unknown_profile() {
    options(
        &["--profile", "prod"],
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile named "prod"
  hint: choose one of: test
  hint: run zitadel-credential setup profile prod to create it

"#]],
    );
    config(
        "default-profile = \"prod\"\n[profiles.test]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile named "prod"
  hint: choose one of: test
  hint: run zitadel-credential setup profile prod to create it

"#]],
    );
    let case = Case::new();
    fs::remove_file(case.world.home.config_path()).unwrap();
    case.run(["token", "--profile", "prod"]).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile named "prod"
  hint: run zitadel-credential setup profile prod to create it

"#]],
    );
}

#[test]
fn an_incomplete_profile_of_a_rule() {
    let case = Case::new();
    case.world
        .home
        .append_config("[profiles.bare]\n[hosts.\"git.acme.test\"]\nprofile = \"bare\"\n");
    case.ask(["git", "get"], "protocol=https\nhost=git.acme.test\n")
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile bare: no issuer is set
  hint: add issuer to the profile
  hint: for one call, give --issuer or set ZITADEL_CREDENTIAL_ISSUER

"#]]);
}

#[test]
fn several_profiles_and_none_chosen() {
    config(
        "[profiles.prod]\n[profiles.test]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no issuer is configured: no profile is selected
  hint: select a profile with --profile or default-profile: prod, test

"#]],
    );
}

#[test]
fn no_issuer() {
    config(
        "[profiles.test]\nkey-file = \"~/key.json\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: no issuer is set
  hint: add issuer to the profile
  hint: for one call, give --issuer or set ZITADEL_CREDENTIAL_ISSUER

"#]],
    );
    let case = Case::new();
    fs::remove_file(case.world.home.config_path()).unwrap();
    case.run(["token"]).fails(
        2,
        str![[r#"
zitadel-credential: error: no issuer is configured
  hint: run zitadel-credential setup profile NAME, which writes [HOME]/.config/zitadel-credential/config.toml
  hint: for one call, give --issuer or set ZITADEL_CREDENTIAL_ISSUER

"#]],
    );
}

#[test]
fn no_key() {
    config(
        "[profiles.test]\nissuer = \"https://id.acme.test\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: no key is set
  hint: add key-file or key-command to the profile
  hint: for one call, give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY

"#]],
    );
    config(
        "[profiles.test]\nissuer = \"https://id.acme.test\"\nkey-id = \"1\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: no key is set
  hint: add key-file or key-command to the profile
  hint: for one call, give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY

"#]],
    );
}

#[test]
fn an_invalid_host() {
    options(
        &["--host", "git.acme.test/team"],
        str![[r#"
zitadel-credential: error: --host or ZITADEL_CREDENTIAL_HOSTS: invalid host: "git.acme.test/team"
  hint: write git.acme.test

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_HOSTS",
        "a.test b.test:x",
        str![[r#"
zitadel-credential: error: --host or ZITADEL_CREDENTIAL_HOSTS: invalid host: "b.test:x"
  hint: write b.test

"#]],
    );
}

#[test]
fn an_invalid_timeout() {
    options(
        &["--timeout", "soon"],
        str![[r#"
zitadel-credential: error: invalid timeout: "soon"
  hint: set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400

"#]],
    );
    options(
        &["--timeout", "0"],
        str![[r#"
zitadel-credential: error: invalid timeout: "0"
  hint: set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_TIMEOUT",
        "-1",
        str![[r#"
zitadel-credential: error: invalid timeout: "-1"
  hint: set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400

"#]],
    );
}

#[test]
fn scopes_and_projects() {
    options(
        &["--scope", "a\"b"],
        str![[r#"
zitadel-credential: error: invalid scope: "a"b"
  hint: write scopes like openid, separated by spaces

"#]],
    );
    options(
        &["--scope", " "],
        str![[r#"
zitadel-credential: error: no scope is configured
  hint: write scopes like openid, separated by spaces

"#]],
    );
    options(
        &["--project", "my project"],
        str![[r#"
zitadel-credential: error: invalid project ID: "my project"
  hint: use the project's ID: the long number on the project's page in ZITADEL

"#]],
    );
}

#[test]
fn an_invalid_log_level() {
    variable(
        "ZITADEL_CREDENTIAL_LOG",
        "loud",
        str![[r#"
zitadel-credential: error: invalid log level in ZITADEL_CREDENTIAL_LOG
  hint: set it to off, error, warn, info or debug

"#]],
    );
}

#[test]
fn an_invalid_log_format() {
    variable(
        "ZITADEL_CREDENTIAL_LOG_FORMAT",
        "xml",
        str![[r#"
zitadel-credential: error: invalid log format in ZITADEL_CREDENTIAL_LOG_FORMAT
  hint: set it to text or json

"#]],
    );
    options(
        &["--log-format", "xml"],
        str![[r#"
zitadel-credential: error: invalid value 'xml' for '--log-format <text|json>' [possible values: text, json]
  hint: run zitadel-credential token -h for the options

"#]],
    );
}

#[test]
fn bytes_that_are_not_utf8() {
    let bytes = OsStr::from_bytes(b"https://\xff\x1b[31m");
    variable(
        "ZITADEL_CREDENTIAL_ISSUER",
        bytes,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_ISSUER is not UTF-8
  hint: write it in UTF-8: names, URLs and IDs are ASCII

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_KEY",
        bytes,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY is not UTF-8
  hint: write it in UTF-8: names, URLs and IDs are ASCII

"#]],
    );
    let case = Case::new();
    let call = case.run([OsStr::new("token"), OsStr::new("--profile"), bytes]);
    call.fails(
        2,
        str![[r#"
zitadel-credential: error: --profile is not UTF-8
  hint: write it in UTF-8: names, URLs and IDs are ASCII

"#]],
    );
}

#[test]
fn an_invalid_proxy() {
    for (value, said) in [
        (
            "socks9://ci:hunter2@proxy",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it has the unsupported scheme `socks9`
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "http://ci:hunter2@",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "http://ci:hunter2 @proxy",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "http://ci:hunter2@pro%20xy",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "http://ci:hunter2@proxy:x",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "http://ci:hunter2%0a@proxy",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it has a control character in its user name or password
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
        (
            "socks5h://localhost/run/proxy",
            str![[r#"
zitadel-credential: error: invalid proxy in HTTPS_PROXY: it names a Unix socket, which is not supported
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        ),
    ] {
        let case = Case::new();
        let mut command = case
            .world
            .zitadel(["token", "--issuer", "https://id.acme.test"]);
        command.env("HTTPS_PROXY", value);
        let call = case.end(command);
        assert!(!call.stderr.contains("hunter2"), "{}", call.stderr);
        call.fails(2, said);
    }
}
