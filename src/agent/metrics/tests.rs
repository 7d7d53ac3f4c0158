use std::time::Duration;

use super::*;
use crate::broker::FailedRenewal;

fn round() -> Round {
    Round {
        has_replaced: true,
        has_new_token: true,
        not_fetched: None,
        unwritten: 0,
        errors: Vec::new(),
        failed_renewal: None,
        is_well: true,
        sleep: Duration::ZERO,
    }
}

#[test]
fn unknown_metrics_are_absent_and_every_reason_starts_at_zero() {
    let (file, label) = if cfg!(windows) {
        (r#"C:\a "b""#, r#"C:\\a \"b\""#)
    } else {
        (r#"/a "b"\"#, r#"/a \"b\"\\"#)
    };
    let metrics = Metrics::new("m".into(), &[file.into()], &[]);
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        r#"# HELP zitadel_credential_build_info The version of zitadel-credential; the value is 1.
# TYPE zitadel_credential_build_info gauge
zitadel_credential_build_info{{file="{label}",version="{version}"}} 1
# HELP zitadel_credential_renewals_total New tokens since the agent started, the first one included.
# TYPE zitadel_credential_renewals_total counter
zitadel_credential_renewals_total{{file="{label}"}} 0
# HELP zitadel_credential_failures_total Failed renewals and writes since the agent started.
# TYPE zitadel_credential_failures_total counter
zitadel_credential_failures_total{{file="{label}",reason="configuration"}} 0
zitadel_credential_failures_total{{file="{label}",reason="file"}} 0
zitadel_credential_failures_total{{file="{label}",reason="permanent"}} 0
zitadel_credential_failures_total{{file="{label}",reason="refused"}} 0
zitadel_credential_failures_total{{file="{label}",reason="secret"}} 0
zitadel_credential_failures_total{{file="{label}",reason="temporary"}} 0
"#
    );
    assert_eq!(metrics.text(), expected);
}

#[test]
fn a_label_escapes_the_file_name_for_the_text_format() {
    let (root, of_root) = if cfg!(windows) {
        (r"C:\", r"C:\\")
    } else {
        ("/", "/")
    };
    for (name, label) in [
        ("a\nb", r"a\nb"),
        ("a\\nb", r"a\\nb"),
        ("a\"b", r#"a\"b"#),
        ("a\\", r"a\\"),
        ("\u{fc}", "\u{fc}"),
        ("a\rb\tc", "a\rb\tc"),
    ] {
        has_label(format!("{root}{name}").into(), &format!("{of_root}{label}"));
    }
}

fn has_label(name: PathBuf, label: &str) {
    let text = Metrics::new("m".into(), &[name], &[]).text();
    let sample = format!("zitadel_credential_renewals_total{{file=\"{label}\"}} 0\n");
    assert!(text.contains(&sample), "{text}");
}

/// A file name that is not UTF-8: other systems have other ones.
#[cfg(unix)]
#[test]
fn a_label_shows_names_beyond_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"/a\xffb");
    has_label(name.into(), "/a\u{fffd}b");
}

/// Without Secrets
const APPLIED: Applied = Applied {
    is_complete: true,
    failures: 0,
};

#[test]
fn secrets_delay_the_success_and_name_an_agent_without_files() {
    let secret = "ci/token".parse().expect("a name");
    let mut metrics = Metrics::new("m".into(), &[], &[secret]);
    let failed = Applied {
        is_complete: false,
        failures: 3,
    };
    metrics.count(&round(), &failed, None, None, UnixTime::from_secs(5));
    let text = metrics.text();
    let failures = r#"failures_total{file="ci/token",reason="secret"} 3"#;
    assert!(text.contains(failures), "{text}");
    assert!(!text.contains("last_success"), "{text}");
    metrics.count(&round(), &APPLIED, None, None, UnixTime::from_secs(6));
    let text = metrics.text();
    let success = r#"last_success_timestamp_seconds{file="ci/token"} 6"#;
    assert!(text.contains(success), "{text}");
}

#[test]
fn failed_rounds_are_counted_by_cause() {
    let mut metrics = Metrics::new("m".into(), &[], &[]);
    let at = UnixTime::from_secs;
    metrics.count(&round(), &APPLIED, None, Some(at(9)), at(5));
    for kind in [Kind::Usage, Kind::Final, Kind::Refused, Kind::Passing] {
        let failed = FailedRenewal {
            why: "busy".to_owned(),
            wait: None,
            kind,
        };
        for (failed_renewal, not_fetched) in [(Some(failed), None), (None, Some(kind))] {
            let round = Round {
                has_new_token: false,
                not_fetched,
                unwritten: 2,
                failed_renewal,
                is_well: false,
                ..round()
            };
            metrics.count(&round, &APPLIED, None, Some(at(9)), at(7));
        }
    }
    let samples = metrics.text();
    let samples = samples.lines().filter(|line| !line.starts_with('#'));
    let samples: Vec<_> = samples.skip(1).map(|line| &line[19..]).collect();
    assert_eq!(
        samples,
        [
            r#"key_expiry_timestamp_seconds{file=""} 9"#,
            r#"last_success_timestamp_seconds{file=""} 5"#,
            r#"renewals_total{file=""} 1"#,
            r#"failures_total{file="",reason="configuration"} 2"#,
            r#"failures_total{file="",reason="file"} 16"#,
            r#"failures_total{file="",reason="permanent"} 2"#,
            r#"failures_total{file="",reason="refused"} 2"#,
            r#"failures_total{file="",reason="secret"} 0"#,
            r#"failures_total{file="",reason="temporary"} 2"#,
        ]
    );
}
