//! Refuses keys and tokens in place of a name: names are shown, and written to files
//! that others may read.

use std::ffi::OsStr;

use crate::cli::options::Options;
use crate::edit::setup::{self, Setup};
use crate::error::{Error, Report};
use crate::text::quote;

/// Refuses names that hold a secret.
///
/// # Errors
/// [`Error::Usage`], which does not show it.
pub(super) fn check(options: &Options, asked: &dyn Setup) -> Result<(), Error> {
    let mut names = vec![
        ("--profile", options.profile.as_deref()),
        ("--issuer", options.issuer.as_deref()),
        ("--key-id", options.key_id.as_deref()),
        ("--user-id", options.user_id.as_deref()),
    ];
    names.extend(setup::names("--host", &options.host).map(|(place, name)| (place, Some(name))));
    names.extend(
        asked
            .names()
            .into_iter()
            .map(|(place, name)| (place, Some(name))),
    );
    let is_secret = |name: &OsStr| quote::holds_secret(&name.to_string_lossy());
    match names.iter().find(|(_, name)| name.is_some_and(is_secret)) {
        Some((what, _)) => Err(Error::Usage(
            Report::new(format!("what stands as {what} looks like a key or a token")).hint(
                "use a plain name: this value would be written into files; revoke it if it is a valid secret",
            ),
        )),
        None => Ok(()),
    }
}
