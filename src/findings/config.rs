//! The findings of doctor and `config check` about the config file.

use crate::config::Config;
use crate::findings::{Check, ok, warning};
use crate::sys::status::Status;
use crate::text::quote;

/// Reports that the config file was read.
pub(crate) fn file(config: &Config<'_>) -> Check {
    let Some(path) = config.path() else {
        return ok(
            "config",
            "no config file, because the home directory is unknown or /dev/null is given: only flags and environment apply",
        );
    };
    let shown = quote::path(path);
    let Ok(status) = Status::of(path) else {
        return ok(
            "config",
            format!("no config file {shown}: only flags and environment apply"),
        );
    };
    if status.is_writable_by_others() {
        return warning(
            "config",
            format!("{shown}: writable by other users ({})", status.shown_mode()),
            format!("chmod go-w {}", quote::word(path)),
        );
    }
    let rules = config.rules().iter().count();
    ok(
        "config",
        format!(
            "{shown}: profiles: {}, host rules: {rules}",
            config.profile_names().count()
        ),
    )
}
