//! Every way in which the settings of a call do not make a request, as a person
//! reads it. None of them costs the issuer one.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use snapbox::{Data, str};

use crate::support::Case;

/// `token` with this config file.
#[track_caller]
fn config(toml: &str, stderr: impl Into<Data>) {
    let case = Case::new();
    case.world.home.write_config(toml);
    case.run(["token"]).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

/// `token` with these options, in a world where it would work without.
#[track_caller]
fn options(more: &[&str], stderr: impl Into<Data>) {
    let case = Case::new();
    case.run(["token"].iter().chain(more)).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

/// `token` with this variable, in a world where it would work without.
#[track_caller]
fn variable(name: &str, value: impl AsRef<OsStr>, stderr: impl Into<Data>) {
    let case = Case::new();
    let mut command = case.world.zitadel(["token"]);
    command.env(name, value);
    case.end(command).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_config_file_that_is_not_there() {
    options(
        &["--config", "none.toml"],
        str![[r#"
zitadel-credential: error: config file none.toml: no such file or directory
  hint: --config or ZITADEL_CREDENTIAL_CONFIG must name a TOML file that you can read

"#]],
    );
    options(
        &["--config", "."],
        str![[r#"
zitadel-credential: error: config file .: is a directory
  hint: --config or ZITADEL_CREDENTIAL_CONFIG must name a TOML file that you can read

"#]],
    );
}

#[test]
fn an_unknown_profile() {
    options(
        &["--profile", "prod"],
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile is called "prod"
  hint: its profiles are: test; choose one, or let zitadel-credential setup profile prod add it

"#]],
    );
    config(
        "default-profile = \"prod\"\n[profiles.test]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile is called "prod"
  hint: its profiles are: test; choose one, or let zitadel-credential setup profile prod add it

"#]],
    );
    let case = Case::new();
    fs::remove_file(case.world.home.config_path()).unwrap();
    case.run(["token", "--profile", "prod"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile is called "prod"
  hint: there is none yet: zitadel-credential setup profile prod writes it

"#]]);
}

#[test]
fn a_profile_that_a_rule_names_lacks_something() {
    let case = Case::new();
    case.world
        .home
        .append_config("[profiles.bare]\n[hosts.\"git.acme.test\"]\nprofile = \"bare\"\n");
    case.ask(["git", "get"], "protocol=https\nhost=git.acme.test\n")
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile bare: it has no issuer
  hint: give --issuer or set ZITADEL_CREDENTIAL_ISSUER, or add issuer to the profile

"#]]);
}

#[test]
fn several_profiles_and_none_chosen() {
    config(
        "[profiles.prod]\n[profiles.test]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no issuer is configured: none of its profiles is chosen
  hint: they are: prod, test; choose one by --profile or default-profile

"#]],
    );
}

#[test]
fn no_issuer() {
    config(
        "[profiles.test]\nkey-file = \"~/key.json\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: it has no issuer
  hint: give --issuer or set ZITADEL_CREDENTIAL_ISSUER, or add issuer to the profile

"#]],
    );
    let case = Case::new();
    fs::remove_file(case.world.home.config_path()).unwrap();
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: no issuer is configured
  hint: zitadel-credential setup profile NAME keeps one; for one call give --issuer or set ZITADEL_CREDENTIAL_ISSUER

"#]]);
}

#[test]
fn no_key() {
    config(
        "[profiles.test]\nissuer = \"https://id.acme.test\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: it has no key
  hint: give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY, or add key-file or key-command to the profile

"#]],
    );
    config(
        "[profiles.test]\nissuer = \"https://id.acme.test\"\nkey-id = \"1\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: it has no key
  hint: give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY, or add key-file or key-command to the profile

"#]],
    );
}

#[test]
fn a_host_that_is_none() {
    options(
        &["--host", "git.acme.test/team"],
        str![[r#"
zitadel-credential: error: --host or ZITADEL_CREDENTIAL_HOSTS: "git.acme.test/team" names no host
  hint: write git.acme.test

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_HOSTS",
        "a.test b.test:x",
        str![[r#"
zitadel-credential: error: --host or ZITADEL_CREDENTIAL_HOSTS: "b.test:x" names no host
  hint: a host rule is for host, host:port or *.host, without scheme, path or user; several in a variable are apart by blanks

"#]],
    );
}

#[test]
fn a_timeout_that_is_none() {
    options(
        &["--timeout", "soon"],
        str![[r#"
zitadel-credential: error: the timeout "soon" is no number of seconds
  hint: --timeout and ZITADEL_CREDENTIAL_TIMEOUT take whole seconds from 1 to 86400

"#]],
    );
    options(
        &["--timeout", "0"],
        str![[r#"
zitadel-credential: error: the timeout "0" is no number of seconds
  hint: --timeout and ZITADEL_CREDENTIAL_TIMEOUT take whole seconds from 1 to 86400

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_TIMEOUT",
        "-1",
        str![[r#"
zitadel-credential: error: the timeout "-1" is no number of seconds
  hint: --timeout and ZITADEL_CREDENTIAL_TIMEOUT take whole seconds from 1 to 86400

"#]],
    );
}

#[test]
fn scopes_and_projects() {
    options(
        &["--scope", "a\"b"],
        str![[r#"
zitadel-credential: error: "a"b" is no scope
  hint: scopes are words like openid, apart by blanks

"#]],
    );
    options(
        &["--scope", " "],
        str![[r#"
zitadel-credential: error: there is no scope to ask for
  hint: scopes are words like openid, apart by blanks

"#]],
    );
    options(
        &["--project", "my project"],
        str![[r#"
zitadel-credential: error: the project "my project" is not an id of ZITADEL's
  hint: a project's id is the long number that ZITADEL shows on its page

"#]],
    );
}

#[test]
fn a_log_level_that_is_none() {
    variable(
        "ZITADEL_CREDENTIAL_LOG",
        "loud",
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_LOG holds no level
  hint: it takes off, error, warn, info or debug

"#]],
    );
}

#[test]
fn bytes_that_are_no_text() {
    let bytes = OsStr::from_bytes(b"https://\xff\x1b[31m");
    variable(
        "ZITADEL_CREDENTIAL_ISSUER",
        bytes,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_ISSUER is not UTF-8
  hint: write it in UTF-8: names, URLs and ids are ASCII

"#]],
    );
    variable(
        "ZITADEL_CREDENTIAL_KEY",
        bytes,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY is not UTF-8
  hint: write it in UTF-8: names, URLs and ids are ASCII

"#]],
    );
    let case = Case::new();
    let call = case.run([OsStr::new("token"), OsStr::new("--profile"), bytes]);
    call.fails(
        2,
        str![[r#"
zitadel-credential: error: --profile is not UTF-8
  hint: write it in UTF-8: names, URLs and ids are ASCII

"#]],
    );
}

#[test]
fn a_proxy_that_is_none() {
    for (value, said) in [
        (
            "socks9://ci:hunter2@proxy",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it has the unsupported scheme `socks9`
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "http://ci:hunter2@",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "http://ci:hunter2 @proxy",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "http://ci:hunter2@pro%20xy",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "http://ci:hunter2@proxy:x",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it is not a valid proxy URL (is a special character in the user name or password percent-encoded?)
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "http://ci:hunter2%0a@proxy",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it has a control character in its user name or password
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

"#]],
        ),
        (
            "socks5h://localhost/run/proxy",
            str![[r#"
zitadel-credential: error: cannot use the proxy in HTTPS_PROXY: it names a Unix socket, which is not supported
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  hint: a proxy reads like http://proxy.acme.dev:3128 or socks5://host:1080; NO_PROXY names hosts that need none

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
