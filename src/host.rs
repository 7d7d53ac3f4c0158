//! Host rules: the one allow-list of every helper. A host that no rule names
//! gets nothing.

use std::collections::BTreeSet;
use std::fmt;

use crate::error::Report;
use crate::url::{Host, Origin, Scheme, parse_authority};

/// How git is answered (`auth` in a rule).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Bearer where the server offers it, else basic.
    #[default]
    Auto,
    /// Username and token as password.
    Basic,
    /// `Authorization: Bearer`, where git can send it.
    Bearer,
}

/// Which hosts a rule is for: `host[:port]`, or `*.host[:port]` for every name
/// that ends in that host with one or more whole labels before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    any_label: bool,
    host: Host,
    port: Option<u16>,
}

impl HostPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Option<Self> {
        let (any_label, authority) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = parse_authority(authority)?;
        // `*.10.0.0.1` or `*.[::1]` would name nothing that exists.
        let is_address = |host: &Host| {
            host.as_str().starts_with('[') || host.as_str().parse::<std::net::Ipv4Addr>().is_ok()
        };
        (!any_label || !is_address(&host)).then_some(Self {
            any_label,
            host,
            port,
        })
    }

    /// The one `host[:port]` that it names; none for a wildcard.
    pub fn single_host(&self) -> Option<String> {
        (!self.any_label).then(|| self.to_string())
    }

    /// The host alone, or the wildcard: a port is the whole of a host's rule, but
    /// no part of what some tools go by.
    pub fn without_port(&self) -> String {
        let port = None;
        Self {
            port,
            ..self.clone()
        }
        .to_string()
    }

    /// The port, where it names one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is for this host, port and all.
    pub fn matches(&self, origin: &Origin) -> bool {
        self.matches_host(origin) && self.port_for(origin.scheme) == origin.port
    }

    /// Whether it is for this host, at whichever port.
    pub fn matches_host(&self, origin: &Origin) -> bool {
        let wanted = self.host.as_str();
        let asked = origin.host.as_str();
        if self.any_label {
            asked
                .strip_suffix(wanted)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            asked == wanted
        }
    }

    fn port_for(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or_else(|| scheme.default_port())
    }

    /// What it is for over https: two rules that are for the same contradict
    /// each other.
    fn over_https(&self) -> (bool, Host, u16) {
        (
            self.any_label,
            self.host.clone(),
            self.port_for(Scheme::Https),
        )
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.any_label { "*." } else { "" };
        write!(f, "{star}{}", self.host.as_str())?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A host that may receive a token, and how.
#[derive(Clone, Debug)]
pub struct HostRule {
    /// Which hosts.
    pub pattern: HostPattern,
    /// Whose token; none for the profile that is chosen otherwise.
    pub profile: Option<String>,
    /// The username to show; none for the user ID.
    pub username: Option<String>,
    /// How git is answered.
    pub auth: Auth,
    /// Leave to send the token over plain http.
    pub allow_http: bool,
    /// Whether the caller adds it (`--host`): it stands back where another
    /// matches.
    pub is_callers: bool,
}

impl HostRule {
    /// A caller's rule, which says no more than which hosts.
    pub const fn of_caller(pattern: HostPattern) -> Self {
        Self {
            pattern,
            profile: None,
            username: None,
            auth: Auth::Auto,
            allow_http: false,
            is_callers: true,
        }
    }

    fn lets(&self, origin: &Origin, username: Option<&str>) -> Result<&Self, Miss<'_>> {
        if origin.scheme == Scheme::Http && !self.allow_http {
            return Err(Miss::PlainHttp(self));
        }
        match (&self.username, username) {
            (Some(named), Some(asked)) if named != asked => Err(Miss::Username(self)),
            _ => Ok(self),
        }
    }
}

