//! pip, uv and others that look for keyring.

use super::{forget, login, rule_of, unknown, written};
use crate::cli::{self, KeyringMode, KeyringOutput};
use crate::config::Config;
use crate::error::{Error, Report};
use crate::helper::keyring::{self, Credential};
use crate::{Answer, World};

/// keyring's `get` and `del`. Who has no rule hears nothing, and exit 1.
pub(crate) fn answer(
    world: &World<'_>,
    config: &Config<'_>,
    asked: &cli::Keyring,
) -> Result<Answer, Error> {
    let erase = match asked.operation.to_str() {
        Some("get") => false,
        Some("del") => true,
        Some("set") => {
            let report = Report::new("keyring set: no password is kept here");
            return Err(Error::Final(report.hint(
                "tokens are fetched when they are asked for; another keyring keeps passwords",
            )));
        }
        _ => return Err(unknown("keyring", &asked.operation, "get, set and del")),
    };
    let with_username = asked.mode == KeyringMode::Creds;
    if asked.username.is_none() && (erase || !with_username) {
        let report = Report::new("keyring: no username stands after the service");
        return Err(Error::Usage(
            report.hint("get can do without it in --mode creds"),
        ));
    }
    let username = asked.username.as_deref();
    let ask = keyring::parse(&asked.service, username);
    let Some(rule) = rule_of(config, ask.as_ref()) else {
        return Ok(Answer::new("").with_code(1));
    };
    if erase {
        forget(world, config, rule, None)?;
        return Ok(Answer::new(""));
    }
    let (own, token) = login(world, config, rule)?;
    let credential = Credential {
        username: with_username.then_some(username.unwrap_or(&own)),
        token: &token,
    };
    match asked.output {
        KeyringOutput::Plain => Ok(Answer::new(credential.plain())),
        KeyringOutput::Json => written(credential.json()),
    }
}
