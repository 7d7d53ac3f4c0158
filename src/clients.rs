//! Other tools' own files: where they lie, and where they name us. `setup` writes
//! them and `doctor` looks them over by one reading.

pub(crate) mod cargo;
pub(crate) mod go;
pub(crate) mod terraform;

use std::path::PathBuf;

use crate::issuer::Environment;

/// What a variable names, where it names anything.
fn named(environment: &Environment, variable: &str) -> Option<PathBuf> {
    let value = environment(variable).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}
