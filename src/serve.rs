//! The helpers' work: a tool's question, the rule for its host, a token, the
//! answer.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use zeroize::Zeroizing;

use crate::broker::Broker;
use crate::cli::{self, Command, Options};
use crate::clock::Deadline;
use crate::config::{self, Asker, Config, Layer};
use crate::error::{Error, Report};
use crate::helper::{Ask, Login, docker, git, kubectl};
use crate::host::HostRule;
use crate::input::{self, ReadError};
use crate::quote::{printable, quoted};
use crate::secret::Secret;
use crate::token::Token;
use crate::{Answer, World, completions, report};

/// What is answered whatever the configuration says, broken or not.
pub(crate) fn without_config(
    world: &mut World<'_>,
    options: &Options,
    command: &Command,
) -> Option<Answer> {
    match command {
        Command::Git(asked) => match git_operation(&asked.operation) {
            None => Some(Answer::new("")),
            Some(git::Operation::Capability) => Some(Answer::new(git::CAPABILITY)),
            Some(git::Operation::Store) => {
                let deadline = config::deadline(options, world.environment);
                Some(drained(read_message(world, deadline)))
            }
            Some(git::Operation::Get | git::Operation::Erase) => None,
        },
        Command::Docker(asked) => match docker_operation(&asked.operation) {
            Some(docker::Operation::Store) => {
                let deadline = config::deadline(options, world.environment);
                Some(drained(read_input(world, deadline)))
            }
            Some(docker::Operation::Version) => Some(Answer::new(docker::version())),
            None => {
                let text = format!(
                    "Unknown credential action `{}`\n",
                    quoted(&asked.operation.to_string_lossy())
                );
                Some(Answer::new(text).with_code(1))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A shell's script, or what could stand at its cursor; a config file that is
/// not there, or broken, has no profiles to offer.
pub(crate) fn completed(world: &World<'_>, asked: &cli::Completions) -> Answer {
    let profiles = || {
        let options = completions::options(&asked.words);
        let config = Config::load(&options, world.environment, &world.directories);
        let names = |config: Config<'_>| -> Vec<_> {
            let names = config
                .profile_names()
                .filter(|name| completions::is_plain(name));
            names.map(ToOwned::to_owned).collect()
        };
        config.map(names).unwrap_or_default()
    };
    match completions::script(asked.shell) {
        Some(script) => Answer::new(script),
        None => Answer::new(completions::candidates(&asked.words, &profiles)),
    }
}

/// A token for the cluster: the kubeconfig's entry is the rule.
pub(crate) fn kubectl(world: &World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let question = match (world.environment)(kubectl::VARIABLE) {
        None => kubectl::Question::default(),
        Some(info) => {
            let info = info.to_str().unwrap_or_default();
            if info.len() > input::LIMIT {
                let what = format!(
                    "{} is larger than {} bytes",
                    kubectl::VARIABLE,
                    input::LIMIT
                );
                return Err(Error::Usage(Report::new(what).hint(
                    "see the cluster's extension client.authentication.k8s.io/exec in the kubeconfig",
                )));
            }
            kubectl::parse(info).map_err(Error::Usage)?
        }
    };
    let kubectl::Extension {
        profile,
        issuer,
        scopes,
        projects,
    } = question.cluster;
    let asker = Asker {
        rule: None,
        cluster: Layer {
            profile,
            issuer,
            scopes,
            projects,
            ..Layer::default()
        },
    };
    let request = config.request(asker)?;
    let token = Broker::new(&request, world.clock)?.token_for((world.parent)())?;
    written(kubectl::answer(question.version, &token))
}

/// git's `get` and `erase`. Who has no rule hears nothing.
pub(crate) fn git(
    world: &mut World<'_>,
    config: &Config<'_>,
    operation: &OsStr,
) -> Result<Answer, Error> {
    let nothing = Ok(Answer::new(""));
    let input = match read_message(world, *config.deadline()) {
        Ok(input) => input,
        Err(error) => {
            log::info!("nothing for git: its message is {error}");
            return nothing;
        }
    };
    let question = match git::parse(&input) {
        Ok(question) => question,
        Err(reason) => {
            log::info!("nothing for git: its message is malformed: {reason}");
            return nothing;
        }
    };
    let Some(rule) = find_rule(config, &question.ask) else {
        return nothing;
    };
    if git_operation(operation) == Some(git::Operation::Erase) {
        if let Some(secret) = &question.secret {
            forget(world, config, rule, Some(secret))?;
        }
        return nothing;
    }
    let answered = login(world, config, rule).map(|(username, token)| {
        question.answer(
            rule.auth,
            Login {
                username: &username,
                token: &token,
            },
        )
    });
    match answered {
        Ok(text) => Ok(Answer::new(text)),
        // git would hide the reason behind its question for a password.
        Err(error) => {
            report(world, &error);
            Ok(Answer::new(git::QUIT).with_code(1))
        }
    }
}

/// docker's `get`, `erase` and `list`. Errors are its protocol: a short one on
/// stdout, the whole one on stderr.
pub(crate) fn docker(
    world: &mut World<'_>,
    config: Result<Config<'_>, Error>,
    operation: &OsStr,
) -> Result<Answer, Error> {
    let answered = config.and_then(|config| match docker_operation(operation) {
        Some(docker::Operation::List) => docker_list(world, &config),
        operation => {
            let erase = operation == Some(docker::Operation::Erase);
            docker_login(world, &config, erase)
        }
    });
    answered.or_else(|error| {
        report(world, &error);
        let text = format!("zitadel-credential: {}\n", error.report().headline());
        Ok(Answer::new(text).with_code(1))
    })
}

fn docker_login(world: &mut World<'_>, config: &Config<'_>, erase: bool) -> Result<Answer, Error> {
    let failed = |text: &str| Ok(Answer::new(format!("{text}\n")).with_code(1));
    let nothing = || {
        if erase {
            Ok(Answer::new(""))
        } else {
            failed(docker::NOT_FOUND)
        }
    };
    let input = read_input(world, *config.deadline()).map_err(|error| {
        Error::Final(Report::new(format!("the server URL on stdin is {error}")))
    })?;
    // What is no text is no host that could have a rule.
    let Ok(input) = std::str::from_utf8(&input) else {
        return nothing();
    };
    let Some(question) = docker::parse(input) else {
        return failed(docker::NO_SERVER);
    };
    if question.ask.is_none() {
        log::info!("nothing for docker: its server URL names no host that could have a rule");
    }
    let rule = question.ask.and_then(|ask| find_rule(config, &ask));
    match (rule, erase) {
        (None, _) => nothing(),
        (Some(rule), true) => {
            forget(world, config, rule, None)?;
            Ok(Answer::new(""))
        }
        (Some(rule), false) => {
            let (username, token) = login(world, config, rule)?;
            let login = Login {
                username: &username,
                token: &token,
            };
            written(docker::answer(question.server_url, login))
        }
    }
}

/// The hosts that rules name, without network. One whose key cannot be read is
/// left out: it must not keep the others from being pulled from.
///
/// The word on stdin says nothing and is left there: a person at a terminal
/// writes none.
fn docker_list(world: &World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let mut logins = BTreeMap::new();
    for rule in config.rules().iter() {
        let Some(host) = rule.pattern.single_host() else {
            continue;
        };
        match username_of(world, config, rule) {
            Ok(username) => {
                logins.insert(host, username);
            }
            Err(error) => log::warn!("{host} is not listed: {}", error.report().headline()),
        }
    }
    written(docker::list(&logins))
}

fn git_operation(word: &OsStr) -> Option<git::Operation> {
    git::Operation::parse(word.to_str()?)
}

fn docker_operation(word: &OsStr) -> Option<docker::Operation> {
    docker::Operation::parse(word.to_str()?)
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

fn login(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
) -> Result<(String, Token), Error> {
    let request = config.request(Asker {
        rule: Some(rule),
        ..Asker::default()
    })?;
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token()?;
    let user_id = broker.grant().user_id.as_str();
    let username = rule.username.as_deref().unwrap_or(user_id);
    Ok((username.to_owned(), token))
}

fn username_of(world: &World<'_>, config: &Config<'_>, rule: &HostRule) -> Result<String, Error> {
    if let Some(username) = &rule.username {
        return Ok(username.clone());
    }
    let request = config.request(Asker {
        rule: Some(rule),
        ..Asker::default()
    })?;
    let broker = Broker::new(&request, world.clock)?;
    Ok(broker.grant().user_id.as_str().to_owned())
}

fn forget(
    world: &World<'_>,
    config: &Config<'_>,
    rule: &HostRule,
    token: Option<&Secret>,
) -> Result<(), Error> {
    let request = config.request(Asker {
        rule: Some(rule),
        ..Asker::default()
    })?;
    if Broker::new(&request, world.clock)?.forget(token) {
        log::info!("the token is out of the cache");
    }
    Ok(())
}

/// Reads all that the tool says, to its end.
fn read_input(world: &mut World<'_>, deadline: Deadline) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(&mut *world.stdin, input::LIMIT)
}

/// Reads git's message, which ends before its input may.
fn read_message(
    world: &mut World<'_>,
    deadline: Deadline,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(git::Message::new(&mut *world.stdin), input::LIMIT)
}

/// Takes what is to be stored and does nothing: the cache holds it already.
fn drained(input: Result<Zeroizing<Vec<u8>>, ReadError>) -> Answer {
    if let Err(error) = input {
        log::info!("what is to be stored is {}", printable(&error.to_string()));
    }
    Answer::new("")
}

fn written(json: serde_json::Result<String>) -> Result<Answer, Error> {
    json.map(Answer::new)
        .map_err(|error| Error::Final(Report::new(format!("the answer: {error}"))))
}
