//! The lines of a profile, from flags and environment.

use std::path::Path;

use crate::config::Layer;
use crate::edit::toml::{list, string};
use crate::error::{Error, Report};
use crate::source::key::spec::KeySource;
use crate::sys;
use crate::text::quote;

/// Returns what was given, as the profile's lines.
///
/// # Errors
/// A path is not UTF-8, or the key is in the environment.
pub(super) fn values(given: &Layer) -> Result<Vec<(&'static str, String)>, Error> {
    let mut values = Vec::new();
    let mut add = |key, value: Option<String>| values.extend(value.map(|value| (key, value)));
    add("issuer", given.issuer.as_deref().map(string));
    add("key-file", key_file(given)?.as_deref().map(string));
    add("key-id", given.key_id.as_deref().map(string));
    add("user-id", given.user_id.as_deref().map(string));
    add("scopes", given.scopes.as_deref().map(list));
    add(
        "projects",
        Some(&given.projects[..])
            .filter(|p| !p.is_empty())
            .map(list),
    );
    add("roles", given.roles.then(|| "true".to_owned()));
    add("zitadel-api", given.zitadel_api.then(|| "true".to_owned()));
    let ca_file = given.ca_file.as_deref().map(absolute).transpose()?;
    add("ca-file", ca_file.as_deref().map(string));
    Ok(values)
}

fn key_file(given: &Layer) -> Result<Option<String>, Error> {
    match &given.key_source {
        None => Ok(None),
        Some(KeySource::File(path)) => absolute(path).map(Some),
        Some(KeySource::Environment(_) | KeySource::Command(_)) => Err(Error::Usage(
            Report::new("the key is in ZITADEL_CREDENTIAL_KEY, and a config file holds no key")
                .hint("--key-file names the file that holds it; with the variable alone no profile is needed"),
        )),
    }
}

fn absolute(path: &Path) -> Result<String, Error> {
    let absolute = sys::absolute(path).ok();
    let text = absolute.as_deref().and_then(Path::to_str);
    text.map(ToOwned::to_owned).ok_or_else(|| {
        let what = format!(
            "{} is not UTF-8, which the config file requires",
            quote::path(path)
        );
        Error::Usage(Report::new(what).hint("it must be UTF-8"))
    })
}
