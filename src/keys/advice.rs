//! Advice about settings that still name a replaced key.

use super::place::Place;
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::Error;
use crate::grant::KeyId;

/// Returns the line about the setting that names the old key.
///
/// # Errors
/// The profile is invalid.
pub(super) fn of_key_id(
    config: &Config<'_>,
    options: &Options,
    id: &KeyId,
    place: &Place,
) -> Result<String, Error> {
    let all = config.shown(options)?;
    let setting = all.iter().find(|setting| setting.name == "key-id");
    Ok(setting.map_or_else(String::new, |setting| {
        format!(
            "{}: remove key-id, or change it to \"{}\": {} contains the key ID now\n",
            setting.source,
            id.as_str(),
            place.shown()
        )
    }))
}
