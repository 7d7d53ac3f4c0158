//! `config check`.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use snapbox::str;

use super::json_of;
use crate::support::{Case, Endpoint, Run};

/// Other calls stop at the first error.
#[test]
fn every_fault_is_reported_with_its_line() {
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
failed   config  [HOME]/.config/zitadel-credential/config.toml:2: unknown field `timeout`
                 use --timeout or ZITADEL_CREDENTIAL_TIMEOUT instead: the config file has no such key
failed   config  [HOME]/.config/zitadel-credential/config.toml:5: unknown field `isuer`
                 write issuer instead
failed   config  [HOME]/.config/zitadel-credential/config.toml:7: scopes has a value of the wrong type, expected a list of strings, as in ["one", "two"]
failed   config  [HOME]/.config/zitadel-credential/config.toml:8: invalid project ID: "3 4"
                 use the project's ID: the long number on the project's page in ZITADEL
failed   config  [HOME]/.config/zitadel-credential/config.toml:10: unknown field `profile`
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
                 remove one: letter case and port 443 make no difference
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

/// The check makes no request, and runs no command that might ask for a vault's password.
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
            "secret",
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

/// Nobody writes to the pipe: a read would wait for `--timeout`.
#[test]
fn a_pipe_is_not_read() {
    let case = Case::new();
    let mut mkfifo = case.world.home.command("mkfifo");
    assert!(mkfifo.arg("pipe").run().status.success());
    for (lines, name) in [
        ("key-file = \"~/pipe\"", "key"),
        (
            "client-secret-file = \"~/pipe\"\nclient-id = \"ci\"",
            "secret",
        ),
        ("token-file = \"~/pipe\"", "source"),
    ] {
        case.world.home.write_config(&format!(
            "[profiles.test]\nissuer = \"https://acme.zitadel.cloud\"\n{lines}\n"
        ));
        let checked = json_of(&case, &["config", "check", "--timeout", "1"], &[]);
        let checks = checked["checks"].as_array().unwrap();
        let found = checks.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(found["status"], "skipped", "{lines}: {checked}");
        let said = found["finding"].as_str().unwrap();
        assert!(said.ends_with("is not run or read here"), "{said}");
    }
}

#[test]
fn a_client_secret_is_checked_by_one_name() {
    let case = Case::new();
    let secret = case.world.home.write("secret", "s3cret");
    case.world.home.write_config(
        "[profiles.test]\nissuer = \"https://acme.zitadel.cloud\"\nclient-id = \"ci\"\nclient-secret-file = \"~/secret\"\n",
    );
    for (mode, status) in [(0o600, "ok"), (0o644, "warning")] {
        fs::set_permissions(&secret, Permissions::from_mode(mode)).unwrap();
        let checked = json_of(&case, &["config", "check"], &[]);
        let checks = checked["checks"].as_array().unwrap();
        let found: Vec<_> = checks
            .iter()
            .filter(|one| one["finding"].as_str().unwrap().contains("/secret: "))
            .map(|one| {
                (
                    one["name"].as_str().unwrap(),
                    one["status"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(found, [("secret", status)], "{checked}");
    }
}

#[test]
fn the_key_file_is_read_and_its_mode_checked() {
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
    fs::create_dir(&key).unwrap();
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(2), "{}", call.stdout);
    let config = case.world.home.path().join("none.toml");
    let call = case.run(["config", "check", "--config", config.to_str().unwrap()]);
    assert_eq!(call.code, Some(2));
    assert!(call.stderr.contains(said), "{}", call.stderr);
}

/// The scripts that run `config check` read 1 as a bad key only.
#[test]
fn an_invalid_setting_decides_the_exit_code_wherever_it_is() {
    let case = Case::with_key_file("{}");
    assert_eq!(case.run(["config", "check"]).code, Some(1));
    let issuer = case.world.issuer.url();
    case.world.home.append_config(&format!(
        "[profiles.z]\nissuer = \"{issuer}\"\ntoken-file = \"~/absent\"\n"
    ));
    let call = case.run(["config", "check"]);
    assert_eq!(call.code, Some(2), "{}", call.stdout);
    assert!(call.stdout.contains(": no such file"), "{}", call.stdout);
}

#[test]
fn a_shared_cache_that_no_call_accepts_is_a_fault() {
    let case = Case::new();
    let source = "client-id = \"ci\"\nclient-secret-file = \"~/secret\"";
    case.world.home.write("secret", "s3cret");
    for (profile, shared, said) in [
        (
            "key-file = \"~/key.json\"",
            "username = \"zc\"",
            "toml:4: username of the shared cache is set without a password",
        ),
        (
            source,
            "pool = \"a\"",
            "toml:5: the shared cache has no seal-key-file",
        ),
        // The username's password may be what that line means.
        (
            "key-file = \"~/key.json\"",
            "username = \"zc\"\npassword-file = 5",
            "toml:7: password-file has a value of the wrong type",
        ),
    ] {
        case.profile(&format!(
            "{profile}\n[profiles.test.shared]\nurl = \"rediss://redis.acme.dev\"\n{shared}"
        ));
        let call = case.run(["config", "check"]);
        assert_eq!(call.code, Some(2), "{said}: {}", call.stdout);
        assert!(call.stdout.contains(said), "{said}: {}", call.stdout);
        let faults = call.stdout.lines();
        let faults = faults.filter(|line| line.starts_with("failed"));
        assert_eq!(faults.count(), 1, "{}", call.stdout);
        assert_eq!(case.run(["token"]).code, Some(2));
    }
}

#[test]
fn a_profile_that_the_caller_names_must_exist() {
    let case = Case::new();
    let said = "config.toml: no profile named \"nope\"\n";
    let flag = case.run(["config", "check", "--profile", "nope"]);
    let mut command = case.world.zitadel(["config", "check"]);
    command.env("ZITADEL_CREDENTIAL_PROFILE", "nope");
    for call in [flag, case.end(command)] {
        assert_eq!(call.code, Some(2), "{}", call.stdout);
        assert!(call.stdout.contains(said), "{}", call.stdout);
    }
    case.world
        .home
        .append_config("[profiles.\"nope\"]\nissuer = 5 5\n");
    let call = case.run(["config", "check", "--profile", "nope"]);
    assert!(!call.stdout.contains(said), "{}", call.stdout);
}

/// A CI job sets variables in place of a config file.
#[test]
fn flags_and_environment_in_place_of_a_profile_are_checked() {
    let case = Case::new();
    let (issuer, key) = (case.world.issuer.url(), "~/key.json");
    let checked = |issuer: &str, key: &str, file: &str| {
        let mut command = case.world.zitadel(["config", "check", "--config", file]);
        command
            .env("ZITADEL_CREDENTIAL_ISSUER", issuer)
            .env("ZITADEL_CREDENTIAL_KEY_FILE", key);
        let call = case.end(command);
        (call.code, call.stdout)
    };
    for (issuer, key, code, said) in [
        (&*issuer, key, 0, "flags and environment: issuer http"),
        (&issuer, "/absent", 2, "key file /absent: no such file"),
        ("junk", key, 2, "invalid issuer URL: \"junk\""),
        ("", key, 2, "no issuer is configured"),
        (&issuer, "", 2, "no key is configured"),
    ] {
        let (found, stdout) = checked(issuer, key, "/dev/null");
        assert_eq!(found, Some(code), "{said}: {stdout}");
        assert!(stdout.contains(said), "{said}: {stdout}");
    }
    let (code, stdout) = checked("", "", "/dev/null");
    assert_eq!(code, Some(0), "nothing is set: {stdout}");
    // A call for a host has the issuer of the rule's profile.
    let home = &case.world.home;
    home.append_config(&format!("[profiles.two]\nissuer = \"{issuer}\"\n"));
    let (code, stdout) = checked("", key, home.config_path().to_str().unwrap());
    assert_eq!(code, Some(0), "{stdout}");
}

/// A round for each line would take hours.
#[test]
fn a_file_of_invalid_lines_is_checked_at_once() {
    let case = Case::new();
    for (line, count) in [("a.b\n", 100_000), ("a=\n", 6_000)] {
        let text = format!("[profiles.prod]\n{}", line.repeat(count));
        case.world.home.write_config(&text);
        let call = case.run(["config", "check", "--profile", "prod"]);
        assert_eq!(call.code, Some(2), "{line}");
        assert!(call.stdout.contains("config.toml:2: "), "{line}");
        // The profile may be in the part that was not read.
        assert!(!call.stdout.contains("no profile"), "{}", call.stdout);
    }
}
