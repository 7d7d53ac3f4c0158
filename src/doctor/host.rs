//! Checks HOST: the rule and the profile by which it gets a token, or the reason why it
//! gets none.

use super::wiring::Wirings;
use crate::config::Config;
use crate::error::Error;
use crate::findings::wiring::profile_of;
use crate::findings::{Checks, failed, failed_with, ok, skipped, warning};
use crate::host::{Ask, Miss};
use crate::text::quote;
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
        Err(miss) => {
            let is_unknown = matches!(miss, Miss::Unknown | Miss::Port(_));
            let by_tool = wiring.needs_no_rule(&origin).filter(|_| is_unknown);
            checks.push(match by_tool {
                Some((tool, role)) => ok(
                    "host",
                    format!(
                        "{origin} is {role}: {tool} needs no host rule; other tools get no token, because there is no host rule"
                    ),
                ),
                None => failed_with("host", &Error::Final(miss.report(&origin))),
            });
            return;
        }
    };
    let profile = profile_of(config, rule);
    let login = match &rule.username {
        Some(name) => format!("username {}", quote::path(name)),
        None => "the user ID as username".to_owned(),
    };
    let forms = wiring.forms(rule.auth);
    let forms = forms.map(|(tool, form)| format!("; {tool}: {form}"));
    let by = format!(
        "host rule {} for {origin}: {profile}, {login}{}",
        rule.pattern,
        forms.collect::<String>()
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
