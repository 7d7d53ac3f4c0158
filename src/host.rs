//! Host rules: the one allow-list of every helper. A host that no rule names
//! gets nothing.

mod ask;

use std::collections::BTreeSet;
use std::fmt;

pub use ask::Ask;

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
mod tests;
