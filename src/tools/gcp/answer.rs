//! Google's clients.

use std::ffi::OsString;

use super::args::Gcp;
use super::protocol;
use super::protocol::Question;
use crate::broker::Broker;
use crate::call::question::written;
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::Options;
use crate::config::{Asker, Config};
use crate::error::Error;
use crate::secret::Secret;
use crate::token_file;

impl Helper for Gcp {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn from_plain_words(words: &[OsString]) -> Option<Self> {
        let options = Options::default();
        words.is_empty().then_some(Self { options })
    }

    /// True at a terminal alone: google-auth for Python reads stderr as a part of
    /// the answer.
    fn logs_at_once(&self, world: &World<'_>) -> bool {
        (world.terminal)().stderr
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        answer(world, settings.config())
    }
}

/// A JWT for a workload or workforce pool. A failure is an answer, too.
///
/// No host is asked for: the credential configuration that names this program is
/// the rule, as a kubeconfig's entry is. Whoever writes one has the client run
/// what they want, and send the token where they want (`token_url`). But they
/// choose no more than that: profile, key and scopes are ours, and the audience
/// that they name is not read. Whom a token is for, its own `aud` says.
fn answer(world: &World<'_>, config: Result<Config<'_>, Error>) -> Result<Answer, Error> {
    let file = protocol::output_file(world.environment);
    if let (Some(file), Ok(config)) = (&file, &config) {
        token_file::refuse_ours(file, config)?;
    }
    let answered = protocol::parse(world.environment)
        .map_err(Error::Usage)
        .and_then(|question| answer_to(world, &config?, question));
    let answer = answered.or_else(|error| written(protocol::failure(&error)))?;
    match file {
        Some(file) => {
            let text = Secret::new(answer.text.to_string());
            let named = |report: crate::error::Report| {
                report.hint("see output_file in the credential configuration")
            };
            token_file::write(&file, &text).map_err(|error| error.map(named))?;
            Ok(Answer::new(""))
        }
        None => Ok(answer),
    }
}

fn answer_to(world: &World<'_>, config: &Config<'_>, question: Question) -> Result<Answer, Error> {
    let mut request = config.request(Asker::default())?;
    // google-auth for Python reads stderr and stdout as one.
    request.key.is_silent = true;
    let broker = Broker::new(&request, world.clock)?;
    written(match question {
        Question::Token(token_type) => protocol::token(token_type, &broker.jwt()?),
        Question::Revoke => {
            broker.forget(None);
            protocol::revoked()
        }
    })
}