/// Why a host gets nothing.
#[derive(Debug)]
pub enum Miss<'a> {
    /// No rule names it.
    Unknown,
    /// This rule names it, with another port.
    Port(&'a HostRule),
    /// This rule names it, for https only.
    PlainHttp(&'a HostRule),
    /// This rule names it, for another username.
    Username(&'a HostRule),
}

impl Miss<'_> {
    /// Why `origin` gets nothing, and what would change that.
    pub fn told(&self, origin: &Origin) -> Report {
        let none = format!("no host rule lets {origin} have a token");
        let host = origin.authority();
        let rule = format!("[hosts.\"{host}\"] in the config file");
        let setup = format!("zitadel-credential setup git {host} or setup docker {host}");
        match self {
            Self::Unknown => Report::new(none).hint(format!(
                "{rule} adds one, as {setup} writes it; --host is for one call"
            )),
            Self::Port(found) => {
                Report::new(format!("{none}: {} is for another port", found.pattern)).hint(format!(
                    "{rule} adds this one, as {setup} writes it; --host is for one call"
                ))
            }
            Self::PlainHttp(found) => Report::new(format!(
                "host rule {} is for https, not for {origin}",
                found.pattern
            ))
            .hint("allow-http = true in that rule lets http too"),
            Self::Username(found) => {
                let username = found.username.as_deref().unwrap_or_default();
                Report::new(format!(
                    "host rule {} has the username {username}, and another was asked for",
                    found.pattern
                ))
                .hint("ask for that username, or for none")
            }
        }
    }
}

/// The rules in force, each for hosts of its own.
#[derive(Debug, Default)]
pub struct HostRules {
    rules: Vec<HostRule>,
    /// What the rules are for, so that many of them are added as fast as few;
    /// in order, because a hash would ask the system for randomness first.
    patterns: BTreeSet<(bool, Host, u16)>,
}

impl HostRules {
    /// Adds a rule; gives it back where an equal pattern already has one.
    ///
    /// # Errors
    /// The rule that was not added.
    pub fn add(&mut self, rule: HostRule) -> Result<(), HostRule> {
        if !self.patterns.insert(rule.pattern.over_https()) {
            return Err(rule);
        }
        self.rules.push(rule);
        Ok(())
    }

    /// The rule that lets this host, asking for this username, have a token.
    ///
    /// The closest pattern decides alone: a whole host before a wildcard, a
    /// longer wildcard before a shorter, and a caller's after all others. Where it
    /// says no, no other is asked.
    ///
    /// # Errors
    /// Why there is none; nothing of it lets anybody have a token.
    pub fn find(&self, origin: &Origin, username: Option<&str>) -> Result<&HostRule, Miss<'_>> {
        let rule = self
            .rules
            .iter()
            .filter(|rule| rule.pattern.matches(origin))
            .max_by_key(|rule| {
                let HostPattern {
                    any_label, host, ..
                } = &rule.pattern;
                (!rule.is_callers, !any_label, host.as_str().len())
            });
        if let Some(rule) = rule {
            return rule.lets(origin, username);
        }
        let elsewhere = self
            .rules
            .iter()
            .find(|rule| rule.pattern.matches_host(origin));
        Err(elsewhere.map_or(Miss::Unknown, Miss::Port))
    }

    /// The rule of this very pattern.
    pub fn named(&self, pattern: &HostPattern) -> Option<&HostRule> {
        let same = |rule: &&HostRule| rule.pattern.over_https() == pattern.over_https();
        self.rules.iter().find(same)
    }

    /// The hosts that rules name as a whole, each with the rule that decides for
    /// it over https.
    pub fn single_hosts(&self) -> impl Iterator<Item = (String, &HostRule)> {
        self.rules.iter().filter_map(|rule| {
            let host = rule.pattern.single_host()?;
            let other = rule.is_callers.then(|| {
                let origin = Origin::new(Scheme::Https, &host)?;
                self.find(&origin, None).ok()
            });
            Some((host, other.flatten().unwrap_or(rule)))
        })
    }

    /// The rules in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &HostRule> {
        self.rules.iter()
    }
}

#[cfg(test)]
mod tests {
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
    fn a_wildcard_stands_for_whole_labels() {
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
    fn the_closest_pattern_decides_alone() {
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
    fn a_callers_rule_takes_nothing_from_another() {
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
    fn plain_http_needs_leave() {
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
    fn a_miss_says_how_near_it_was() {
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
    fn what_is_no_pattern_is_refused() {
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
        fn where_a_rule_decides_a_callers_changes_nothing(
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
        fn a_rule_never_matches_wider_than_it_reads(
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
        fn a_rule_is_for_its_port_and_for_https(
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
}
