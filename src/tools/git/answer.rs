//! Answers git.

use std::ffi::{OsStr, OsString};

use super::args::Git;
use super::protocol;
use super::protocol::Operation;
use crate::call::login::{doubt, find_rule, forget, login};
use crate::call::request::{drained, explain_stdin, is_plain};
use crate::call::{Answer, Helper, Settings, World, report};
use crate::cli::options::Options;
use crate::config;
use crate::config::Config;
use crate::error::Error;
use crate::net::http::ANSWER_LIMIT;
use crate::text::clock::Deadline;
use crate::text::input;
use crate::text::input::ReadError;
use crate::token::Login;

impl Helper for Git {
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

    fn answer_without_config(&self, world: &mut World<'_>, options: &Options) -> Option<Answer> {
        without_config(world, options, &self.operation)
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?, &self.operation)
    }
}

const EXAMPLE: &str =
    r"printf 'protocol=https\nhost=git.acme.dev\n\n' | zitadel-credential git get";

/// Answers the operations that need no configuration.
fn without_config(world: &mut World<'_>, options: &Options, operation: &OsStr) -> Option<Answer> {
    match operation_of(operation) {
        None => Some(Answer::new("")),
        Some(Operation::Capability) => Some(Answer::new(protocol::CAPABILITY)),
        Some(Operation::Store) => {
            let deadline = config::deadline(options, world.environment);
            Some(drained(read_message(world, deadline)))
        }
        Some(Operation::Get | Operation::Erase) => None,
    }
}

/// Answers `get` and `erase`. Without a host rule the answer is empty.
fn answer(world: &mut World<'_>, config: &Config<'_>, operation: &OsStr) -> Result<Answer, Error> {
    let nothing = Ok(Answer::new(""));
    let input = match read_message(world, *config.deadline()) {
        Ok(input) => input,
        Err(error) => {
            log::info!("no token: git's message is {}", error.predicate());
            return nothing;
        }
    };
    let request = match protocol::parse(&input) {
        Ok(request) => request,
        Err(reason) => {
            log::info!("no token: git's message is malformed: {reason}");
            return nothing;
        }
    };
    let Some(rule) = find_rule(config, &request.ask) else {
        return nothing;
    };
    if operation_of(operation) == Some(Operation::Erase) {
        match &request.secret {
            // git erases by itself after each 401, and names the token.
            Some(secret) => doubt(world, config, rule, secret)?,
            // The user ran `git credential reject`.
            None => forget(world, config, rule)?,
        }
        return nothing;
    }
    let answered = login(world, config, rule).map(|(own, token)| {
        request.answer(
            rule.auth,
            Login {
                username: request.ask.username.as_deref().unwrap_or(&own),
                token: &token,
            },
        )
    });
    match answered {
        Ok(text) => Ok(Answer::new(text)),
        // Without `quit`, git would prompt for a password and hide the error.
        Err(error) => {
            report(world, &error);
            Ok(Answer::new(protocol::QUIT).with_code(1))
        }
    }
}

fn operation_of(word: &OsStr) -> Option<Operation> {
    Operation::parse(word.to_str()?)
}

/// Reads git's message, which may end before stdin does. The token that git returns may
/// be as large as a response.
fn read_message(world: &mut World<'_>, deadline: Deadline) -> Result<Vec<u8>, ReadError> {
    explain_stdin(world, "git's message", EXAMPLE);
    world.stdin.end_by(deadline);
    let message = protocol::Message::new(&mut *world.stdin);
    let input = input::read_all(message, input::LIMIT + ANSWER_LIMIT)?;
    if protocol::size_without_secret(&input) > input::LIMIT {
        return Err(ReadError::TooLarge(input::LIMIT));
    }
    Ok(input)
}
