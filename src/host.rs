//! Host rules: the allow-list of all helpers. A host without a rule gets no token.

mod ask;
mod strangers;

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

pub use ask::Ask;

use crate::error::Report;
use crate::url::{Host, Origin, Scheme, parse_authority};

/// The form of the response to git (`auth` in a rule).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Basic, or Bearer if the server offers only that of the two.
    #[default]
    Auto,
    /// A username, and the token as its password.
    Basic,
    /// `Authorization: Bearer`, if git can send it.
    Bearer,
}

/// The hosts of a rule: `host[:port]`, or `*.host[:port]` for every name with one or
/// more labels before that host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    any_label: bool,
    host: Host,
    port: Option<u16>,
}

impl HostPattern {
    /// Parses a pattern; `None` if it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let (any_label, authority) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = parse_authority(authority)?;
        // `*.10.0.0.1` and `*.[::1]` could match no host.
        let is_whole_address =
            host.as_str().starts_with('[') || host.as_str().parse::<Ipv4Addr>().is_ok();
        (!any_label || !is_whole_address).then_some(Self {
            any_label,
            host,
            port,
        })
    }

    /// Returns the pattern's `host[:port]`; `None` for a wildcard.
    pub fn single_host(&self) -> Option<String> {
        (!self.any_label).then(|| self.to_string())
    }

    /// Returns the pattern without its port, for tools that ignore ports.
    pub fn without_port(&self) -> String {
        let port = None;
        Self {
            port,
            ..self.clone()
        }
        .to_string()
    }

    /// Returns the pattern's port, if it has one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// True for a wildcard like `*.0.0.1`: only addresses end like this, and it matches
    /// none.
    pub fn matches_nothing(&self) -> bool {
        self.any_label && self.host.is_address()
    }

    /// True for a wildcard over hosts that strangers can have, such as `*.com`.
    pub fn covers_strangers(&self) -> bool {
        self.any_label && strangers::are_below(self.host.as_str())
    }

    /// Returns the public service of these hosts, if it accepts no ZITADEL tokens.
    pub fn service(&self) -> Option<&'static str> {
        strangers::service(self.host.as_str())
    }

    /// True if the pattern matches this host and port.
    pub fn matches(&self, origin: &Origin) -> bool {
        self.matches_host(origin) && self.port_for(origin.scheme) == origin.port
    }

    /// True if the pattern matches this host, at any port.
    pub fn matches_host(&self, origin: &Origin) -> bool {
        let pattern = self.host.as_str();
        let host = origin.host.as_str();
        if self.any_label {
            // The labels of an address are not names below others: `*.0.0.1`.
            !origin.host.is_address()
                && host
                    .strip_suffix(pattern)
                    .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == pattern
        }
    }

    fn port_for(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or_else(|| scheme.default_port())
    }

    /// Returns the pattern's hosts over https, for comparison: two rules with the
    /// same hosts conflict.
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

/// A rule that allows hosts to get a token.
#[derive(Clone, Debug)]
pub struct HostRule {
    /// The hosts.
    pub pattern: HostPattern,
    /// The profile whose token they get; `None` for the default profile.
    pub profile: Option<String>,
    /// The username for the token; `None` for the user ID.
    pub username: Option<String>,
    /// The form of the response to git.
    pub auth: Auth,
    /// True to allow the token over plain http.
    pub allow_http: bool,
    /// True for a rule of the caller (`--host`), which every rule of the config file
    /// overrides.
    pub is_callers: bool,
}

