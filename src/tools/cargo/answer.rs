//! cargo.

use super::args::Cargo;
use super::protocol;
use super::protocol::{Kind, Question, Refusal};
use crate::call::login::{forget, login, rule_of};
use crate::call::question::written;
use crate::call::{Answer, Helper, Settings, World, hand_over};
use crate::cli::options::Options;
use crate::config;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::text::input::lines::Lines;
use crate::text::{input, logger};

impl Helper for Cargo {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// False: cargo is greeted first, and its questions hold options too.
    fn logs_at_once(&self, _world: &World<'_>) -> bool {
        false
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, settings.options)
    }
}

/// Answers one question after the other until cargo goes. Errors are its
/// protocol: cargo shows them.
fn answer(world: &mut World<'_>, options: &Options) -> Result<Answer, Error> {
    let budget = config::timeout(options, world.environment);
    let mut lines = Lines::default();
    let mut answered = Answer::new(protocol::HELLO);
    while hand_over(world, &answered)? {
        answered = match lines.next(world.stdin, input::LIMIT, budget) {
            Ok(Some(line)) => answer_to(world, options, &line),
            Ok(None) => return Ok(Answer::new("")),
            // Where the next question begins is not known.
            Err(error) => return failed(&not_read(&error.predicate())),
        }
        .or_else(|error| failed(error.report()))?;
    }
    Ok(Answer::new(""))
}

fn answer_to(world: &World<'_>, options: &Options, line: &[u8]) -> Result<Answer, Error> {
    // What the parser says could quote a secret.
    let question = protocol::parse(line).ok_or_else(|| Error::Usage(not_read("malformed")))?;
    let Question { kind, ask, args } = question;
    let options = options.clone().with(args).map_err(Error::Usage)?;
    logger::start(config::log_level(&options, world.environment)?);
    let config = Config::load(&options, world.environment, &world.directories)?;
    let Some(rule) = rule_of(&config, ask.as_ref()) else {
        return written(protocol::refuse(Refusal::UrlNotSupported));
    };
    match kind {
        Kind::Get => {
            let (_, token) = login(world, &config, rule)?;
            return written(protocol::answer(&token));
        }
        Kind::Logout => forget(world, &config, rule, None)?,
        Kind::Unknown => {}
    }
    written(protocol::refuse(Refusal::OperationNotSupported))
}

fn not_read(reason: &str) -> Report {
    let report = Report::new(format!("cargo's question on stdin is {reason}"));
    report.hint("cargo calls this itself; by hand, see its protocol")
}

fn failed(report: &Report) -> Result<Answer, Error> {
    written(protocol::fail(report))
}
