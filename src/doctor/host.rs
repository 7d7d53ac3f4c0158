//! Checks HOST: by which rule it gets a token and for which profile, or why not.

use super::wiring::Wirings;
use crate::config::Config;
use crate::error::Error;
use crate::findings::wiring::profile_of;
use crate::findings::{Checks, failed, failed_with, ok, skipped, warning};
use crate::host::{Ask, Auth, Miss};
use crate::text::quote::{quoted, word};

pub(super) fn check(
    checks: &mut Checks,
    config: Option<&Config<'_>>,
    wiring: &Wirings,
    has_token: bool,
    text: &str,
    ask: Option<Ask>,
) {
    let Some(Ask { origin, username }) = ask else {
        let what = format!("invalid host \"{}\"", quoted(text));
        let advice = match Config::host_within(text) {
            Some(host) => format!("run zitadel-credential doctor {}", word(&host)),
            None => "give host, host:port or a URL".to_owned(),
        };
        checks.push(failed("host", what, advice));
        return;
    };
    let Some(config) = config else {
        checks.push(skipped("host", "the configuration could not be loaded"));
        return;
    };
    let rule = match config.rules().find(&origin, username.as_deref()) {
        Ok(rule) => rule,
        // kubectl requests a profile's token and never names the host.
        Err(Miss::Unknown | Miss::Port(_)) if wiring.needs_no_rule(&origin) => {
            let what = format!("{origin} is a cluster's server");
            let why = "kubectl needs no host rule; other tools get no token, because there is no host rule";
            checks.push(ok("host", format!("{what}: {why}")));
            return;
        }
        Err(miss) => {
            checks.push(failed_with("host", &Error::Final(miss.report(&origin))));
            return;
        }
    };
    let profile = profile_of(config, rule);
    let login = match &rule.username {
        Some(name) => format!("username {}", quoted(name)),
        None => "the user ID as username".to_owned(),
    };
    let git = match rule.auth {
        Auth::Auto => "basic, or Bearer if the server offers no basic",
        Auth::Basic => "basic",
        Auth::Bearer => "Bearer if git can send it, otherwise basic",
    };
    let by = format!(
        "host rule {} for {origin}: {profile}, {login}; git: {git}",
        rule.pattern
    );
    checks.push(if has_token {
        ok("host", by)
    } else {
        let what = format!("{by}; no token available");
        failed("host", what, "fix the first failed check")
    });
    for (tool, why) in wiring.misses(&origin) {
        let host = word(&origin.authority());
        checks.push(warning(
            "host",
            why,
            format!("zitadel-credential setup {tool} {host}"),
        ));
    }
}
