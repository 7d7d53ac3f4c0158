//! `profile list`, `config show` and `config check`.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use snapbox::str;

use crate::support::{Case, Endpoint};

/// A home with two profiles, one of which has a command that says when it runs.
fn case() -> Case {
    let case = Case::new();
    case.world.home.write_config(
        r#"default-profile = "prod"

[profiles.prod]
issuer = "https://acme.zitadel.cloud"
key-file = "~/.config/zitadel-credential/prod.json"
scopes = [
  "openid",
  "profile",
]
projects = ["7"]
roles = true

[profiles.vault]
issuer = "https://acme.zitadel.cloud"
key-command = ["touch", "ran", "TOPSECRET"]
key-id = "1"
user-id = "2"

[hosts."git.acme.dev"]
[hosts."registry.acme.dev:5000"]
profile = "prod"
[hosts."a-rather-long-name-of-a-host.acme.dev"]
profile = "prod"
[hosts."*.apps.acme.dev"]
profile = "vault"
"#,
    );
    case
}

fn json_of(case: &Case, words: &[&str], variables: &[(&str, &str)]) -> Value {
    let mut command = case.world.home.zitadel(words);
    command.args(["--output", "json"]);
    let output = command.envs(variables.iter().copied()).run();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn profiles_are_listed_with_issuer_key_and_hosts() {
    let case = case();
    let call = case.run(["profile", "list"]);
    assert_eq!((call.code, &*call.stderr), (Some(0), ""));
    case.matches(
        &call.stdout,
        str![[r#"
prod (default)
  issuer  https://acme.zitadel.cloud
  key     key-file [HOME]/.config/zitadel-credential/prod.json
  hosts   a-rather-long-name-of-a-host.acme.dev, git.acme.dev,
          registry.acme.dev:5000

vault
  issuer  https://acme.zitadel.cloud
  key     key-command touch
  hosts   *.apps.acme.dev

"#]],
    );
    let all = json_of(&case, &["profile", "list"], &[]);
    assert_eq!(
        all[1],
        json!({
            "name": "vault",
            "default": false,
            "issuer": "https://acme.zitadel.cloud",
            "key_source": "key-command",
            "key": "touch",
            "hosts": ["*.apps.acme.dev"],
        })
    );
    case.world.home.write_config("");
    let none = case.run(["profile", "list"]);
    case.matches(&none.stdout, str![[r#"
[HOME]/.config/zitadel-credential/config.toml: no profiles; zitadel-credential setup profile NAME adds one

"#]]);
    assert_eq!(json_of(&case, &["profile", "list"], &[]), json!([]));
}

/// A profile of many hosts fits into 80 columns.
#[test]
fn the_list_of_profiles_fits_into_80_columns() {
    let case = case();
    let host = |n| format!("[hosts.\"host-{n}.acme.dev:5000\"]");
    let hosts: Vec<_> = (0..40).map(host).collect();
    case.world
        .home
        .append_config(&format!("{}\n", hosts.join("\n")));
    let listed = case.run(["profile", "list"]).stdout;
    assert!(listed.lines().count() > 15, "{listed}");
    for line in listed.lines().filter(|line| !line.contains("key-file")) {
        assert!(line.len() <= 80, "{line}");
    }
}

#[test]
fn each_setting_is_shown_with_its_source() {
    let case = case();
    let call = case.run(["config", "show"]);
    assert_eq!((call.code, &*call.stderr), (Some(0), ""));
    case.matches(
        &call.stdout,
        str![[r#"
SETTING      VALUE                           FROM
config       [HOME]/.config/zitadel-credential/config.toml
                                             default
profile      prod                            config.toml:1
issuer       https://acme.zitadel.cloud      config.toml:4
key-file     [HOME]/.config/zitadel-credential/prod.json
                                             config.toml:5
scopes       openid, profile                 config.toml:6
projects     7                               config.toml:10
roles        true                            config.toml:11
zitadel-api  false                           default
allow-http   false                           default
host         a-rather-long-name-of-a-host.acme.dev
                                             config.toml:22
host         git.acme.dev                    config.toml:19
host         registry.acme.dev:5000          config.toml:20
cache-dir    [HOME]/.cache/zitadel-credential
                                             default
timeout      30                              default
log          warn                            default
log-format   text                            default

"#]],
    );
    let call = case.run(["config", "show", "--profile", "vault"]);
    case.matches(
        &call.stdout,
        str![[r#"
SETTING      VALUE                           FROM
config       [HOME]/.config/zitadel-credential/config.toml
                                             default
profile      vault                           --profile
issuer       https://acme.zitadel.cloud      config.toml:14
key-command  touch                           config.toml:15
key-id       1                               config.toml:16
user-id      2                               config.toml:17
scopes       openid                          default
roles        false                           default
zitadel-api  false                           default
allow-http   false                           default
host         *.apps.acme.dev                 config.toml:24
host         a-rather-long-name-of-a-host.acme.dev
                                             config.toml:22
host         git.acme.dev                    config.toml:19
host         registry.acme.dev:5000          config.toml:20
cache-dir    [HOME]/.cache/zitadel-credential
                                             default
timeout      30                              default
log          warn                            default
log-format   text                            default

"#]],
    );
    assert!(!case.world.home.path().join("ran").exists());
}

#[test]
fn a_flag_comes_before_its_variable_and_that_before_the_file() {
    let case = case();
    for (name, value, flag, variable) in [
        (
            "profile",
            "vault",
            "--profile",
            "ZITADEL_CREDENTIAL_PROFILE",
        ),
        (
            "issuer",
            "https://x.dev",
            "--issuer",
            "ZITADEL_CREDENTIAL_ISSUER",
        ),
        (
            "key-file",
            "/k.json",
            "--key-file",
            "ZITADEL_CREDENTIAL_KEY_FILE",
        ),
        ("key-id", "3", "--key-id", "ZITADEL_CREDENTIAL_KEY_ID"),
        ("user-id", "3", "--user-id", "ZITADEL_CREDENTIAL_USER_ID"),
        ("scopes", "email", "--scope", "ZITADEL_CREDENTIAL_SCOPES"),
        ("projects", "8", "--project", "ZITADEL_CREDENTIAL_PROJECTS"),
        ("host", "c.dev", "--host", "ZITADEL_CREDENTIAL_HOSTS"),
        (
            "ca-file",
            "/ca.pem",
            "--ca-file",
            "ZITADEL_CREDENTIAL_CA_FILE",
        ),
        (
            "cache-dir",
            "/cache",
            "--cache-dir",
            "ZITADEL_CREDENTIAL_CACHE_DIR",
        ),
        ("timeout", "9", "--timeout", "ZITADEL_CREDENTIAL_TIMEOUT"),
        (
            "log-format",
            "json",
            "--log-format",
            "ZITADEL_CREDENTIAL_LOG_FORMAT",
        ),
    ] {
        let from = |flags: &[&str], variables: &[(&str, &str)]| {
            let words = [&["config", "show"], flags].concat();
            let all = json_of(&case, &words, variables);
            let mut all = all.as_array().unwrap().iter();
            let is_it = |shown: &&Value| {
                let text = shown["value"].to_string();
                shown["setting"] == name && text.contains(value)
            };
            all.find(is_it).map(|shown| shown["from"].clone())
        };
        assert_ne!(from(&[], &[]), Some(json!(flag)), "{name}");
        let both = from(&[flag, value], &[(variable, value)]);
        assert_eq!(both, Some(json!(flag)), "{name}");
        let of_variable = from(&[], &[(variable, value)]);
        assert_eq!(of_variable, Some(json!(variable)), "{name}");
    }
    let config = case.world.home.config_path();
    let variable = ("ZITADEL_CREDENTIAL_CONFIG", config.to_str().unwrap());
    let all = json_of(&case, &["config", "show"], &[variable]);
    assert_eq!(all[0]["from"], variable.0);
    let key = ("ZITADEL_CREDENTIAL_KEY", "TOPSECRET");
    let all = json_of(&case, &["config", "show"], &[key]);
    assert_eq!(
        (&all[3]["setting"], &all[3]["from"]),
        (&json!("key"), &json!(key.0))
    );
    assert!(!all.to_string().contains("TOPSECRET"), "{all}");
}

#[test]
fn without_a_profile_the_callers_settings_are_shown() {
    let case = Case::new();
    case.world.home.write_config("");
    let call = case.run(["config", "show"]);
    assert_eq!(call.code, Some(0));
    assert!(call.stdout.contains("issuer       none"), "{}", call.stdout);
    let call = case.run(["config", "show", "--profile", "absent"]);
    assert_eq!(call.code, Some(2));
    assert!(call.stderr.contains("no profile named"), "{}", call.stderr);
}

/// Where a call stops at the first fault.
#[test]
fn every_fault_is_told_with_its_line() {
    let case = Case::new();
    case.world.home.write_config(
        r#"default-profile = "absent"
timeout = 30

[profiles.prod]
isuer = "https://acme.zitadel.cloud"
key-file = "~/key.json"
scopes = "openid"
projects = ["3 4"]

[profile.other]
issuer = "x"

[profiles.staging]
issuer = "acme.zitadel.cloud/ui"
key-command = ["op", "read", "TOPSECRET"]
key-id = "a/b"

[profiles.bare]

[profiles.two]
issuer = "http://acme.zitadel.cloud"
key-file = "~/key.json"
key-command = ["op"]

[hosts."git.acme.dev"]
profile = "prod"
[hosts."GIT.acme.dev"]
[hosts."b.dev"]
profile = "nope"
[hosts."https://c.dev/x"]
[hosts."d.dev"]
profile = "other"
username = "a:b"
auth = bearer
[hosts."*.com"]
profile = "prod"
"#,
    );
    let call = case.run(["config", "check"]);
    assert_eq!((call.code, &*call.stderr), (Some(2), ""));
    case.matches(&call.stdout, str![[r#"
failed   config  [HOME]/.config/zitadel-credential/config.toml:1: no profile named "absent"
                 choose one of: bare, prod, staging, two; or run zitadel-credential setup profile absent to create it
failed   config  [HOME]/.config/zitadel-credential/config.toml:2: unknown field `timeout`, expected one of `default-profile`, `profiles`, `hosts`
                 use --timeout or ZITADEL_CREDENTIAL_TIMEOUT instead: the config file has no such key
failed   config  [HOME]/.config/zitadel-credential/config.toml:5: unknown field `isuer`, expected one of `issuer`, `key-file`, `key-command`, `sign-command`, `public-key-file`, `token-file`, `token-command`, `client-id`, `client-secret-file`, `client-secret-command`, `self-signed`, `key-id`, `user-id`, `scopes`, `projects`, `roles`, `zitadel-api`, `token-endpoint`, `ca-file`, `allow-http`, `shared`
                 write issuer instead
failed   config  [HOME]/.config/zitadel-credential/config.toml:7: scopes has a value of the wrong type, expected a list, as in ["one", "two"]
failed   config  [HOME]/.config/zitadel-credential/config.toml:8: invalid project ID: "3 4"
                 use the project's ID: the long number on the project's page in ZITADEL
failed   config  [HOME]/.config/zitadel-credential/config.toml:10: unknown field `profile`, expected one of `default-profile`, `profiles`, `hosts`
                 write profiles instead
failed   config  [HOME]/.config/zitadel-credential/config.toml:14: invalid issuer URL: "acme.zitadel.cloud/ui"
                 try https://acme.zitadel.cloud
failed   config  [HOME]/.config/zitadel-credential/config.toml:16: invalid key ID: "a/b"
                 use the ID that ZITADEL shows beside the key or the user: a long number
failed   config  [HOME]/.config/zitadel-credential/config.toml:18: profile bare: no issuer is set
                 add issuer to the profile; or for one call, give --issuer or set ZITADEL_CREDENTIAL_ISSUER
failed   config  [HOME]/.config/zitadel-credential/config.toml:18: profile bare: no key is set
                 add key-file or key-command to the profile; or for one call, give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY
failed   config  [HOME]/.config/zitadel-credential/config.toml:20: profile two: key-file and key-command are both set
                 remove one of them: a profile has one key, or one other source of tokens
failed   config  [HOME]/.config/zitadel-credential/config.toml:25: two host rules for git.acme.dev
                 remove one of them: upper and lower case are the same host, and so are port 443 and no port
failed   config  [HOME]/.config/zitadel-credential/config.toml:28: host rule b.dev: no profile named "nope"
                 set the rule's profile to one of: bare, prod, staging, two; or add [profiles.nope]
failed   config  [HOME]/.config/zitadel-credential/config.toml:30: invalid host: "https://c.dev/x"
                 write c.dev
failed   config  [HOME]/.config/zitadel-credential/config.toml:31: host rule d.dev: username is empty, or contains a colon or a control character
                 remove username to use the user ID
failed   config  [HOME]/.config/zitadel-credential/config.toml:34: invalid TOML: string values must be quoted, expected literal string
                 write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"
warning  rule    *.com covers hosts of other people, who can get the token
                 name your own hosts or domain in the rule, for example *.acme.dev

1 warning, 16 failed

"#]]);
    let json = case.run(["config", "check", "--output", "json"]);
    assert_eq!(json.code, Some(2));
    let checks: Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(checks["failed"].as_u64() > Some(9), "{checks}");
}

/// As people write them: a password in a URL, and a command line in one string.
#[test]
fn no_password_of_a_url_or_of_a_command_is_shown() {
    let case = Case::new();
    case.world.home.write_config(
        r#"default-profile = "url"

[profiles.url]
issuer = "https://ci:hunter2@acme.zitadel.cloud"
key-file = "key.json"

[profiles.line]
issuer = "https://acme.zitadel.cloud"
key-command = ["vault kv get -password=hunter2 ci"]

[profiles.path]
issuer = "https://acme.zitadel.cloud"
key-command = ["/opt/vault\tread hunter2"]
"#,
    );
    let mut calls = vec![];
    for profile in ["url", "line", "path"] {
        for words in ["config show", "token", "doctor", "-vv whoami"] {
            calls.push(format!("{words} --timeout 1 --profile {profile}"));
        }
        calls.push(format!("config show --output json --profile {profile}"));
    }
    for words in [
        "profile list",
        "profile list --output json",
        "config check",
        "config check --output json",
        "config show --issuer https://ci:hunter2@acme.zitadel.cloud",
        "setup git git.acme.dev --dry-run",
    ] {
        calls.push(words.to_owned());
    }
    for words in calls {
        let call = case.run(words.split(' '));
        let said = [call.stdout, call.stderr].concat();
        assert!(!said.contains("hunter2"), "{words}: {said}");
    }
    let listed = case.run(["profile", "list"]).stdout;
    for line in [
        "issuer  https://ci:[…]@acme.zitadel.cloud\n",
        "key     key-command vault […]\n",
        "key     key-command /opt/vault […]\n",
    ] {
        assert!(listed.contains(line), "{listed}");
    }
}

#[test]
fn a_key_that_was_pasted_into_the_file_is_one_fault_and_not_shown() {
    let case = Case::new();
    let pem = case.world.user.pkcs1_pem();
    let text = format!("[profiles.prod]\nissuer = \"https://a.dev\"\n{pem}\n");
    case.world.home.write_config(&text);
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(2));
    let faults = call
        .stdout
        .lines()
        .filter(|line| line.starts_with("failed"));
    assert!(faults.count() < 4, "{}", call.stdout);
    for line in pem.lines() {
        assert!(!call.stdout.contains(line), "{}", call.stdout);
    }
}

/// No request, and no command that might ask a person for a vault's password.
#[test]
fn a_good_configuration_is_checked_without_network() {
    let case = Case::new();
    case.world.home.append_config(
        "[profiles.vault]\nissuer = \"https://acme.zitadel.cloud\"\nkey-command = [\"touch\", \"ran\"]\n",
    );
    let call = case.run(["config", "check", "--profile", "test"]);
    assert_eq!((call.code, &*call.stderr), (Some(0), ""));
    case.matches(&call.stdout, str![[r#"
ok       config   [HOME]/.config/zitadel-credential/config.toml: profiles: 2, host rules: 0
ok       profile  test: issuer [ISSUER], scopes openid
ok       key      key file [HOME]/key.json: key [KEY_ID] of service user [USER_ID], RSA 2048 bits, no expiry date in the file, mode 0600
ok       profile  vault: issuer https://acme.zitadel.cloud, scopes openid
skipped  key      key-command touch: is not run or read here

4 ok, 1 skipped

"#]]);
    assert_eq!(case.world.issuer.requests(Endpoint::Discovery), 0);
    assert!(!case.world.home.path().join("ran").exists());
}

/// None of these commands exists.
#[test]
fn no_command_that_was_not_run_is_called_ok() {
    let case = Case::new();
    let public = case.world.user.public_pem();
    case.world.home.write("signer.pub", public);
    let ids = "key-id = \"1\"\nuser-id = \"2\"";
    for (lines, name) in [
        (format!("key-command = [\"absent\"]\n{ids}"), "key"),
        (
            format!("sign-command = [\"absent\"]\npublic-key-file = \"~/signer.pub\"\n{ids}"),
            "key",
        ),
        (format!("sign-command = [\"absent\"]\n{ids}"), "key"),
        ("token-command = [\"absent\"]".to_owned(), "source"),
        (
            "client-secret-command = [\"absent\"]\nclient-id = \"ci\"".to_owned(),
            "source",
        ),
    ] {
        case.world.home.write_config(&format!(
            "[profiles.test]\nissuer = \"https://acme.zitadel.cloud\"\n{lines}\n"
        ));
        let checked = json_of(&case, &["config", "check"], &[]);
        let checks = checked["checks"].as_array().unwrap();
        let found: Vec<_> = checks.iter().filter(|one| one["name"] == name).collect();
        let [found] = found[..] else {
            panic!("{lines}: {checked}");
        };
        let said = found["finding"].as_str().unwrap();
        assert!(
            said.contains("absent") && said.contains("is not run"),
            "{lines}: {said}"
        );
        let is_warned_of = lines.starts_with("sign") && !lines.contains("public");
        let status = if is_warned_of { "warning" } else { "skipped" };
        assert_eq!(found["status"], status, "{lines}");
    }
}

#[test]
fn the_key_file_is_read_and_its_mode_looked_at() {
    let case = Case::new();
    let key = case.world.home.path().join("key.json");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(0));
    assert!(call.stdout.contains("chmod 600 "), "{}", call.stdout);
    fs::write(&key, "{}").unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(1), "{}", call.stdout);
    fs::remove_file(&key).unwrap();
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(2), "{}", call.stdout);
    let said = "no such file or directory";
    assert!(call.stdout.contains(said), "{}", call.stdout);
    let config = case.world.home.path().join("none.toml");
    let call = case.run(["config", "check", "--config", config.to_str().unwrap()]);
    assert_eq!(call.code, Some(2));
    assert!(call.stderr.contains(said), "{}", call.stderr);
}

#[test]
fn the_names_of_settings_stand_apart_from_their_values() {
    let case = Case::new();
    let ids = "key-id = \"1\"\nuser-id = \"2\"";
    for lines in [
        format!("sign-command = [\"s\"]\npublic-key-file = \"/p\"\n{ids}"),
        "client-secret-command = [\"s\"]\nclient-id = \"ci\"".to_owned(),
        "client-secret-file = \"/s\"\nclient-id = \"ci\"".to_owned(),
        format!("key-command = [\"s\"]\n{ids}\ntoken-endpoint = \"https://a.dev/token\""),
    ] {
        case.world.home.write_config(&format!(
            "[profiles.p]\nissuer = \"https://a.dev\"\n{lines}\n"
        ));
        let shown = case.run(["config", "show"]).stdout;
        let column = shown.lines().next().unwrap().find("VALUE").unwrap();
        for line in shown.lines().filter(|line| !line.starts_with(' ')) {
            assert!(line[..column].ends_with(' '), "{line}");
            assert!(!line[column..].starts_with(' '), "{line}");
            assert!(line.len() <= 80, "{line}");
        }
    }
}
