//! All errors of the config file, as the user reads them. None of them causes a request
//! to the issuer.

use std::fs;

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

#[test]
fn a_duplicate_table() {
    config(
        "[hosts.\"a.dev\"]\n[hosts.\"a.dev\"]\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: duplicate table or key
  hint: remove one of the two, or merge them

"#]],
    );
}

#[test]
fn an_unknown_key() {
    config(
        "[profiles.prod]\nkeyfile = \"x\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: unknown field `keyfile`
  hint: write key-file instead

"#]],
    );
    config(
        "[profile.prod]\nkey-file = \"x\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: unknown field `profile`
  hint: write profiles instead

"#]],
    );
    config(
        "\n\n[hosts.\"git.acme.test\"]\nuser = \"ci\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 4: unknown field `user`
  hint: write username instead

"#]],
    );
    config(
        "[profiles.\"a\\u001b[31m\"]\n\"\\u001b[2J\" = 1\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: unknown field `\u{1b}[2J`, expected one of `issuer`, `key-file`, `key-command`, `sign-command`, `public-key-file`, `token-file`, `token-command`, `client-id`, `client-secret-file`, `client-secret-command`, `self-signed`, `key-id`, `user-id`, `scopes`, `projects`, `roles`, `zitadel-api`, `token-endpoint`, `ca-file`, `allow-http`, `shared`

"#]],
    );
}

#[test]
fn a_value_of_the_wrong_kind() {
    config(
        "[profiles.prod]\nscopes = \"openid\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: scopes has a value of the wrong type, expected a list of strings, as in ["one", "two"]

"#]],
    );
    config(
        "[hosts.\"git.acme.test\"]\nauth = \"digest\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: auth has a value of the wrong type, expected one of `auto`, `basic`, `bearer`

"#]],
    );
    config(
        "profiles = 5\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: profiles has a value of the wrong type, expected a table
  hint: write a profile as [profiles.NAME], and a host rule as [hosts."HOST"] with profile = "NAME" below it

"#]],
    );
}

#[test]
fn a_private_key_in_the_wrong_place() {
    let case = Case::new();
    let pem = case.world.user.pkcs1_pem();
    let write = |toml: &str| case.world.home.write_config(toml);
    write(&format!("[profiles.test]\nscopes = \"\"\"\n{pem}\"\"\"\n"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: scopes has a value of the wrong type, expected a list of strings, as in ["one", "two"]

"#]]);
    write(&format!("[profiles.test]\nallow-http = '''{pem}'''\n"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: allow-http has a value of the wrong type, expected a boolean

"#]]);
    write(&format!("[profiles.test]\nkey = '''{pem}'''\n"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: unknown field `key`
  hint: write key-file instead

"#]]);
    write(&format!("[profiles.test]\nkey-file = \"{pem}\"\n"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 3: invalid TOML: key with no value, expected `=`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
    write(&pem);
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: key with no value, expected `=`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
    write(&case.world.user.key_json());
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: invalid key-value pair, expected key
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
}

#[test]
fn invalid_toml() {
    config(
        "issuer: https://id.acme.test\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: key with no value, expected `=`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]],
    );
    config(
        "[profiles.prod\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: unclosed table, expected `]`
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]],
    );
    config(
        "[profiles.prod]\nissuer = https://id.acme.test\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 2: invalid TOML: string values must be quoted, expected literal string
  hint: write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]],
    );
    config(
        "[profiles.a]\nissuer = \"x\"\nissuer = \"y\"\n",
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 3: duplicate table or key
  hint: remove one of the two, or merge them

"#]],
    );
}

#[test]
fn no_text() {
    let case = Case::new();
    let path = case.world.home.config_path();
    fs::write(path, b"\xff\xfe").unwrap();
    case.run(["token"]).fails(
        2,
        str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: not UTF-8
  hint: set --config or ZITADEL_CREDENTIAL_CONFIG to a TOML file that you can read

"#]],
    );
}

#[test]
fn a_rule_for_a_missing_profile() {
    let rule = "[hosts.\"git.acme.test\"]\nprofile = \"prod\"\n";
    config(
        rule,
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule git.acme.test: no profile named "prod"
  hint: add [profiles.prod], or remove the rule

"#]],
    );
    config(
        &format!("[profiles.test]\n{rule}"),
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule git.acme.test: no profile named "prod"
  hint: set the rule's profile to one of: test
  hint: add [profiles.prod]

"#]],
    );
    config(
        "[hosts.\"git.acme.test\"]\nprofile = \"acme.dev ci\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule git.acme.test: no profile named "acme.dev ci"
  hint: add [profiles."acme.dev ci"], or remove the rule

"#]],
    );
}

#[test]
fn two_rules_for_one_host() {
    config(
        "[hosts.\"git.acme.test\"]\n[hosts.\"GIT.acme.test:443\"]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: two host rules for git.acme.test
  hint: remove one: letter case and port 443 make no difference

"#]],
    );
}

#[test]
fn a_pattern_that_names_no_host() {
    config(
        "[hosts.\"https://git.acme.test/\"]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: invalid host: "https://git.acme.test/"
  hint: write git.acme.test

"#]],
    );
    config(
        "[hosts.\"*\"]\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: invalid host: "*"
  hint: write host, host:port or *.host, without scheme, path or user; separate several hosts in a variable with spaces

"#]],
    );
}

#[test]
fn a_username_that_ends_early() {
    config(
        "[hosts.\"git.acme.test\"]\nusername = \"ci:\\u001b[31m\"\n",
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule git.acme.test: username is empty, or contains a colon or a control character
  hint: remove username to use the user ID

"#]],
    );
}
