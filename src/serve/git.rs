//! git.

use std::ffi::OsStr;

use zeroize::Zeroizing;

use super::{drained, find_rule, forget, login};
use crate::cli::{self, Options};
use crate::clock::Deadline;
use crate::config::{self, Config};
use crate::error::Error;
use crate::helper::Login;
use crate::helper::git::{self, Operation};
use crate::input::{self, ReadError};
use crate::{Answer, World, report};

/// What git hears whatever the configuration says, broken or not.
pub(super) fn without_config(
    world: &mut World<'_>,
    options: &Options,
    asked: &cli::Git,
) -> Option<Answer> {
    match operation_of(&asked.operation) {
        None => Some(Answer::new("")),
        Some(Operation::Capability) => Some(Answer::new(git::CAPABILITY)),
        Some(Operation::Store) => {
            let deadline = config::deadline(options, world.environment);
            Some(drained(read_message(world, deadline)))
        }
        Some(Operation::Get | Operation::Erase) => None,
    }
}

/// git's `get` and `erase`. Who has no rule hears nothing.
pub(crate) fn answer(
    world: &mut World<'_>,
    config: &Config<'_>,
    operation: &OsStr,
) -> Result<Answer, Error> {
    let nothing = Ok(Answer::new(""));
    let input = match read_message(world, *config.deadline()) {
        Ok(input) => input,
        Err(error) => {
            log::info!("nothing for git: its message is {}", error.predicate());
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
    if operation_of(operation) == Some(Operation::Erase) {
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

fn operation_of(word: &OsStr) -> Option<Operation> {
    Operation::parse(word.to_str()?)
}

/// Reads git's message, which ends before its input may.
fn read_message(
    world: &mut World<'_>,
    deadline: Deadline,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(git::Message::new(&mut *world.stdin), input::LIMIT)
}
