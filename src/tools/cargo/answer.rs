//! Answers cargo.

use super::args::Cargo;
use super::protocol;
use super::protocol::{Kind, Refusal, Request};
use crate::call::login::{forget, login, rule_of};
use crate::call::request::{explain_stdin, written};
use crate::call::{Answer, Helper, Settings, World, hand_over, usual_level};
use crate::cli::options::Options;
use crate::config;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::text::input;
use crate::text::input::lines::Lines;

impl Helper for Cargo {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// False: the greeting comes first, and cargo's requests may contain options.
    fn logs_at_once(&self, _world: &World<'_>) -> bool {
        false
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, settings.options)
    }
}

const EXAMPLE: &str = r#"echo '{"v":1,"kind":"get","operation":"read","registry":{"index-url":"sparse+https://cargo.acme.dev/"}}' | zitadel-credential cargo"#;

/// Answers requests until cargo closes the pipe. Errors are part of the protocol:
/// cargo shows them.
fn answer(world: &mut World<'_>, options: &Options) -> Result<Answer, Error> {
    let budget = config::timeout(options, world.environment);
    let mut lines = Lines::default();
    explain_stdin(world, "cargo's request on one line", EXAMPLE);
    let mut answered = Answer::new(protocol::HELLO);
    while hand_over(world, &answered)? {
        answered = match lines.next(world.stdin, input::LIMIT, budget) {
            Ok(Some(line)) => answer_to(world, options, &line),
            Ok(None) => return Ok(Answer::new("")),
            // The start of the next request is unknown.
            Err(error) => return failed(&invalid_request(&error.predicate())),
        }
        .or_else(|error| failed(error.report()))?;
    }
    Ok(Answer::new(""))
}

fn answer_to(world: &World<'_>, options: &Options, line: &[u8]) -> Result<Answer, Error> {
    // The parser's message could quote a secret.
    let request =
        protocol::parse(line).ok_or_else(|| Error::Usage(invalid_request("malformed")))?;
    let Request { kind, ask, args } = request;
    let options = options.clone().with(args).map_err(Error::Usage)?;
    let usual = usual_level(world);
    config::start_log(&options, world.environment, usual)?;
    let config = Config::load(&options, world.environment, &world.directories)?;
    let Some(rule) = rule_of(&config, ask.as_ref()) else {
        return written(protocol::refuse(Refusal::UrlNotSupported));
    };
    match kind {
        Kind::Get => {
            let (_, token) = login(world, &config, rule)?;
            return written(protocol::answer(&token));
        }
        Kind::Logout => forget(world, &config, rule)?,
        Kind::Unknown => {}
    }
    written(protocol::refuse(Refusal::OperationNotSupported))
}

fn invalid_request(reason: &str) -> Report {
    let report = Report::new(format!("cargo's request on stdin is {reason}"));
    report.hint("let cargo run this command; its protocol describes the input")
}

fn failed(report: &Report) -> Result<Answer, Error> {
    written(protocol::fail(report))
}
