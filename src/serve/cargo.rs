//! cargo.

use super::{forget, login, rule_of, written};
use crate::cli::Options;
use crate::config::{self, Config};
use crate::error::{Error, Report};
use crate::helper::cargo::{self, Kind, Question, Refusal};
use crate::input::{self, Lines};
use crate::{Answer, World, hand_over, logger};

/// Answers one question after the other until cargo goes. Errors are its
/// protocol: cargo shows them.
pub(crate) fn answer(world: &mut World<'_>, options: &Options) -> Result<Answer, Error> {
    let budget = config::timeout(options, world.environment);
    let mut lines = Lines::default();
    let mut answered = Answer::new(cargo::HELLO);
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
    let question = cargo::parse(line).ok_or_else(|| Error::Usage(not_read("malformed")))?;
    let Question { kind, ask, args } = question;
    let options = options.clone().with(args).map_err(Error::Usage)?;
    logger::start(config::log_level(&options, world.environment)?);
    let config = Config::load(&options, world.environment, &world.directories)?;
    let Some(rule) = rule_of(&config, ask.as_ref()) else {
        return written(cargo::refuse(Refusal::UrlNotSupported));
    };
    match kind {
        Kind::Get => {
            let (_, token) = login(world, &config, rule)?;
            return written(cargo::answer(&token));
        }
        Kind::Logout => forget(world, &config, rule, None)?,
        Kind::Unknown => {}
    }
    written(cargo::refuse(Refusal::OperationNotSupported))
}

fn not_read(reason: &str) -> Report {
    let report = Report::new(format!("cargo's question on stdin is {reason}"));
    report.hint("cargo calls this itself; by hand, see its protocol")
}

fn failed(report: &Report) -> Result<Answer, Error> {
    written(cargo::fail(report))
}
