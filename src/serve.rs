//! The helpers' work: a tool's question, the rule for its host, a token, the
//! answer. One file a tool; here is what they share.

pub(crate) mod bazel;
pub(crate) mod cargo;
pub(crate) mod docker;
pub(crate) mod gcp;
pub(crate) mod git;
pub(crate) mod go;
pub(crate) mod keyring;
pub(crate) mod kubectl;
pub(crate) mod kubelet;
pub(crate) mod terraform;

use std::ffi::OsStr;

use zeroize::Zeroizing;

use crate::broker::{Broker, Request};
use crate::cli::{Command, Options};
use crate::clock::Deadline;
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::helper::Ask;
use crate::host::HostRule;
use crate::input::{self, ReadError};
use crate::quote::{printable, quoted};
use crate::secret::Secret;
use crate::token::Token;
use crate::{Answer, World};

/// What is answered whatever the configuration says, broken or not.
pub(crate) fn without_config(
    world: &mut World<'_>,
    options: &Options,
    command: &Command,
) -> Option<Answer> {
    match command {
        Command::Git(asked) => git::without_config(world, options, asked),
        Command::Docker(asked) => docker::without_config(world, options, asked),
        _ => None,
    }
}

/// The rule for whom a tool asks; none where it names nobody.
fn rule_of<'c>(config: &'c Config<'_>, ask: Option<&Ask>) -> Option<&'c HostRule> {
    if ask.is_none() {
        log::info!("no token: the question names no host that could have a rule");
    }
    find_rule(config, ask?)
}

/// The rule for a host; why there is none is told at `-v`.
fn find_rule<'c>(config: &'c Config<'_>, ask: &Ask) -> Option<&'c HostRule> {
    let Ask { origin, username } = ask;
    let found = config.rules().find(origin, username.as_deref());
    match &found {
        Ok(rule) => log::info!("{origin} has the rule {}", rule.pattern),
        Err(miss) => {
            let report = miss.told(origin);
            let advice = report.advice().unwrap_or_default();
            log::info!("{}: {advice}", report.headline());
        }
    }
    found.ok()
}

fn request_of<'c>(config: &Config<'c>, rule: &HostRule) -> Result<Request<'c>, Error> {
    config.request(Asker::of(rule))
}

fn login(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
) -> Result<(String, Token), Error> {
    let request = request_of(config, rule)?;
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token()?;
    let user_id = broker.grant().user_id.as_str();
    let username = rule.username.as_deref().unwrap_or(user_id);
    Ok((username.to_owned(), token))
}

fn forget(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
    token: Option<&Secret>,
) -> Result<(), Error> {
    let request = request_of(config, rule)?;
    if Broker::new(&request, world.clock)?.forget(token) {
        log::info!("the token is out of the cache");
    }
    Ok(())
}

/// An operation that the tool's protocol does not have.
fn unknown(command: &str, operation: &OsStr, known: &str) -> Error {
    let operation = quoted(&operation.to_string_lossy());
    let what = format!("{command} {operation}: there is no such operation");
    Error::Usage(Report::new(what).hint(format!("the operations of {command}: {known}")))
}

/// Reads and parses a question that is one JSON document.
fn read_question<T>(
    world: &mut World<'_>,
    config: &Config<'_>,
    what: &str,
    parse: impl FnOnce(&[u8]) -> serde_json::Result<T>,
) -> Result<T, Error> {
    let failed = |reason: String| {
        let report = Report::new(format!("{what} on stdin is {reason}"));
        Error::Usage(report.hint("the tool calls this itself; by hand, see its protocol"))
    };
    let input = read_input(world, *config.deadline()).map_err(|error| failed(error.predicate()))?;
    // What the parser says could quote a secret.
    parse(&input).map_err(|_| failed("malformed".to_owned()))
}

/// Reads all that the tool says, to its end.
fn read_input(world: &mut World<'_>, deadline: Deadline) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(&mut *world.stdin, input::LIMIT)
}

/// Takes what is to be stored and does nothing: the cache holds it already.
fn drained(input: Result<Zeroizing<Vec<u8>>, ReadError>) -> Answer {
    if let Err(error) = input {
        log::info!("what is to be stored is {}", printable(&error.predicate()));
    }
    Answer::new("")
}

fn written(json: serde_json::Result<String>) -> Result<Answer, Error> {
    json.map(Answer::new)
        .map_err(|error| Error::Final(Report::new(format!("the answer: {error}"))))
}
