//! The trait that the setup of a tool, or of a profile, implements.

use std::ffi::OsStr;
use std::fmt;

use clap::Args;

use super::plan::{Mode, Plan};
use crate::call::World;
use crate::cli::options::{EVERY, Options};
use crate::config::Config;
use crate::error::Error;

// The options that every setup takes after its own.
#[derive(Args, Debug)]
pub(crate) struct SetupOptions {
    #[command(flatten)]
    pub(crate) mode: Mode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

impl SetupOptions {
    /// Returns these options, completed from `before`.
    pub(crate) fn over(self, before: Self) -> Self {
        Self {
            mode: Mode {
                dry_run: self.mode.dry_run || before.mode.dry_run,
                undo: self.mode.undo || before.mode.undo,
                no_try: self.mode.no_try || before.mode.no_try,
            },
            options: self.options.over(before.options),
        }
    }
}

/// A name in the arguments, with its place there.
pub(crate) type Name<'n> = (&'static str, &'n OsStr);

/// The arguments of a setup.
pub(crate) trait Setup: fmt::Debug {
    /// Returns the arguments for the undo of a setup by its name in `setup.json`: the host,
    /// the user or the profile.
    fn of_name(name: &str) -> Self
    where
        Self: Sized;

    /// Returns the names in the arguments, which are written to files and shown.
    fn names(&self) -> Vec<Name<'_>>;

    /// Asks the user for missing options.
    ///
    /// # Errors
    /// An option is missing, and no user can be asked.
    fn complete(
        &self,
        world: &World<'_>,
        config: &Config<'_>,
        options: &mut Options,
    ) -> Result<(), Error> {
        let _ = (world, config, options);
        Ok(())
    }

    /// Plans the changes.
    ///
    /// # Errors
    /// A change is impossible.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error>;

    /// Tests the plan before it is written: gets a token. Returns lines to show.
    ///
    /// # Errors
    /// The setup would not work.
    fn prove(&self, world: &World<'_>, plan: &Plan<'_>) -> Result<Vec<String>, Error> {
        let _ = (world, plan);
        Ok(Vec::new())
    }

    /// Asks the user again, after the test of the plan failed.
    ///
    /// # Errors
    /// No user was asked: the error itself.
    fn ask_again(
        &self,
        world: &World<'_>,
        error: Error,
        options: &mut Options,
    ) -> Result<(), Error> {
        let _ = (world, options);
        Err(error)
    }

    /// Tests the plan of a dry run, and leaves no files behind. Returns lines to show.
    fn preview(&self, world: &World<'_>, plan: &Plan<'_>) -> Vec<String> {
        let _ = (world, plan);
        Vec::new()
    }

    /// Plans the undo.
    ///
    /// # Errors
    /// A file can no longer be edited.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error>;
}

/// Pairs words with their place in the arguments.
pub(crate) fn named<'n, W: AsRef<OsStr> + 'n>(
    place: &'static str,
    words: impl IntoIterator<Item = &'n W>,
) -> Vec<Name<'n>> {
    let words = words.into_iter();
    words.map(|word| (place, word.as_ref())).collect()
}
