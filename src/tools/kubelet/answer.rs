//! Answers the kubelet.

use super::args::Kubelet;
use super::protocol;
use crate::call::login::{login, rule_of};
use crate::call::request::{read_request, written};
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::Error;
use crate::token::Login;

impl Helper for Kubelet {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?)
    }
}

const EXAMPLE: &str = r#"echo '{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"registry.acme.dev/app"}' | zitadel-credential kubelet"#;

/// Answers with the credentials for an image's registry.
fn answer(world: &mut World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let request = read_request(
        world,
        config,
        "the kubelet's request",
        EXAMPLE,
        protocol::parse,
    )?;
    let rule = rule_of(config, request.ask().as_ref());
    let login = rule.map(|rule| login(world, config, rule)).transpose()?;
    let login = login
        .as_ref()
        .map(|(username, token)| Login { username, token });
    written(request.answer(login, (world.clock)()))
}
