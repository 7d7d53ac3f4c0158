use proptest::prelude::*;

use super::*;

fn rule(pattern: &str) -> HostRule {
    HostRule {
        is_callers: false,
        ..callers(pattern)
    }
}

fn callers(pattern: &str) -> HostRule {
    HostRule::of_caller(HostPattern::parse(pattern).expect("a pattern"))
}

fn rules(patterns: &[&str]) -> HostRules {
    let mut rules = HostRules::default();
    for pattern in patterns {
        rules.add(rule(pattern)).expect("a new pattern");
    }
    rules
}

fn matched<'a>(rules: &'a HostRules, url: &str) -> Option<&'a HostRule> {
    let (origin, _) = Origin::parse_url(url)?;
    rules.find(&origin, None).ok()
}

#[test]
fn a_rule_matches_its_host_and_port_and_nothing_else() {
    let rules = rules(&["git.acme.dev", "registry.acme.dev:5000"]);
    for good in [
        "https://git.acme.dev",
        "https://GIT.ACME.DEV:443/x",
        "https://registry.acme.dev:5000",
    ] {
        assert!(matched(&rules, good).is_some(), "{good}");
    }
    for bad in [
        "https://git.acme.dev.evil.test",
        "https://evilgit.acme.dev",
        "https://git.acme.dev.",
        "https://git.acme.dev:444",
        "https://registry.acme.dev",
        "https://x.git.acme.dev",
        "https://user@git.acme.dev",
        "https://gіt.acme.dev",
        "http://git.acme.dev",
        "http://registry.acme.dev:5000",
    ] {
        assert!(matched(&rules, bad).is_none(), "{bad}");
    }
}

#[test]
fn a_wildcard_matches_whole_labels() {
    let rules = rules(&["*.acme.dev:5000"]);
    for (url, expected) in [
        ("https://a.acme.dev:5000", true),
        ("https://a.b.acme.dev:5000", true),
        ("https://acme.dev:5000", false),
        ("https://evilacme.dev:5000", false),
        ("https://a.acme.dev", false),
    ] {
        assert_eq!(matched(&rules, url).is_some(), expected, "{url}");
    }
}

#[test]
fn only_the_closest_pattern_applies() {
    let mut rules = rules(&["*.dev", "*.acme.dev"]);
    rules
        .add(HostRule {
            username: Some("ci".into()),
            ..rule("git.acme.dev")
        })
        .expect("a new pattern");
    let host = |url| matched(&rules, url).map(|r| r.pattern.to_string());
    assert_eq!(
        host("https://git.acme.dev").as_deref(),
        Some("git.acme.dev")
    );
    assert_eq!(host("https://x.acme.dev").as_deref(), Some("*.acme.dev"));
    assert_eq!(host("https://x.dev").as_deref(), Some("*.dev"));
    let (origin, _) = Origin::parse_url("https://git.acme.dev").expect("a url");
    assert!(rules.find(&origin, Some("ci")).is_ok());
    assert!(rules.find(&origin, Some("eve")).is_err());
}

#[test]
fn a_callers_rule_changes_no_other_rule() {
    let mut rules = HostRules::default();
    for rule in [
        HostRule {
            username: Some("ci".into()),
            profile: Some("w".into()),
            ..rule("*.w.dev")
        },
        HostRule {
            allow_http: true,
            ..rule("h.dev")
        },
        callers("a.w.dev"),
        callers("h.dev:80"),
        callers("b.dev"),
    ] {
        rules.add(rule).expect("a new pattern");
    }
    let origin = |url| Origin::parse_url(url).expect("a url").0;
    let eve = rules.find(&origin("https://a.w.dev"), Some("eve"));
    assert!(matches!(eve, Err(Miss::Username(_))));
    assert!(rules.find(&origin("http://h.dev"), None).is_ok());
    assert!(rules.find(&origin("https://h.dev:80"), None).is_ok());
    let hosts = rules.single_hosts();
    let hosts: Vec<_> = hosts.map(|(host, rule)| (host, &rule.profile)).collect();
    let expected = [
        ("h.dev", &None),
        ("a.w.dev", &Some("w".into())),
        ("h.dev:80", &None),
        ("b.dev", &None),
    ];
    assert_eq!(
        hosts,
        expected.map(|(host, profile)| (host.into(), profile))
    );
}

