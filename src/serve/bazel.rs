//! Bazel.

use super::{login, read_question, rule_of, unknown, written};
use crate::config::Config;
use crate::error::Error;
use crate::helper::bazel;
use crate::{Answer, World, cli};

/// The headers for one request.
pub(crate) fn answer(
    world: &mut World<'_>,
    config: &Config<'_>,
    asked: &cli::Bazel,
) -> Result<Answer, Error> {
    if asked.operation != "get" {
        return Err(unknown("bazel", &asked.operation, "get"));
    }
    let ask = read_question(world, config, "Bazel's question", bazel::parse)?;
    let token = match rule_of(config, ask.as_ref()) {
        Some(rule) => Some(login(world, config, rule)?.1),
        None => None,
    };
    written(bazel::answer(token.as_ref()))
}
