//! kubectl and every client-go program.

use super::written;
use crate::broker::Broker;
use crate::config::{Asker, Config, Layer};
use crate::error::{Error, Report};
use crate::helper::kubectl;
use crate::{Answer, World, input};

/// A token for the cluster: the kubeconfig's entry is the rule.
pub(crate) fn answer(world: &World<'_>, config: &Config<'_>) -> Result<Answer, Error> {
    let question = match (world.environment)(kubectl::VARIABLE) {
        None => kubectl::Question::default(),
        Some(info) => {
            let info = info.to_str().unwrap_or_default();
            if info.len() > input::LIMIT {
                let what = format!(
                    "{} is larger than {} bytes",
                    kubectl::VARIABLE,
                    input::LIMIT
                );
                return Err(Error::Usage(Report::new(what).hint(
                    "see the cluster's extension client.authentication.k8s.io/exec in the kubeconfig",
                )));
            }
            kubectl::parse(info).map_err(Error::Usage)?
        }
    };
    let kubectl::Extension {
        profile,
        issuer,
        scopes,
        projects,
    } = question.cluster;
    let asker = Asker {
        rule: None,
        cluster: Layer {
            profile,
            issuer,
            scopes,
            projects,
            ..Layer::default()
        },
    };
    let request = config.request(asker)?;
    let token = Broker::new(&request, world.clock)?.token_for((world.parent)())?;
    written(kubectl::answer(question.version, &token))
}
