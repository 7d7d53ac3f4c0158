//! HOST: whether it would be answered, by which rule and as whom; or why not.

use super::wiring::Wirings;
use crate::config::Config;
use crate::error::Error;
use crate::findings::wiring::whose;
use crate::findings::{Checks, about, failed, ok, skipped};
use crate::host::{Ask, Auth, Miss};
use crate::text::quote::quoted;

pub(super) fn check(
    checks: &mut Checks,
    config: Option<&Config<'_>>,
    wiring: &Wirings,
    has_token: bool,
    text: &str,
    ask: Option<Ask>,
) {
    let Some(Ask { origin, username }) = ask else {
        let what = format!("\"{}\" names no host that could have a rule", quoted(text));
        checks.push(failed("host", what, "give host, host:port or a URL"));
        return;
    };
    let Some(config) = config else {
        checks.push(skipped("host", "the configuration cannot be read"));
        return;
    };
    let rule = match config.rules().find(&origin, username.as_deref()) {
        Ok(rule) => rule,
        // kubectl asks for a profile's token, and never names the host.
        Err(Miss::Unknown | Miss::Port(_)) if wiring.needs_no_rule(&origin) => {
            let what = format!("{origin} is the host of a cluster");
            let why = "kubectl needs no host rule, and for other tools there is none";
            checks.push(ok("host", format!("{what}: {why}")));
            return;
        }
        Err(miss) => {
            checks.push(about("host", &Error::Final(miss.told(&origin))));
            return;
        }
    };
    let whose = whose(config, rule);
    let login = match &rule.username {
        Some(name) => format!("username {}", quoted(name)),
        None => "the user ID as username".to_owned(),
    };
    let git = match rule.auth {
        Auth::Auto => "Bearer where the server offers it, else basic",
        Auth::Basic => "basic",
        Auth::Bearer => "Bearer where git can send it, else basic",
    };
    let by = format!(
        "{origin} has the rule {}: {whose}, {login}; git: {git}",
        rule.pattern
    );
    checks.push(if has_token {
        ok("host", by)
    } else {
        let what = format!("{by}; there is no token to be had for it");
        failed("host", what, "see the first check that failed")
    });
}
