//! Answers kubectl and every client-go program.

use std::ffi::OsString;

use super::args::Kubectl;
use super::protocol;
use super::protocol::Version;
use crate::broker::Broker;
use crate::call::request::written;
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::{Asker, Config, Layer};
use crate::error::{Error, Report};

impl Helper for Kubectl {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn from_plain_words(words: &[OsString]) -> Option<Self> {
        words.is_empty().then(|| Self {
            api_version: None,
            options: Options::default(),
        })
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, &settings.config()?, self.api_version)
    }
}

/// Answers with a token for the cluster. There is no host rule: the kubeconfig's entry
/// is the permission.
fn answer(
    world: &World<'_>,
    config: &Config<'_>,
    version: Option<Version>,
) -> Result<Answer, Error> {
    let protocol::Request { version, cluster } = match (world.environment)(protocol::VARIABLE) {
        None => protocol::Request {
            version: version.unwrap_or_default(),
            ..protocol::Request::default()
        },
        Some(info) => {
            let info = info.to_str().unwrap_or_default();
            if info.len() > protocol::LIMIT {
                let what = format!(
                    "{} is larger than {} bytes",
                    protocol::VARIABLE,
                    protocol::LIMIT
                );
                return Err(Error::Usage(Report::new(what).hint(
                    "check the cluster's extension client.authentication.k8s.io/exec in the kubeconfig",
                )));
            }
            protocol::parse(info).map_err(Error::Usage)?
        }
    };
    let protocol::Extension {
        profile,
        issuer,
        scopes,
        projects,
    } = cluster;
    let asker = Asker {
        rule: None,
        cluster: Layer {
            profile,
            issuer,
            scopes,
            projects: projects.unwrap_or_default(),
            ..Layer::default()
        },
    };
    let request = config.request(asker)?;
    let token = Broker::new(&request, world.clock)?.token_for((world.parent)())?;
    written(protocol::answer(version, &token))
}
