//! Checks the host rules: whom they give a token, and which one.

use crate::config::Config;
use crate::findings::rule::{api_token, no_match, no_use};
use crate::findings::{Checks, warning};

/// Warns of rules without a host, of rules whose hosts strangers may have, of hosts that take no tokens of
/// ZITADEL, and of tokens for ZITADEL's own APIs that go to other hosts.
pub(super) fn check(checks: &mut Checks, config: &Config<'_>) {
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
            checks.push(warning("rule", no_use(pattern, service), advice));
        }
        if let Some(line) = api_token(config, rule) {
            let advice = "use another profile for this host, without zitadel-api";
            checks.push(warning("rule", line, advice));
        }
    }
}
