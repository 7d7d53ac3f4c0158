//! Answers pip, uv and other programs that call `keyring`.

use super::args::{Keyring, KeyringCall, KeyringMode, KeyringOutput};
use super::protocol;
use super::protocol::Credential;
use crate::call::login::{forget, login, rule_of};
use crate::call::request::{is_option, unknown, written};
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::{Error, Report};

impl Helper for Keyring {
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

/// Answers `get` and `del`. Without a host rule the answer is empty, with exit code 1.
fn answer(world: &World<'_>, config: &Config<'_>, args: &Keyring) -> Result<Answer, Error> {
    let KeyringCall {
        operation,
        service,
        username,
        mode,
        output,
    } = args.call().map_err(Error::Usage)?;
    let erase = match operation.to_str() {
        Some("get") => false,
        Some("del") => true,
        Some("set") => {
            let report = Report::new("keyring set is not supported");
            return Err(Error::Final(report.hint(
                "use another keyring to store passwords: this one only supplies tokens",
            )));
        }
        _ => return Err(unknown("keyring", operation, "get, set and del")),
    };
    let with_username = mode == KeyringMode::Creds;
    // A word that is not UTF-8 matches no host rule.
    let ask = service.to_str().and_then(|service| {
        let named = username
            .map(|name| name.to_str())
            .map_or(Some(None), |name| name.map(Some))?;
        protocol::parse(service, named)
    });
    let asked = ask.as_ref().and_then(|ask| ask.username.as_deref());
    if username.is_none() && asked.is_none() && (erase || !with_username) {
        let report = Report::new("keyring: missing username after the service");
        return Err(Error::Usage(
            report.hint("add the username, or use get with --mode creds"),
        ));
    }
    let Some(rule) = rule_of(config, ask.as_ref()) else {
        return Ok(Answer::new("").with_code(1));
    };
    if erase {
        forget(world, config, rule)?;
        return Ok(Answer::new(""));
    }
    let (own, token) = login(world, config, rule)?;
    let credential = Credential {
        username: with_username.then_some(asked.unwrap_or(&own)),
        token: &token,
    };
    match output {
        KeyringOutput::Plain => Ok(Answer::new(credential.plain())),
        KeyringOutput::Json => written(credential.json()),
    }
}