#[test]
fn plain_http_needs_allow_http() {
    let mut rules = HostRules::default();
    let allow_http = true;
    let _ = rules.add(HostRule {
        allow_http,
        ..rule("old.acme.dev")
    });
    assert!(matched(&rules, "http://old.acme.dev").is_some());
    assert!(matched(&rules, "http://old.acme.dev:81").is_none());
    assert!(matched(&super::tests::rules(&["localhost"]), "http://localhost").is_none());
}

#[test]
fn a_miss_names_the_nearest_rule() {
    let mut rules = rules(&["git.acme.dev", "*.apps.acme.dev:8443"]);
    let named = HostRule {
        username: Some("ci".into()),
        ..rule("ci.acme.dev")
    };
    rules.add(named).expect("a new pattern");
    let miss = |url| {
        let (origin, _) = Origin::parse_url(url).expect("a url");
        rules.find(&origin, Some("eve")).err()
    };
    assert!(matches!(miss("https://acme.dev"), Some(Miss::Unknown)));
    assert!(matches!(
        miss("https://git.acme.dev:444"),
        Some(Miss::Port(_))
    ));
    assert!(matches!(
        miss("https://x.apps.acme.dev"),
        Some(Miss::Port(_))
    ));
    assert!(matches!(
        miss("http://git.acme.dev"),
        Some(Miss::PlainHttp(_))
    ));
    assert!(matches!(
        miss("https://ci.acme.dev"),
        Some(Miss::Username(_))
    ));
}

#[test]
fn one_host_has_one_rule() {
    let mut rules = rules(&["git.acme.dev"]);
    for same in ["git.acme.dev", "GIT.acme.dev", "git.acme.dev:443"] {
        assert!(rules.add(rule(same)).is_err(), "{same}");
    }
}

