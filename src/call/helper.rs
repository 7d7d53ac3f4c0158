//! One call of a tool's helper.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;

use log::LevelFilter;

use super::answer::Answer;
use super::world::World;
use crate::cli::options::Options;
use crate::config::{Config, Directories};
use crate::error::Error;
use crate::sys::Environment;

/// The arguments of a tool's call. Each tool implements the trait.
pub(crate) trait Helper: Any + fmt::Debug {
    /// Returns the options after the command.
    fn options(&mut self) -> &mut Options;

    /// Reads the arguments that the tool itself passes, without the command line
    /// parser. `None` if they need the parser.
    fn from_plain_words(words: &[OsString]) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = words;
        None
    }

    /// True if these arguments have the same meaning whether they are parsed alone
    /// or as part of the whole command line.
    fn is_unambiguous(&self) -> bool {
        true
    }

    /// True if logging may start before the configuration is read.
    fn logs_at_once(&self, world: &World<'_>) -> bool {
        let _ = world;
        true
    }

    /// Answers a request that needs no configuration; `None` if it needs one.
    fn answer_without_config(&self, world: &mut World<'_>, options: &Options) -> Option<Answer> {
        let _ = (world, options);
        None
    }

    /// Answers the tool's request.
    ///
    /// # Errors
    /// There is no answer; the tool gets exit code and stderr.
    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error>;
}

/// Returns a helper's usual log level. Warnings are only for a user at a terminal: some
/// tools read stderr as a part of the answer, or show it as an error.
pub(crate) fn usual_level(world: &World<'_>) -> LevelFilter {
    if (world.terminal)().stderr {
        LevelFilter::Warn
    } else {
        LevelFilter::Error
    }
}

/// The sources of a call's configuration.
pub(crate) struct Settings<'a> {
    /// The command line's options.
    pub(crate) options: &'a Options,
    /// Looks up an environment variable.
    pub(crate) environment: &'a Environment<'a>,
    /// This user's directories.
    pub(crate) directories: &'a Directories,
}

impl<'a> Settings<'a> {
    /// Loads the configuration.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn config(&self) -> Result<Config<'a>, Error> {
        Config::load(self.options, self.environment, self.directories)
    }
}
