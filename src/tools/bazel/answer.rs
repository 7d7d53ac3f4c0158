//! Answers Bazel.

use std::ffi::OsStr;

use super::args::Bazel;
use super::protocol;
use crate::call::login::{login, rule_of};
use crate::call::request::{read_request, unknown, written};
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::Error;

impl Helper for Bazel {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?, &self.operation)
    }
}

const EXAMPLE: &str = r#"echo '{"uri":"https://files.acme.dev/x"}' | zitadel-credential bazel get"#;

/// Answers with the headers for one request.
fn answer(world: &mut World<'_>, config: &Config<'_>, operation: &OsStr) -> Result<Answer, Error> {
    if operation != "get" {
        return Err(unknown("bazel", operation, "get"));
    }
    let ask = read_request(world, config, "Bazel's request", EXAMPLE, protocol::parse)?;
    let token = match rule_of(config, ask.as_ref()) {
        Some(rule) => Some(login(world, config, rule)?.1),
        None => None,
    };
    written(protocol::answer(token.as_ref()))
}
