//! What the setup of a tool, or of a profile, is.

use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::Args;

use super::desk::{After, Desk};
use crate::call::World;
use crate::cli::options::Options;
use crate::error::Error;

// How a setup is gone about.
#[derive(Args, Clone, Copy, Debug)]
pub struct Mode {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take out what this setup put in, and nothing else
    #[arg(long)]
    pub undo: bool,
}

/// The arguments of a setup.
pub(crate) trait Setup: fmt::Debug {
    /// The options that stand after it.
    fn options(&mut self) -> &mut Options;

    /// What is to be done.
    fn mode(&self) -> Mode;

    /// The names among the arguments, which are written into files and shown.
    fn names(&self) -> Vec<(&'static str, &OsStr)>;

    /// Asks a person for what is missing in the options.
    ///
    /// # Errors
    /// Something is missing, and nobody can be asked.
    fn complete(
        &self,
        world: &World<'_>,
        desk: &Desk<'_>,
        options: &mut Options,
    ) -> Result<(), Error> {
        let _ = (world, desk, options);
        Ok(())
    }

    /// Does what takes time, before a file is locked; returns what there is to
    /// tell. The desk is another than the one of [`Setup::apply`].
    ///
    /// # Errors
    /// The setup cannot work.
    fn look_ahead(&self, world: &World<'_>, desk: &mut Desk<'_>) -> Result<Vec<String>, Error> {
        let _ = (world, desk);
        Ok(Vec::new())
    }

    /// Plans the changes.
    ///
    /// # Errors
    /// Something stands in the way.
    fn apply<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error>;

    /// Plans the way back.
    ///
    /// # Errors
    /// A file has no longer the form for it.
    fn undo<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error>;
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
    /// Hosts, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    #[command(flatten)]
    pub mode: Mode,
    #[command(flatten, next_help_heading = crate::cli::options::EVERY)]
    pub options: Options,
}
