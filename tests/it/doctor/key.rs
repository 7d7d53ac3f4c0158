//! The configuration and the key.

use std::fs;

use snapbox::str;

use crate::doctor::{case, examine, hold, mode, wire_docker};
use crate::support::{Case, ServiceUser};

fn write_key(case: &Case, contents: &str) {
    case.world.home.write("key.json", contents);
}

fn in_five_days() -> String {
    let end = time::OffsetDateTime::now_utc() + time::Duration::days(5);
    end.format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

#[test]
fn configuration_and_key_problems_are_named() {
    hold([
        (
            "broken TOML",
            |case| drop(case.world.home.write_config("[profiles.test\n")),
            &[],
            str![[r#"
failed config: config file [HOME]/.config/zitadel-credential/config.toml: line 1: invalid TOML: unclosed table, expected `]`
    write a profile like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]],
        ),
        (
            "an unknown profile",
            |_| {},
            &["--profile", "staging"],
            str![[r#"
failed profile: [HOME]/.config/zitadel-credential/config.toml: no profile named "staging"
    choose one of: test; or run zitadel-credential setup profile staging to create it

"#]],
        ),
        (
            "a flag that makes no sense",
            |_| {},
            &["--timeout", "soon"],
            str![[r#"
failed config: invalid timeout: "soon"
    set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400

"#]],
        ),
        (
            "a config that others can write",
            |case| mode(&case.world.home.config_path(), 0o666),
            &[],
            str![[r#"
warning config: [HOME]/.config/zitadel-credential/config.toml: writable by other users (mode 0666)
    chmod go-w [HOME]/.config/zitadel-credential/config.toml

"#]],
        ),
        (
            "a missing key file",
            |case| fs::remove_file(&case.world.key_file).unwrap(),
            &[],
            str![[r#"
failed key: key file [HOME]/key.json: no such file or directory
    set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

"#]],
        ),
        (
            "a key for all to read",
            |case| mode(&case.world.key_file, 0o644),
            &[],
            str![[r#"
warning key: key file [HOME]/key.json: accessible to other users (mode 0644)
    chmod 600 [HOME]/key.json

"#]],
        ),
        (
            "an application's key",
            |case| write_key(case, &case.world.user.application_key_json()),
            &[],
            str![[r#"
failed key: key file [HOME]/key.json: an application's key, not a service user's
    in ZITADEL open the service user, choose Keys, New, JSON, and download the file: an application key authenticates an API or a client, not a user

"#]],
        ),
        (
            "a key of 1024 bits",
            |case| write_key(case, &ServiceUser::with_bits(1024).key_json()),
            &[],
            str![[r#"
failed key: key file [HOME]/key.json: the key cannot sign: it has fewer than 2048 bits
    use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON

"#]],
        ),
        (
            "an expired key",
            |case| {
                write_key(
                    case,
                    &case.world.user.key_json_expiring("2020-01-01T00:00:00Z"),
                );
            },
            &[],
            str![[r#"
failed key: key file [HOME]/key.json: the key expired at 2020-01-01T00:00:00Z; the local clock says [TIME]
    create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file

"#]],
        ),
        (
            "a key that expires soon",
            |case| write_key(case, &case.world.user.key_json_expiring(&in_five_days())),
            &[],
            str![[r#"
warning key: key file [HOME]/key.json: the key expires at [TIME]
    run zitadel-credential key rotate, with this profile

"#]],
        ),
    ]);
}

/// The command is complete for copying.
#[test]
fn the_rotation_of_a_key_that_expires_soon_names_its_profile() {
    let case = case();
    let file = case.world.user.key_json_expiring(&in_five_days());
    case.world.home.write("soon.json", &file);
    let issuer = case.world.issuer.url();
    case.world.home.append_config(&format!(
        "[profiles.other]\nissuer = \"{issuer}\"\nkey-file = \"~/soon.json\"\n\
         [profiles.vault]\nissuer = \"{issuer}\"\nkey-command = [\"cat\", \"soon.json\"]\n"
    ));
    let config = case.world.home.config_path();
    let config = config.to_str().unwrap();
    for (flags, call) in [
        (
            vec!["--profile", "other"],
            "key rotate --profile other".to_owned(),
        ),
        (
            vec!["--profile", "vault"],
            "key rotate --output FILE --profile vault".to_owned(),
        ),
        (
            vec!["--key-file", "soon.json"],
            "key rotate --key-file soon.json".to_owned(),
        ),
        (
            vec!["--profile", "other", "--config", config],
            format!("key rotate --config {config} --profile other"),
        ),
    ] {
        let found = examine(&case, &flags, &[]);
        let said = found.faults();
        assert!(
            said.contains(&format!("run zitadel-credential {call}")),
            "{said}"
        );
        let call = format!("run zitadel-credential {call} before then");
        let output = case.world.zitadel(["token", "--refresh"]).args(flags).run();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&call), "{said}");
    }
}

#[test]
fn the_key_expiry_is_reported_once() {
    let case = case();
    write_key(&case, &case.world.user.key_json_expiring(&in_five_days()));
    for flags in [&["doctor"][..], &["doctor", "-v"], &["doctor", "-vv"]] {
        let output = case.world.zitadel(flags).run();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(
            said.matches("the key expires at").count(),
            1,
            "{flags:?}: {said}"
        );
    }
}

#[test]
fn checks_that_need_no_configuration_run_without_it() {
    let case = case();
    wire_docker(&case, "registry.acme.test");
    case.world.home.write_config("no toml");
    let found = examine(&case, &["git.acme.test"], &[]);
    assert_eq!(found.status("config"), "failed");
    for name in ["profile", "key", "tls", "token", "docker", "host"] {
        assert_eq!(found.status(name), "skipped", "{name}");
    }
    assert_eq!(found.status("cache"), "ok");
}
