//! Answers kubectl and every client-go program.

use std::ffi::OsString;

use log::LevelFilter;

use super::args::Kubectl;
use super::protocol;
use super::protocol::Version;
use crate::broker::Broker;
use crate::call::request::written;
use crate::call::{Answer, Helper, Settings, World, warn};
use crate::cli::options::Options;
use crate::config::{Asker, Config, Layer};
use crate::error::{Error, Report};
use crate::scope::{Scopes, project_of};
use crate::text::quote::{quoted, word};
use crate::token::Token;
use crate::token::jwt::Jwt;

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
    world: &mut World<'_>,
    config: &Config<'_>,
    version: Option<Version>,
) -> Result<Answer, Error> {
    let info = (world.environment)(protocol::VARIABLE);
    let is_asked = info.is_some();
    let protocol::Request { version, cluster } = match info {
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
        roles,
    } = cluster;
    let asker = Asker {
        rule: None,
        cluster: Layer {
            profile,
            issuer,
            scopes,
            projects: projects.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            ..Layer::default()
        },
    };
    let profile = config.profile_for(&asker);
    let request = config.request(asker)?;
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token_for((world.parent)())?;
    // Clients that pass no request may read stderr as a part of the answer.
    if broker.is_accepted() && (is_asked || log::max_level() >= LevelFilter::Warn) {
        let report = refused_there(&token, &broker.grant().scopes, profile.as_deref());
        warn(world, &report);
    }
    written(protocol::answer(version, &token))
}

/// Returns the report about a token that the issuer accepts, and an API server most
/// likely refused: otherwise the user only sees "Unauthorized".
fn refused_there(token: &Token, scopes: &Scopes, profile: Option<&str>) -> Report {
    let report = Report::new(
        "the same process asks again: if the API server refused the token (401), ZITADEL accepts it",
    );
    let report = if let Some(jwt) = Jwt::parse(token.expose()) {
        let projects = scopes.iter().filter_map(project_of);
        report.found(format!(
            "a JWT for the audience {}; projects in the request: {}",
            listed(&jwt.audience()),
            listed(&projects.map(ToOwned::to_owned).collect::<Vec<_>>())
        ))
    } else {
        let profile = profile.map(|name| format!(" --profile {}", word(name)));
        report
            .found("an opaque token, which an API server that checks tokens itself cannot read")
            .hint(format!(
                "in ZITADEL set the service user's Access Token Type to JWT, then run zitadel-credential whoami --refresh{}",
                profile.unwrap_or_default()
            ))
    };
    report.hint(
        "compare issuer, audience and claims with the API server's configuration, and check that the user has a role: README, kubectl",
    )
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() {
        return "none".to_owned();
    }
    quoted(&texts.join(", "))
}
