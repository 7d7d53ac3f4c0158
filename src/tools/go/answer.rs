//! Answers Go.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::args::Go;
use super::protocol;
use crate::broker::{self, Broker};
use crate::call::login::{request_of, rule_of};
use crate::call::request::explain_stdin;
use crate::call::{Answer, Helper, Settings, World, warn};
use crate::cli::options::Options;
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::host::{Ask, HostRule};
use crate::text::clock::Deadline;
use crate::text::input;
use crate::token::Token;

impl Helper for Go {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?, self.url.as_deref())
    }
}

/// Size limit of a response; more than Go accepts of headers.
const RESPONSE_LIMIT: usize = 16 * 1024 * 1024;

/// Answers with the headers for one URL, or for all hosts with a host rule.
fn answer(
    world: &mut World<'_>,
    config: &Config<'_>,
    url: Option<&OsStr>,
) -> Result<Answer, Error> {
    match url {
        Some(url) => for_url(world, config, url),
        None => Ok(for_hosts(world, config)),
    }
}

const EXAMPLE: &str = "zitadel-credential go https://proxy.acme.dev </dev/null";

/// Answers with the block for a host that answered 4xx.
fn for_url(world: &mut World<'_>, config: &Config<'_>, url: &OsStr) -> Result<Answer, Error> {
    let parsed = url.to_str().and_then(protocol::parse);
    let Some(rule) = rule_of(config, parsed.as_ref().map(|request| &request.ask)) else {
        return Ok(Answer::new(""));
    };
    explain_stdin(world, "the server's response", EXAMPLE);
    world.stdin.end_by(*config.deadline());
    let line = input::read_first_line(&mut *world.stdin, input::LIMIT, RESPONSE_LIMIT);
    let status = line.map_err(|error| {
        let reason = error.predicate();
        let report = Report::new(format!("Go's response on stdin is {reason}"));
        Error::Usage(report.hint("add </dev/null to call this by hand"))
    })?;
    let request = request_of(config, rule)?;
    let broker = Broker::new(&request, world.clock)?;
    let token = if protocol::is_refusal(&status) {
        broker.token_for((world.parent)())
    } else {
        broker.token()
    }?;
    let authority = parsed.map_or("", |request| request.authority);
    Ok(Answer::new(protocol::block(authority, &token)))
}

/// Answers with a block for each host rule without a wildcard; for the other hosts, Go
/// calls again with a URL. Skips a profile that gets no token, because Go discards all
/// blocks of a command that fails.
fn for_hosts(world: &mut World<'_>, config: &Config<'_>) -> Answer {
    let mut profiles: BTreeMap<_, Vec<(&HostRule, String)>> = BTreeMap::new();
    for (host, rule) in config.rules().single_hosts() {
        if let Some(ask) = Ask::of(&host) {
            let profile = config.profile_for(&Asker::of(rule));
            let hosts = profiles.entry(profile).or_default();
            hosts.push((rule, ask.origin.authority()));
        }
    }
    let mut text = String::new();
    let mut left = profiles.len();
    for hosts in profiles.values() {
        // A profile whose issuer is down must not use up the others' time.
        let deadline = config.deadline().share(left);
        left -= 1;
        let (rule, _) = hosts[0];
        match token_within(world, config, rule, deadline) {
            Ok(token) => text.extend(hosts.iter().map(|(_, host)| protocol::block(host, &token))),
            Err(error) => {
                let hosts: Vec<_> = hosts.iter().map(|(_, host)| host.as_str()).collect();
                let (hosts, report) = (hosts.join(", "), error.report());
                let headline = report.headline();
                warn(world, &format_args!("no token for {hosts}: {headline}"));
            }
        }
    }
    Answer::new(text)
}

fn token_within(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
    deadline: Deadline,
) -> Result<Token, Error> {
    let request = broker::Request {
        deadline,
        ..request_of(config, rule)?
    };
    Broker::new(&request, world.clock)?.token_for((world.parent)())
}
