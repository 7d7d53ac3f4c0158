//! Google's clients.

use super::written;
use crate::broker::Broker;
use crate::config::{Asker, Config};
use crate::error::Error;
use crate::helper::gcp::{self, Question};
use crate::secret::Secret;
use crate::{Answer, World, token_file};

/// A JWT for a workload or workforce pool. A failure is an answer, too.
///
/// No host is asked for: the credential configuration that names this program is
/// the rule, as a kubeconfig's entry is. Whoever writes one has the client run
/// what they want, and send the token where they want (`token_url`). But they
/// choose no more than that: profile, key and scopes are ours, and the audience
/// that they name is not read. Whom a token is for, its own `aud` says.
pub(crate) fn answer(
    world: &World<'_>,
    config: Result<Config<'_>, Error>,
) -> Result<Answer, Error> {
    let file = gcp::output_file(world.environment);
    if let (Some(file), Ok(config)) = (&file, &config) {
        token_file::refuse_ours(file, config)?;
    }
    let answered = gcp::parse(world.environment)
        .map_err(Error::Usage)
        .and_then(|question| answer_to(world, &config?, question));
    let answer = answered.or_else(|error| written(gcp::failure(&error)))?;
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
        Question::Token(token_type) => gcp::token(token_type, &broker.jwt()?),
        Question::Revoke => {
            broker.forget(None);
            gcp::revoked()
        }
    })
}
