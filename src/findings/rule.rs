//! What setup and doctor say about a host rule.

use crate::config::{Asker, Config};
use crate::findings::wiring::profile_of;
use crate::host::{HostPattern, HostRule};
use crate::scope::open_zitadel;
use crate::url::Origin;

/// Says that a service takes no tokens of ZITADEL.
pub(crate) fn no_use(pattern: &HostPattern, service: &str) -> String {
    format!("{pattern} belongs to {service}, which takes no tokens of ZITADEL")
}

/// Says that a wildcard matches no host.
pub(crate) fn no_match(pattern: &HostPattern) -> String {
    format!("{pattern} matches no host: a wildcard is for names, and not for addresses")
}

/// Warns that a rule gives another host a token for ZITADEL's own APIs; `None` if it does
/// not.
pub(crate) fn api_token(config: &Config<'_>, rule: &HostRule) -> Option<String> {
    let request = config.request(Asker::of(rule)).ok()?;
    let (issuer, _) = Origin::parse_url(request.issuer.as_str())?;
    if !open_zitadel(&request.scopes) || rule.pattern.matches(&issuer) {
        return None;
    }
    let profile = profile_of(config, rule);
    Some(format!(
        "{}: {profile} gives it a token for ZITADEL's own APIs (zitadel-api), with which that host can add a key to the user for itself",
        rule.pattern
    ))
}
