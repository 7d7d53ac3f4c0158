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
            let rule = self
                .read_rule(pattern, host)
                .map_err(|report| Error::Usage(self.about(report)))?;
            rules.add(rule).map_err(|rule| {
                let what = format!("two host rules for {}", rule.pattern);
                Error::Usage(
                    self.about(Report::new(what))
                        .hint("remove one of them: upper and lower case are the same host, and so are port 443 and no port"),
                )
            })?;
        }
        for pattern in &self.caller.hosts {
            let pattern = parse_pattern(pattern).map_err(|report| {
                Error::Usage(report.about(&"--host or ZITADEL_CREDENTIAL_HOSTS"))
            })?;
            // A rule of the file wins over the caller's rule for the same host.
            let _ = rules.add(HostRule::of_caller(pattern));
        }
        Ok(rules)
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

/// Returns the host of a URL or of a host with a path.
fn host_within(text: &str) -> Option<HostPattern> {
    let after = text.split_once("://").map_or(text, |(_, after)| after);
    let authority = after.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    HostPattern::parse(host)
}
