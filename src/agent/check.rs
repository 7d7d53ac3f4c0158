//! `agent --check`: reports whether token files are valid, for a container's probe.

use std::path::PathBuf;

use crate::call::{Answer, World};
use crate::error::Error;
use crate::text::quote;
use crate::token_file::note;

/// Checks each file by the note beside it. Reads neither configuration nor key, and makes
/// no request.
pub(crate) fn check(world: &World<'_>, files: &[PathBuf]) -> Result<Answer, Error> {
    for path in files {
        let path = world.directories.located("--check", path)?;
        let shown = quote::path(&path);
        match note::check(&path, (world.clock)())? {
            Some(expiry) => log::info!("{shown}: the token is valid until {expiry}"),
            None => log::info!("{shown}: the token has no known expiry"),
        }
    }
    Ok(Answer::new(""))
}