#[test]
fn an_invalid_pattern_is_refused() {
    for bad in [
        "",
        "*",
        "*.",
        "a.*.b",
        "*a.dev",
        "https://a.dev",
        "a.dev/x",
        "u@a.dev",
        "*.10.0.0.1",
        "*.[::1]",
        "a.dev:",
    ] {
        assert!(HostPattern::parse(bad).is_none(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn a_callers_rule_does_not_override_a_rule_of_the_file(
        ruled in prop::collection::vec("(\\*\\.)?([ab]\\.){0,2}c(:80|:443|:81)?", 0..3),
        added in prop::collection::vec("(\\*\\.)?([ab]\\.){0,2}c(:80|:443|:81)?", 1..4),
        allow_http: bool,
        asked in "https?://([ab]\\.){0,3}c(:80|:443|:81)?",
    ) {
        let mut rules = HostRules::default();
        for pattern in &ruled {
            let username = Some("ci".into());
            let _ = rules.add(HostRule { username, allow_http, ..rule(pattern) });
        }
        let (origin, _) = Origin::parse_url(&asked).expect("a url");
        let outcome = |rules: &HostRules| format!("{:?}", rules.find(&origin, Some("ci")));
        let before = outcome(&rules);
        let decided = !["Unknown", "Port"].iter().any(|miss| before.contains(miss));
        for pattern in &added {
            let _ = rules.add(callers(pattern));
        }
        if decided {
            prop_assert_eq!(outcome(&rules), before);
        }
    }

    #[test]
    fn a_rule_never_matches_more_than_its_pattern(
        wildcard: bool,
        pattern in "[a-c]{1,2}(\\.[a-c]{1,2}){0,2}",
        asked in "[a-c.]{1,8}",
    ) {
        let star = if wildcard { "*." } else { "" };
        let rules = rules(&[&format!("{star}{pattern}")]);
        if matched(&rules, &format!("https://{asked}")).is_some() {
            let under = asked.ends_with(&format!(".{pattern}"));
            let read = if wildcard { under } else { asked == pattern };
            prop_assert!(read, "{star}{pattern} matched {asked}");
        }
    }

    #[test]
    fn a_pattern_reads_back_as_it_is_shown(text in "(\\*\\.)?[a-z0-9.:_-]{1,12}") {
        if let Some(pattern) = HostPattern::parse(&text) {
            prop_assert_eq!(HostPattern::parse(&pattern.to_string()), Some(pattern));
        }
    }

    #[test]
    fn a_rule_matches_only_its_port_and_https(
        ruled in prop::option::of(440_u16..446),
        asked in prop::option::of(440_u16..446),
        http: bool,
    ) {
        let written = |port: Option<u16>| port.map_or(String::new(), |port| format!(":{port}"));
        let rules = rules(&[&format!("a.dev{}", written(ruled))]);
        let scheme = if http { "http" } else { "https" };
        let url = format!("{scheme}://a.dev{}", written(asked));
        let expected = !http && ruled.unwrap_or(443) == asked.unwrap_or(443);
        prop_assert_eq!(matched(&rules, &url).is_some(), expected, "{:?}", ruled);
    }
}

#[test]
fn a_wildcard_matches_no_address() {
    let rules = rules(&["*.1", "*.0.0.1", "*.0x1", "*.acme.dev"]);
    for url in [
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://0x7f.0.0.1",
        "https://0177.0.0.1",
        "https://127.1",
        "https://a.0x1",
    ] {
        assert!(matched(&rules, url).is_none(), "{url}");
    }
    assert!(matched(&rules, "https://1.acme.dev").is_some());
}

#[test]
fn a_wildcard_over_a_public_suffix_is_detected() {
    let covers = |text: &str| HostPattern::parse(text).map(|pattern| pattern.covers_strangers());
    for text in [
        "*.com",
        "*.dev",
        "*.DEV",
        "*.io:8443",
        "*.1",
        "*.co.uk",
        "*.com.au",
        "*.or.jp",
        "*.github.io",
        "*.zitadel.cloud",
        "*.xn--p1ai",
        "*.s3.amazonaws.com",
        "*.eu-central-1.compute.amazonaws.com",
        "*.blob.core.windows.net",
        "*.kawasaki.jp",
    ] {
        assert_eq!(covers(text), Some(true), "{text}");
    }
    for text in [
        "*.acme.dev",
        "*.acme.co.uk",
        "*.acme.github.io",
        "*.co.acme",
        "*.acme-amazonaws.com",
        "*.internal",
        "*.lan",
        "*.corp",
        "com",
        "co.uk",
        "github.io",
    ] {
        assert_eq!(covers(text), Some(false), "{text}");
    }
}

#[test]
fn a_service_that_rejects_zitadel_tokens_is_detected() {
    let service = |text: &str| HostPattern::parse(text).and_then(|pattern| pattern.service());
    for (text, name) in [
        ("docker.io", Some("Docker Hub")),
        ("index.docker.io", Some("Docker Hub")),
        ("registry-1.docker.io:443", Some("Docker Hub")),
        ("hub.docker.com", Some("Docker Hub")),
        ("*.docker.io", Some("Docker Hub")),
        ("github.com", Some("GitHub")),
        ("ghcr.io", Some("GitHub")),
        ("raw.githubusercontent.com", Some("GitHub")),
        ("registry.gitlab.com", Some("GitLab.com")),
        ("gitlab.acme.dev", None),
        ("github.com.acme.dev", None),
        ("mydocker.io", None),
    ] {
        assert_eq!(service(text), name, "{text}");
    }
}
