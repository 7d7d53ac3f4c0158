//! One call of a tool's helper.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;

use super::answer::Answer;
use super::world::World;
use crate::cli::options::Options;
use crate::config::{Config, Directories};
use crate::error::Error;
use crate::sys::Environment;

/// A tool's question on the command line. Each tool's arguments implement it.
pub(crate) trait Helper: Any + fmt::Debug {
    /// The options that stand after the command.
    fn options(&mut self) -> &mut Options;

    /// Reads the words that the tool itself passes, without the command line
    /// parser. `None` if they need it.
    fn from_plain_words(words: &[OsString]) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = words;
        None
    }

    /// True if these arguments, read without the other commands, mean the same
    /// on the whole command line.
    fn is_unambiguous(&self) -> bool {
        true
    }

    /// True if what is logged from the start reaches a person.
    fn logs_at_once(&self, world: &World<'_>) -> bool {
        let _ = world;
        true
    }

    /// Answers a question that needs no configuration, even a broken one.
    fn answer_without_config(&self, world: &mut World<'_>, options: &Options) -> Option<Answer> {
        let _ = (world, options);
        None
    }

    /// Answers the tool.
    ///
    /// # Errors
    /// The reason why there is no answer.
    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error>;
}

/// Where a call's configuration comes from.
pub(crate) struct Settings<'a> {
    /// The command line's options.
    pub(crate) options: &'a Options,
    /// Looks up a variable.
    pub(crate) environment: &'a Environment,
    /// Where this user's files lie.
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
