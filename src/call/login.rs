//! The helpers' common steps from a request's host to a token.

use super::world::World;
use crate::broker::{Broker, Request};
use crate::config::{Asker, Config};
use crate::error::Error;
use crate::host::{Ask, HostRule};
use crate::secret::Secret;
use crate::token::Token;

/// Returns the host rule for the request; `None` if the request names no host, or a
/// host without a rule.
pub(crate) fn rule_of<'c>(config: &'c Config<'_>, ask: Option<&Ask>) -> Option<&'c HostRule> {
    if ask.is_none() {
        log::info!("no token: invalid host in the request");
    }
    find_rule(config, ask?)
}

/// Returns the host rule for a host; with `-v` logs why there is none.
pub(crate) fn find_rule<'c>(config: &'c Config<'_>, ask: &Ask) -> Option<&'c HostRule> {
    let Ask { origin, username } = ask;
    let found = config.rules().find(origin, username.as_deref());
    match &found {
        Ok(rule) => log::info!("host rule for {origin}: {}", rule.pattern),
        Err(miss) => {
            let report = miss.report(origin);
            let advice = report.advice().unwrap_or_default();
            log::info!("{}: {advice}", report.headline());
        }
    }
    found.ok()
}

/// Returns the request for a rule's token.
///
/// # Errors
/// As [`Config::request`].
pub(crate) fn request_of<'c>(config: &Config<'c>, rule: &HostRule) -> Result<Request<'c>, Error> {
    config.request(Asker::of(rule))
}

/// Returns a rule's username and token.
///
/// # Errors
/// As [`request_of`] and [`Broker::token`].
pub(crate) fn login(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
) -> Result<(String, Token), Error> {
    let request = request_of(config, rule)?;
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token()?;
    let username = rule.username.clone();
    Ok((username.unwrap_or_else(|| broker.username(&token)), token))
}

/// Returns a rule's username, which is [`Broker::username`] by default. Needs no network.
///
/// # Errors
/// The key cannot be read.
pub(crate) fn username(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
) -> Result<String, Error> {
    if let Some(username) = &rule.username {
        return Ok(username.clone());
    }
    let request = request_of(config, rule)?;
    let broker = Broker::new(&request, world.clock)?;
    Ok(broker.known_username())
}

/// Removes a rule's token from the cache.
///
/// # Errors
/// The configuration names no key.
pub(crate) fn forget(world: &World<'_>, config: &Config<'_>, rule: &HostRule) -> Result<(), Error> {
    let request = request_of(config, rule)?;
    if Broker::new(&request, world.clock)?.forget(None) {
        log::info!("removed the token from the cache");
    }
    Ok(())
}

/// Records that a server refused a rule's token. The token stays in the cache: a server
/// refuses a valid token too, for a single repository of many.
///
/// # Errors
/// As [`forget`].
pub(crate) fn doubt(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
    token: &Secret,
) -> Result<(), Error> {
    let request = request_of(config, rule)?;
    if Broker::new(&request, world.clock)?.doubt(token) {
        log::info!("a server refused the token: it is checked or replaced before its next use");
    }
    Ok(())
}
