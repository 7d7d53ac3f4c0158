//! The shared cache of a profile: `[profiles.NAME.shared]`.

use std::path::Path;

use super::file::{OnFailureWord, Profile, Shared};
use super::value::{check_path, located, usage};
use crate::cache::shared::address::Address;
use crate::cache::shared::{OnFailure, Password, Settings};
use crate::error::Error;
use crate::text::quote::{quoted, redacted};
use crate::text::span::span;

/// Length limit of a user name or pool, in bytes.
const LONGEST: usize = 128;

/// Returns the settings of a profile's table, whose relative paths start at the config
/// file's directory.
pub(super) fn of_profile(
    profile: &Profile,
    dir: &Path,
    home: Option<&Path>,
) -> Result<Option<Settings>, Error> {
    let Some(shared) = &profile.shared else {
        return Ok(None);
    };
    if profile.self_signed || profile.token_file.is_some() {
        return Err(usage(
            "shared is set for a profile whose tokens need no request".to_owned(),
            "remove the table shared, or the token-file or self-signed beside it",
        ));
    }
    let Shared {
        url,
        username,
        password_file,
        ca_file,
        pool,
        seal_key_file,
        on_failure,
        max_age,
    } = shared;
    let address = Address::parse(url).map_err(|objection| {
        let (what, hint) = objection.explain();
        usage(format!("invalid url of the shared cache: {what}"), hint)
    })?;
    let path = |setting: &str, text: &Option<String>| {
        let path = text.as_ref().map(|text| {
            check_path(setting, text.as_ref())?;
            located(setting, text.as_ref(), dir, home)
        });
        path.transpose()
    };
    let max_age = max_age.as_deref().map(|text| {
        span(text).map_err(|what| {
            let shown = quoted(&redacted(text));
            usage(format!("invalid max-age: \"{shown}\""), &what)
        })
    });
    let password_file = path("password-file", password_file)?;
    Ok(Some(Settings {
        address,
        username: name_of("username", username.as_ref())?,
        password: password_file.map(Password::File),
        ca_file: path("ca-file", ca_file)?,
        pool: name_of("pool", pool.as_ref())?.unwrap_or_default(),
        seal_key_file: path("seal-key-file", seal_key_file)?,
        on_failure: match on_failure {
            OnFailureWord::Mint => OnFailure::Mint,
            OnFailureWord::Fail => OnFailure::Fail,
        },
        max_age: max_age.transpose()?,
    }))
}

fn name_of(setting: &str, text: Option<&String>) -> Result<Option<String>, Error> {
    let is_plain = |text: &&String| {
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match text {
        Some(text) if !is_plain(&text) => Err(usage(
            format!("invalid {setting} of the shared cache"),
            "write 1 to 128 ASCII characters without spaces",
        )),
        text => Ok(text.cloned()),
    }
}
