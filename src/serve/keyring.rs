//! pip, uv and others that look for keyring.

use super::{forget, login, rule_of, unknown, written};
use crate::cli::{self, KeyringCall, KeyringMode, KeyringOutput};
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
    let KeyringCall {
        operation,
        service,
        username,
        mode,
        output,
    } = asked.call().map_err(Error::Usage)?;
    let erase = match operation.to_str() {
        Some("get") => false,
        Some("del") => true,
        Some("set") => {
            let report = Report::new("keyring set: no password is kept here");
            return Err(Error::Final(report.hint(
                "tokens are fetched when they are asked for; another keyring keeps passwords",
            )));
        }
        _ => return Err(unknown("keyring", operation, "get, set and del")),
    };
    let with_username = mode == KeyringMode::Creds;
    if username.is_none() && (erase || !with_username) {
        let report = Report::new("keyring: no username stands after the service");
        return Err(Error::Usage(
            report.hint("get can do without it in --mode creds"),
        ));
    }
    // What is no text names nobody.
    let service = service.to_str().unwrap_or_default();
    let username = username.map(|name| name.to_str().unwrap_or_default());
    let ask = keyring::parse(service, username);
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
    match output {
        KeyringOutput::Plain => Ok(Answer::new(credential.plain())),
        KeyringOutput::Json => written(credential.json()),
    }
}
