//! The findings of setup, doctor and `config check` about a host rule.

use crate::config::{Asker, Config};
use crate::findings::wiring::profile_of;
use crate::findings::{Checks, warning};
use crate::host::{HostPattern, HostRule, no_use};
use crate::scope::open_zitadel;
use crate::url::Origin;

/// Returns the line for a wildcard that matches no host.
pub(crate) fn no_match(pattern: &HostPattern) -> String {
    format!("{pattern} matches no host: a wildcard is for names, and not for addresses")
}

/// Returns a warning if a rule gives another host a token for ZITADEL's own APIs.
pub(crate) fn api_token(config: &Config<'_>, rule: &HostRule) -> Option<String> {
    let request = config.request(Asker::of(rule)).ok()?;
    let (issuer, _) = Origin::parse_url(request.issuer.as_ref()?.as_str())?;
    if !open_zitadel(&request.scopes) || rule.pattern.matches(&issuer) {
        return None;
    }
    let profile = profile_of(config, rule);
    Some(format!(
        "{}: {profile} gives it a token for ZITADEL's own APIs (zitadel-api): that host can use it to add its own key to the user",
        rule.pattern
    ))
}

/// Warns of rules without a host, of rules for hosts that strangers may own, of hosts
/// that take no ZITADEL tokens, and of tokens for ZITADEL's own APIs that go to other
/// hosts.
pub(crate) fn check(checks: &mut Checks, config: &Config<'_>) {
    for rule in config.rules().iter() {
        let pattern = &rule.pattern;
        if pattern.matches_nothing() {
            let advice = "name each address in a rule of its own";
            checks.push(warning("rule", no_match(pattern), advice));
        } else if pattern.covers_strangers() {
            checks.push(warning(
                "rule",
                format!("{pattern} covers hosts of other people, who can get the token"),
                "name your own hosts or domain in the rule, for example *.acme.dev",
            ));
        }
        if let Some(service) = pattern.service() {
            let advice = format!("remove [hosts.\"{pattern}\"], and use an account of {service}");
            checks.push(warning("rule", no_use(&pattern, service), advice));
        }
        if let Some(line) = api_token(config, rule) {
            let advice = "use another profile for this host, without zitadel-api";
            checks.push(warning("rule", line, advice));
        }
    }
}