impl HostRule {
    /// Creates a caller's rule for these hosts.
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

/// The reason why a host gets no token.
#[derive(Debug)]
pub enum Miss<'a> {
    /// No rule matches the host.
    Unknown,
    /// This rule matches the host, but another port.
    Port(&'a HostRule),
    /// This rule matches the host, but only for https.
    PlainHttp(&'a HostRule),
    /// This rule matches the host, but has another username.
    Username(&'a HostRule),
}

const ALLOW_HTTP: &str = "allow-http = true";
const IF_TRUSTED: &str = "if you trust the network";

impl Miss<'_> {
    /// Returns the report for `origin`, with the remedies.
    pub fn report(&self, origin: &Origin) -> Report {
        let missing = format!("no host rule for {origin}");
        match self {
            Self::Unknown => add_rule(Report::new(missing), origin),
            Self::Port(found) => {
                let pattern = &found.pattern;
                let report = Report::new(format!("{missing}: {pattern} is for another port"));
                add_rule(report, origin)
            }
            Self::PlainHttp(found) => Report::new(format!(
                "host rule {} is for https, not for {origin}",
                found.pattern
            ))
            .hint("use https")
            .hint(if found.is_callers {
                // Only a rule of the config file can allow http, and it overrides this one.
                let pattern = &found.pattern;
                format!(
                    "add [hosts.\"{pattern}\"] with {ALLOW_HTTP} to the config file {IF_TRUSTED}"
                )
            } else {
                format!("set {ALLOW_HTTP} in that rule {IF_TRUSTED}")
            }),
            Self::Username(found) => {
                let username = found.username.as_deref().unwrap_or_default();
                Report::new(format!(
                    "host rule {} has the username {username}, but another one was requested",
                    found.pattern
                ))
                .hint("request that username, or none")
            }
        }
    }
}

/// Returns the line for a host of a service that accepts no ZITADEL tokens.
pub(crate) fn no_use(host: &dyn fmt::Display, service: &str) -> String {
    format!("{host} belongs to {service}, which accepts no ZITADEL tokens")
}

/// Adds the remedies for a missing host rule.
fn add_rule(report: Report, origin: &Origin) -> Report {
    let host = origin.authority();
    if let Some(service) = strangers::service(origin.host.as_str()) {
        return report.hint(no_use(&host, service));
    }
    if origin.scheme == Scheme::Http {
        // The rules of setup and of the caller are for https only.
        return report.hint("use https").hint(format!(
            "add [hosts.\"{host}\"] with {ALLOW_HTTP} to the config file {IF_TRUSTED}"
        ));
    }
    report
        .hint(format!("add [hosts.\"{host}\"] to the config file"))
        .hint(format!(
            "run zitadel-credential setup TOOL {host}, for example setup git {host}"
        ))
        .hint(format!("for one call, give --host {host}"))
}

/// The effective rules, at most one for each pattern.
#[derive(Debug, Default)]
pub struct HostRules {
    rules: Vec<HostRule>,
    /// The rules' hosts, so that adding stays fast with many rules. A sorted set,
    /// because a hash set would read randomness from the system first.
    patterns: BTreeSet<(bool, Host, u16)>,
}

impl HostRules {
    /// Adds a rule.
    ///
    /// # Errors
    /// The rule itself, if another rule has the same hosts.
    pub fn add(&mut self, rule: HostRule) -> Result<(), HostRule> {
        if !self.patterns.insert(rule.pattern.over_https()) {
            return Err(rule);
        }
        self.rules.push(rule);
        Ok(())
    }

    /// Returns the rule that allows a token for this host and username.
    ///
    /// Only the closest matching pattern counts: a host before a wildcard, a longer
    /// wildcard before a shorter one, and a caller's rule after all others. If that
    /// rule refuses, no other rule applies.
    ///
    /// # Errors
    /// The reason why the host gets no token.
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

    /// Returns the rule with exactly this pattern.
    pub fn named(&self, pattern: &HostPattern) -> Option<&HostRule> {
        let same = |rule: &&HostRule| rule.pattern.over_https() == pattern.over_https();
        self.rules.iter().find(same)
    }

    /// Returns the hosts of all rules without a wildcard, each with the rule that
    /// applies to it over https.
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

    /// Returns the rules in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &HostRule> {
        self.rules.iter()
    }
}

#[cfg(test)]
mod tests;
