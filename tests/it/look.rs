//! `profile list`, `config show` and `config check`.

mod check;

use serde_json::{Value, json};
use snapbox::str;

use crate::support::Case;

/// Returns a home with two profiles, one of which has a command that reports its run.
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

/// Scripts read the names, as `jq -r '.[].name'`.
#[test]
fn a_long_name_of_a_profile_is_listed_whole_and_a_token_in_its_place_is_not() {
    const NAME: &str = "service-user-of-the-build-servers-in-europe-west1";
    const TOKEN: &str = "Vq3-8sKw_2LmXz7-Rt5_pYb1Nc-9GhJd_Fu6Ae";
    let case = Case::new();
    for (name, shown) in [(NAME, NAME), (TOKEN, "[…]")] {
        case.world.home.write_config(&format!(
            "[profiles.{name}]\nissuer = \"https://acme.zitadel.cloud\"\nkey-file = \"~/key.json\"\n"
        ));
        assert_eq!(json_of(&case, &["profile", "list"], &[])[0]["name"], shown);
        let listed = case.run(["profile", "list"]).stdout;
        assert!(listed.starts_with(shown), "{listed}");
        let settings = json_of(&case, &["config", "show"], &[]);
        assert!(settings.to_string().contains(shown), "{settings}");
        let checked = case.run(["config", "check"]).stdout;
        assert!(checked.contains(&format!("{shown}: issuer")), "{checked}");
        for text in [listed, settings.to_string(), checked] {
            assert!(!text.contains(TOKEN), "{text}");
        }
    }
}

/// The profile has many hosts.
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
fn a_flag_overrides_its_variable_which_overrides_the_file() {
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

/// Users write this: a password in a URL, and a command line in one string.
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
fn the_names_of_settings_are_separate_from_their_values() {
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
