//! Terraform.

use super::{drained, forget, login, read_input, rule_of, unknown, written};
use crate::cli;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::helper::terraform::{self, Operation};
use crate::{Answer, World};

/// The token for one host, or what else Terraform wants done with it.
pub(crate) fn answer(
    world: &mut World<'_>,
    config: &Config<'_>,
    asked: &cli::Terraform,
) -> Result<Answer, Error> {
    let [operation, host] = asked.call().map_err(Error::Usage)?;
    let Some(wanted) = operation.to_str().and_then(Operation::parse) else {
        return Err(unknown("terraform", operation, "get, store and forget"));
    };
    if wanted == Operation::Store {
        drained(read_input(world, *config.deadline()));
        let report = Report::new("terraform store: no token is kept here");
        return Err(Error::Final(report.hint(
            "tokens are fetched when they are asked for: there is no need of terraform login",
        )));
    }
    let ask = host.to_str().and_then(terraform::parse);
    let rule = rule_of(config, ask.as_ref());
    if wanted == Operation::Forget {
        if let Some(rule) = rule {
            forget(world, config, rule, None)?;
        }
        return Ok(Answer::new(""));
    }
    let login = rule.map(|rule| login(world, config, rule)).transpose()?;
    written(terraform::answer(login.as_ref().map(|(_, token)| token)))
}
