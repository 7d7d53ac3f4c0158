//! Reads the host rules of the config file, the flags and the environment.

use super::{Config, file};
use crate::error::{Error, Report};
use crate::host::{HostPattern, HostRule, HostRules};
use crate::text::quote::{is_unprintable, quoted};

impl Config<'_> {
    /// Reads all host rules.
    ///
    /// # Errors
    /// [`Error::Usage`]: a rule is invalid, or two rules are for the same host.
    pub(super) fn read_rules(&self) -> Result<HostRules, Error> {
        let mut rules = HostRules::default();
        for (pattern, host) in &self.file.hosts {
            self.add_rule(&mut rules, pattern, host)?;
        }
        for pattern in &self.caller.hosts {
            add_rule_of_caller(&mut rules, pattern)?;
        }
        Ok(rules)
    }

    /// Adds a rule of the file.
    ///
    /// # Errors
    /// [`Error::Usage`]: the rule is invalid, or another rule is for the same host.
    pub(super) fn add_rule(
        &self,
        rules: &mut HostRules,
        pattern: &str,
        host: &file::Host,
    ) -> Result<(), Error> {
        let rule = self
            .read_rule(pattern, host)
            .map_err(|report| Error::Usage(self.about(report)))?;
        rules.add(rule).map_err(|rule| {
            let what = format!("two host rules for {}", rule.pattern);
            Error::Usage(
                self.about(Report::new(what))
                    .hint("remove one: letter case and port 443 make no difference"),
            )
        })
    }

    fn read_rule(&self, pattern: &str, host: &file::Host) -> Result<HostRule, Report> {
        let file::Host {
            profile,
            username,
            auth,
            allow_http,
        } = host;
        let rule = HostRule {
            pattern: parse_pattern(pattern)?,
            profile: profile.clone(),
            username: username.clone(),
            auth: (*auth).into(),
            allow_http: *allow_http,
            is_callers: false,
        };
        if let Some(name) = profile
            && !self.file.profiles.contains_key(name)
        {
            return Err(self.unknown_profile_of(&rule.pattern, name));
        }
        // RFC 7617, section 2: a colon would end the username.
        let is_bad = |c: char| is_unprintable(c) || c == ':';
        if username
            .as_deref()
            .is_some_and(|name| name.is_empty() || name.contains(is_bad))
        {
            let what = format!(
                "host rule {}: username is empty, or contains a colon or a control character",
                rule.pattern
            );
            return Err(Report::new(what).hint("remove username to use the user ID"));
        }
        Ok(rule)
    }
}

/// Adds a rule of the caller.
///
/// # Errors
/// [`Error::Usage`]: the host is invalid.
pub(super) fn add_rule_of_caller(rules: &mut HostRules, pattern: &str) -> Result<(), Error> {
    let pattern = parse_pattern(pattern)
        .map_err(|report| Error::Usage(report.about(&"--host or ZITADEL_CREDENTIAL_HOSTS")))?;
    // A rule of the file wins over the caller's rule for the same host.
    let _ = rules.add(HostRule::of_caller(pattern));
    Ok(())
}

/// Parses the host pattern of a rule.
pub(super) fn parse_pattern(text: &str) -> Result<HostPattern, Report> {
    HostPattern::parse(text).ok_or_else(|| {
        let report = Report::new(format!("invalid host: \"{}\"", quoted(text)));
        if let Some(host) = host_within(text) {
            return report.hint(format!("write {host}"));
        }
        report
            .hint("write host, host:port or *.host, without scheme, path or user; separate several hosts in a variable with spaces")
    })
}

/// Returns the host to write for a URL, for git's `user@host:path`, a name with a
/// trailing dot, or a name in another script.
pub(super) fn host_within(text: &str) -> Option<HostPattern> {
    let (scheme, after) = text.trim().split_once("://").unwrap_or(("", text.trim()));
    let authority = after.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_port = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    // The port of SSH or of git's own protocol is not the https port.
    let scheme = scheme.to_ascii_lowercase();
    let transport = scheme.rsplit('+').next().unwrap_or_default();
    let is_web = ["", "http", "https", "docker", "oci"].contains(&transport);
    let host = host.strip_suffix('.').unwrap_or(host);
    let (star, name) = match host.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", host),
    };
    let labels: Option<Vec<_>> = name.split('.').map(ascii_label).collect();
    let name = labels?.join(".");
    HostPattern::parse(&if is_port && is_web {
        format!("{star}{name}:{port}")
    } else {
        format!("{star}{name}")
    })
}

/// Returns a label in the form that programs use (RFC 5890, section 2.3.2.1); `None` if
/// it has characters that need Unicode's tables.
fn ascii_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let label = label.to_lowercase();
    let is_wide = |c| matches!(c, '\u{ff00}'..='\u{ffef}');
    let is_plain = |c: char| c == '-' || (c.is_alphanumeric() && !is_wide(c));
    let encoded = idna::punycode::encode_str(&label).filter(|_| label.chars().all(is_plain))?;
    Some(format!("xn--{encoded}"))
}

#[cfg(test)]
mod tests {
    use super::parse_pattern;

    #[test]
    fn an_invalid_host_gets_a_hint_with_a_valid_one() {
        for (text, host) in [
            ("https://git.acme.dev/team", "git.acme.dev"),
            ("git://git.acme.dev/app.git", "git.acme.dev"),
            ("git@git.acme.dev:team/app.git", "git.acme.dev"),
            ("ssh://git@git.acme.dev:2222/app.git", "git.acme.dev"),
            (
                "https://ci:secret@git.acme.dev:8443/?a#b",
                "git.acme.dev:8443",
            ),
            ("HTTPS://GIT.acme.dev", "git.acme.dev"),
            ("sparse+https://c.acme.dev:8443/index/", "c.acme.dev:8443"),
            ("docker://r.acme.dev:5000/app:1", "r.acme.dev:5000"),
            ("GIT.acme.dev.", "git.acme.dev"),
            ("git.acme.dev.:5000", "git.acme.dev:5000"),
            ("git.acme.dev:", "git.acme.dev"),
            (" git.acme.dev ", "git.acme.dev"),
            ("*.acme.dev/", "*.acme.dev"),
            ("https://[2001:DB8::1]:5000/", "[2001:db8::1]:5000"),
            ("https://[::1]", "[::1]"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            (
                "https://B\u{dc}CHER.example:5000/x",
                "xn--bcher-kva.example:5000",
            ),
            ("*.b\u{fc}cher.example", "*.xn--bcher-kva.example"),
        ] {
            let report = parse_pattern(text).unwrap_err();
            assert_eq!(report.advice(), Some(format!("write {host}")), "{text}");
        }
        let mapped = ["\u{ff47}it.acme.dev", "bu\u{308}cher.example", "a\u{3002}b"];
        let invalid = ["", "/", "a b", "@", ":", "https://", "*", "*.", "a..b"];
        for text in invalid.into_iter().chain(mapped) {
            let advice = parse_pattern(text).unwrap_err().advice().unwrap();
            assert!(advice.contains("write host, host:port"), "{text}: {advice}");
        }
    }
}
