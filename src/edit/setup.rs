//! What the setup of a tool, or of a profile, implements.

use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::Args;

use super::plan::{After, Mode, Plan};
use crate::call::World;
use crate::cli::options::Options;
use crate::error::Error;

/// The arguments of a setup.
pub(crate) trait Setup: fmt::Debug {
    /// Returns the options that stand after it.
    fn options(&mut self) -> &mut Options;

    /// Returns what is to be done.
    fn mode(&self) -> Mode;

    /// Returns the names among the arguments, which are written into files and shown.
    fn names(&self) -> Vec<(&'static str, &OsStr)>;

    /// Asks the person for what is missing in the options.
    ///
    /// # Errors
    /// Something is missing, and nobody can be asked.
    fn complete(
        &self,
        world: &World<'_>,
        plan: &Plan<'_>,
        options: &mut Options,
    ) -> Result<(), Error> {
        let _ = (world, plan, options);
        Ok(())
    }

    /// Does what takes time, before a file is locked. Returns lines to show. The plan
    /// is another than that of [`Setup::apply`].
    ///
    /// # Errors
    /// The setup cannot work.
    fn look_ahead(&self, world: &World<'_>, plan: &mut Plan<'_>) -> Result<Vec<String>, Error> {
        let _ = (world, plan);
        Ok(Vec::new())
    }

    /// Plans the changes.
    ///
    /// # Errors
    /// Something stands in the way.
    fn apply<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error>;

    /// Plans the undo.
    ///
    /// # Errors
    /// A file can no longer be edited.
    fn undo<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error>;
}

/// Pairs each word with the name of its place.
pub(crate) fn names<'n>(
    place: &'static str,
    words: &'n [OsString],
) -> impl Iterator<Item = (&'static str, &'n OsStr)> {
    words.iter().map(move |word| (place, word.as_os_str()))
}

// The arguments of a setup that names hosts alone.
#[derive(Args, Debug)]
pub struct HostsArgs {
    /// Hosts: host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    #[command(flatten)]
    pub mode: Mode,
    #[command(flatten, next_help_heading = crate::cli::options::EVERY)]
    pub options: Options,
}
