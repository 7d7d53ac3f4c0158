//! The lines of a profile, from flags and environment.

use std::path::Path;

use crate::config::Layer;
use crate::edit::toml::{list, string};
use crate::error::{Error, Report};
use crate::sys;
use crate::text::quote;

/// Returns the given settings as the profile's lines.
///
/// # Errors
/// A path is not UTF-8, or the key is in the environment.
pub(super) fn values(given: &Layer) -> Result<Vec<(&'static str, String)>, Error> {
    let mut values = Vec::new();
    let mut add = |key, value: Option<String>| values.extend(value.map(|value| (key, value)));
    add("issuer", given.issuer.as_deref().map(string));
    if let Some((name, path)) = file(given)? {
        add(name, Some(string(&path)));
    }
    add("client-id", given.client_id.as_deref().map(string));
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

/// Returns the profile's key for the source's file, and the path.
fn file(given: &Layer) -> Result<Option<(&'static str, String)>, Error> {
    let Some(source) = &given.source else {
        return Ok(None);
    };
    if let Some(path) = source.file() {
        return Ok(Some((source.name(), absolute(path)?)));
    }
    let (what, option) = match source.name() {
        "client-secret" => (
            "a profile cannot contain the secret of ZITADEL_CREDENTIAL_CLIENT_SECRET",
            "--client-secret-file",
        ),
        _ => (
            "a profile cannot contain the key of ZITADEL_CREDENTIAL_KEY",
            "--key-file",
        ),
    };
    let report = Report::new(what);
    Err(Error::Usage(report.hint(format!(
        "save it to a file for {option}, or use the variable without a profile"
    ))))
}

fn absolute(path: &Path) -> Result<String, Error> {
    let absolute = sys::absolute::absolute(path).ok();
    let text = absolute.as_deref().and_then(Path::to_str);
    text.map(ToOwned::to_owned).ok_or_else(|| {
        let what = format!(
            "{} is not UTF-8, which the config file requires",
            quote::path(path)
        );
        Error::Usage(Report::new(what).hint("it must be UTF-8"))
    })
}
