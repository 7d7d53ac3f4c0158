//! The surroundings of a call: arguments, environment, clock, streams.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::config::Directories;
use crate::sys::Environment;
use crate::sys::parent::Parent;
use crate::text::clock::Clock;
use crate::text::input::Bounded;
use crate::text::terminal::{Terminal, is_ci};

/// The surroundings of a call. They are arguments, so that tests can replace them.
pub struct World<'a> {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// Looks up an environment variable.
    pub environment: &'a Environment<'a>,
    /// This user's directories.
    pub directories: Directories,
    /// Returns the time.
    pub clock: &'a Clock,
    /// Returns the parent process.
    pub parent: &'a dyn Fn() -> Parent,
    /// Returns the path of this program.
    pub program: &'a dyn Fn() -> io::Result<PathBuf>,
    /// Returns which streams are terminals.
    pub terminal: &'a dyn Fn() -> Terminal,
    /// Shows a question at the terminal, and returns the line that the user types.
    pub ask: &'a dyn Fn(&str) -> io::Result<String>,
    /// The tool's request.
    pub stdin: &'a mut dyn Bounded,
    /// The answer to the tool; written once, when it is complete.
    pub stdout: &'a mut dyn Write,
    /// Errors and log lines for the user.
    pub stderr: &'a mut dyn Write,
}

impl World<'_> {
    /// True if the user can be asked: at a terminal, and not on a build server.
    pub(crate) fn can_ask(&self) -> bool {
        (self.terminal)().is_interactive() && !is_ci(self.environment)
    }
}
