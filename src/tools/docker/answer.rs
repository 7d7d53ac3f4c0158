//! Answers docker, podman, skopeo and others.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::args::Docker;
use super::files::Files;
use super::protocol;
use super::protocol::Operation;
use crate::call::login::{find_rule, forget, login, username};
use crate::call::request::{explain_stdin, is_plain, read_input, written};
use crate::call::{Answer, Helper, Settings, World, report, warn};
use crate::cli::options::Options;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::text::quote::quoted;
use crate::token::Login;

impl Helper for Docker {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn from_plain_words(words: &[OsString]) -> Option<Self> {
        match words {
            [word] if is_plain(word) => Some(Self {
                operation: word.clone(),
                options: Options::default(),
            }),
            _ => None,
        }
    }

    fn answer_without_config(&self, _world: &mut World<'_>, _options: &Options) -> Option<Answer> {
        without_config(&self.operation)
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, settings, &self.operation)
    }
}

const EXAMPLE: &str = "echo registry.acme.dev | zitadel-credential docker get";

const STORE_EXAMPLE: &str =
    r#"echo '{"ServerURL":"registry.acme.dev"}' | zitadel-credential docker store"#;

/// Answers the operations that need no configuration.
fn without_config(operation: &OsStr) -> Option<Answer> {
    match operation_of(operation) {
        Some(Operation::Version) => Some(Answer::new(protocol::version())),
        Some(_) => None,
        None => {
            let text = format!(
                "Unknown credential action `{}`\n",
                quoted(&operation.to_string_lossy())
            );
            Some(Answer::new(text).with_code(1))
        }
    }
}

/// Answers `get`, `store`, `erase` and `list`. Errors are part of the protocol: a short
/// text on stdout, the full error on stderr.
fn answer(
    world: &mut World<'_>,
    settings: &Settings<'_>,
    operation: &OsStr,
) -> Result<Answer, Error> {
    let directories = settings.directories;
    let answered = settings
        .config()
        .and_then(|config| match operation_of(operation) {
            Some(Operation::List) => list(world, &config, directories),
            Some(Operation::Store) => store(world, &config),
            operation => {
                let erase = operation == Some(Operation::Erase);
                get_or_erase(world, &config, erase)
            }
        });
    answered.or_else(|error| {
        report(world, &error);
        let text = format!("zitadel-credential: {}\n", error.report().headline());
        Ok(Answer::new(text).with_code(1))
    })
}

fn get_or_erase(world: &mut World<'_>, config: &Config<'_>, erase: bool) -> Result<Answer, Error> {
    let failed = |text: &str| Ok(Answer::new(format!("{text}\n")).with_code(1));
    let nothing = || {
        if erase {
            Ok(Answer::new(""))
        } else {
            failed(protocol::NOT_FOUND)
        }
    };
    explain_stdin(world, "the registry's address", EXAMPLE);
    let input = read_input(world, *config.deadline()).map_err(|error| {
        let reason = error.predicate();
        Error::Final(Report::new(format!("the server URL on stdin is {reason}")))
    })?;
    // A server URL that is not UTF-8 has no valid host.
    let Ok(input) = std::str::from_utf8(&input) else {
        return nothing();
    };
    let Some(request) = protocol::parse(input) else {
        return failed(protocol::NO_SERVER);
    };
    if request.ask.is_none() {
        log::info!("no token: invalid host in docker's server URL");
    }
    let rule = request.ask.and_then(|ask| find_rule(config, &ask));
    match (rule, erase) {
        (None, _) => nothing(),
        (Some(rule), true) => {
            forget(world, config, rule)?;
            Ok(Answer::new(""))
        }
        (Some(rule), false) => {
            let (username, token) = login(world, config, rule)?;
            let login = Login {
                username: &username,
                token: &token,
            };
            written(protocol::answer(request.server_url, login))
        }
    }
}

/// Accepts a login without storing it, as a failure would make `docker login` fail: the
/// cache has the token. A login for a host without a rule is refused, because it would
/// be lost.
fn store(world: &mut World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    explain_stdin(world, "the login as JSON", STORE_EXAMPLE);
    let input = read_input(world, *config.deadline()).map_err(|error| {
        let reason = error.predicate();
        Error::Final(Report::new(format!("the login on stdin is {reason}")))
    })?;
    let server_url = protocol::server_of_login(&input).unwrap_or_default();
    let Some(request) = protocol::parse(&server_url) else {
        return Ok(Answer::new(format!("{}\n", protocol::NO_SERVER)).with_code(1));
    };
    let rule = request.ask.and_then(|ask| find_rule(config, &ask));
    if rule.is_some() {
        return Ok(Answer::new(""));
    }
    let host = quoted(request.server_url);
    let what = format!("the login for {host} is not stored: it has no host rule");
    Err(Error::Final(
        Report::new(what)
            .hint("for a token of ZITADEL, run zitadel-credential setup docker HOST")
            .hint("for another login, use another credential helper for this registry"),
    ))
}

/// Lists the hosts of the host rules that docker's own files give to this program,
/// without network: docker sends the token of each listed host to the engine of a build.
/// Skips a host whose key cannot be read, so that the other hosts stay usable.
///
/// Does not read stdin: its content has no meaning, and a terminal has none.
fn list(
    world: &mut World<'_>,
    config: &Config<'_>,
    directories: &Directories,
) -> Result<Answer, Error> {
    let files = Files::read(world.environment, directories, config.deadline());
    for error in &files.errors {
        warn(world, &error.report().headline());
    }
    let mut logins = BTreeMap::new();
    let hosts = config.rules().single_hosts();
    for (host, rule) in hosts.filter(|(_, rule)| files.assign(rule)) {
        match username(world, config, rule) {
            Ok(username) => {
                logins.insert(host, username);
            }
            Err(error) => {
                let why = error.report().headline();
                warn(world, &format_args!("{host} is not listed: {why}"));
            }
        }
    }
    written(protocol::list(&logins))
}

fn operation_of(word: &OsStr) -> Option<Operation> {
    Operation::parse(word.to_str()?)
}
