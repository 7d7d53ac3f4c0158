//! `config check`.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use snapbox::str;

use super::json_of;
use crate::support::{Case, Endpoint};

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
