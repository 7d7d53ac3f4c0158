//! Answers Terraform.

use super::args::Terraform;
use super::protocol;
use super::protocol::Operation;
use crate::call::login::{forget, login, rule_of};
use crate::call::request::{drained, explain_stdin, is_option, read_input, unknown, written};
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::{Error, Report};

impl Helper for Terraform {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn is_unambiguous(&self) -> bool {
        self.words.first().is_some_and(|word| !is_option(word))
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?, self)
    }
}

const EXAMPLE: &str = r#"echo '{"token":"x"}' | zitadel-credential terraform store app.acme.dev"#;

/// Answers an operation for one host.
fn answer(world: &mut World<'_>, config: &Config<'_>, args: &Terraform) -> Result<Answer, Error> {
    let [operation, host] = args.call().map_err(Error::Usage)?;
    let Some(kind) = operation.to_str().and_then(Operation::parse) else {
        return Err(unknown("terraform", operation, "get, store and forget"));
    };
    if kind == Operation::Store {
        explain_stdin(world, "the login as JSON", EXAMPLE);
        drained(read_input(world, *config.deadline()));
        let report = Report::new("terraform store is not supported");
        return Err(Error::Final(
            report.hint("skip terraform login: this program supplies the tokens"),
        ));
    }
    let ask = host.to_str().and_then(protocol::parse);
    let rule = rule_of(config, ask.as_ref());
    if kind == Operation::Forget {
        if let Some(rule) = rule {
            forget(world, config, rule)?;
        }
        return Ok(Answer::new(""));
    }
    let login = rule.map(|rule| login(world, config, rule)).transpose()?;
    written(protocol::answer(login.as_ref().map(|(_, token)| token)))
}
