//! The configuration and the key.

use std::fs;

use crate::support::{Case, ServiceUser};
use crate::{examine, hold, mode, wire_docker};

fn write_key(case: &Case, contents: &str) {
    case.world.home.write("key.json", contents);
}

fn in_five_days() -> String {
    let end = time::OffsetDateTime::now_utc() + time::Duration::days(5);
    end.format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

#[test]
fn what_is_wrong_with_configuration_and_key_is_named() {
    hold(&[
        (
            "broken TOML",
            |case| drop(case.world.home.write_config("[profiles.test\n")),
            &[],
            ["config", "failed", "config.toml: line 1", ""],
        ),
        (
            "an unknown profile",
            |_| {},
            &["--profile", "staging"],
            [
                "profile",
                "failed",
                "no profile is called \"staging\"",
                "its profiles are: test",
            ],
        ),
        (
            "a flag that makes no sense",
            |_| {},
            &["--timeout", "soon"],
            ["config", "failed", "the timeout \"soon\"", "whole seconds"],
        ),
        (
            "a config that others can write",
            |case| mode(&case.world.home.config_path(), 0o666),
            &[],
            [
                "config",
                "warning",
                "others can write to it (mode 0666)",
                "chmod go-w ",
            ],
        ),
        (
            "a missing key file",
            |case| fs::remove_file(&case.world.key_file).unwrap(),
            &[],
            ["key", "failed", "no such file", "must name a file"],
        ),
        (
            "a key for all to read",
            |case| mode(&case.world.key_file, 0o644),
            &[],
            [
                "key",
                "warning",
                "others may use it (mode 0644)",
                "chmod 600 ",
            ],
        ),
        (
            "an application's key",
            |case| write_key(case, &case.world.user.application_key_json()),
            &[],
            [
                "key",
                "failed",
                "an application's key",
                "open the service user",
            ],
        ),
        (
            "a key of 1024 bits",
            |case| write_key(case, &ServiceUser::with_bits(1024).key_json()),
            &[],
            [
                "key",
                "failed",
                "fewer than 2048 bits",
                "an RSA key of 2048 to 4096 bits",
            ],
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
            [
                "key",
                "failed",
                "the key expired at 2020-01-01T00:00:00Z",
                "make a new key",
            ],
        ),
        (
            "a key that expires soon",
            |case| write_key(case, &case.world.user.key_json_expiring(&in_five_days())),
            &[],
            ["key", "warning", "the key expires at ", "make a new key"],
        ),
    ]);
}

#[test]
fn what_needs_no_configuration_is_checked_without_it() {
    let case = Case::new();
    wire_docker(&case, "registry.acme.test");
    case.world.home.write_config("no toml");
    let found = examine(&case, &["git.acme.test"], &[]);
    assert_eq!(found.status("config"), "failed");
    for name in ["profile", "key", "tls", "token", "docker", "host"] {
        assert_eq!(found.status(name), "skipped", "{name}");
    }
    assert_eq!(found.status("cache"), "ok");
}
