//! The environment, passed in as an argument.

use std::ffi::OsString;
use std::path::PathBuf;

/// Looks up one environment variable.
pub type Environment<'e> = dyn Fn(&str) -> Option<OsString> + 'e;

/// Returns the path in a variable; `None` if it is unset or empty.
pub(crate) fn named(environment: &Environment, variable: &str) -> Option<PathBuf> {
    let value = environment(variable).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}
