//! What differs by operating system: files' owners and modes, links, locks,
//! child processes, signals. One face for all of them.

pub mod limit;
pub mod process;
pub mod temporary;

use std::ffi::OsString;
use std::path::PathBuf;

/// Looks up one environment variable.
pub type Environment = dyn Fn(&str) -> Option<OsString>;

/// Returns the path in a variable; `None` if it is unset or empty.
pub(crate) fn named(environment: &Environment, variable: &str) -> Option<PathBuf> {
    let value = environment(variable).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}
