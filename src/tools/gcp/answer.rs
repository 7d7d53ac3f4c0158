//! Answers Google's clients.

use std::ffi::OsString;

use super::args::Gcp;
use super::protocol;
use super::protocol::Request;
use crate::broker::Broker;
use crate::call::request::written;
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::access::Access;
use crate::token_file;

impl Helper for Gcp {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn from_plain_words(words: &[OsString]) -> Option<Self> {
        let options = Options::default();
        words.is_empty().then_some(Self { options })
    }

    /// True only at a terminal: google-auth for Python reads stderr as part of the
    /// answer.
    fn logs_at_once(&self, world: &World<'_>) -> bool {
        (world.terminal)().stderr
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, settings.config())
    }
}

/// Answers with a JWT for a workload or workforce identity pool, or with an error in
/// JSON.
///
/// There is no host and so no host rule: like an entry in a kubeconfig, the credential
/// configuration that names this program is the permission. Its author already decides
/// which program the client runs and where it sends the token (`token_url`). Profile,
/// key and scopes come only from this program's configuration. The requested audience
/// is ignored: the token's `aud` decides where it is valid.
fn answer(world: &World<'_>, config: Result<Config<'_>, Error>) -> Result<Answer, Error> {
    let file = protocol::output_file(world.environment);
    if file.as_ref().is_some_and(|file| file.starts_with("~")) {
        let what = "output_file begins with ~, which Google's clients do not expand";
        return Err(Error::Usage(
            Report::new(what).hint("write the whole path in the credential configuration"),
        ));
    }
    if let (Some(file), Ok(config)) = (&file, &config) {
        token_file::refuse_ours(file, config, "the token")?;
    }
    let answered = protocol::parse(world.environment)
        .map_err(Error::Usage)
        .and_then(|request| answer_to(world, &config?, request));
    let answer = answered.or_else(|error| written(protocol::failure(&error)))?;
    match file {
        Some(file) => {
            let text = Secret::new(answer.text);
            let named =
                |report: Report| report.hint("check output_file in the credential configuration");
            token_file::write(&file, &text, &Access::PRIVATE, (world.clock)())
                .map_err(|error| error.map(named))?;
            Ok(Answer::new(""))
        }
        None => Ok(answer),
    }
}

fn answer_to(world: &World<'_>, config: &Config<'_>, kind: Request) -> Result<Answer, Error> {
    let mut request = config.request(Asker::default())?;
    // google-auth for Python reads stderr and stdout as one stream.
    request.source.silence();
    let broker = Broker::new(&request, world.clock)?;
    written(match kind {
        Request::Token(token_type) => protocol::token(token_type, &broker.jwt()?),
        Request::Revoke => {
            broker.forget(None);
            protocol::revoked()
        }
    })
}
