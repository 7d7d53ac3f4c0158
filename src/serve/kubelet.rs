//! The kubelet.

use super::{login, read_question, rule_of, written};
use crate::config::Config;
use crate::error::Error;
use crate::helper::{Login, kubelet};
use crate::{Answer, World};

/// The login for one image's registry.
pub(crate) fn answer(world: &mut World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let question = read_question(world, config, "the kubelet's question", kubelet::parse)?;
    let rule = rule_of(config, question.ask().as_ref());
    let login = rule.map(|rule| login(world, config, rule)).transpose()?;
    let login = login
        .as_ref()
        .map(|(username, token)| Login { username, token });
    written(question.answer(login, (world.clock)()))
}
