//! Refuses keys and tokens in place of a name: names are shown, and written to files
//! that others may read.

use crate::cli::options::Options;
use crate::edit::setup::{Setup, named};
use crate::error::{Error, Report};
use crate::text::quote;

/// Refuses names that contain a secret.
///
/// # Errors
/// [`Error::Usage`], which does not show it.
pub(super) fn check(options: &Options, asked: &dyn Setup) -> Result<(), Error> {
    let of_options = [
        named("--profile", &options.profile),
        named("--issuer", &options.issuer),
        named("--key-id", &options.key_id),
        named("--user-id", &options.user_id),
        named("--client-id", &options.client_id),
        named("--project", &options.project),
        named("--scope", &options.scope),
        named("--host", &options.host),
    ];
    let mut names = of_options.into_iter().flatten().chain(asked.names());
    match names.find(|(_, name)| quote::holds_secret(&name.to_string_lossy())) {
        Some((place, _)) => Err(Error::Usage(
            Report::new(format!("the value of {place} looks like a key or a token")).hint(
                "use a plain name, as it is written to files; if this value is a valid secret, revoke it",
            ),
        )),
        None => Ok(()),
    }
}
