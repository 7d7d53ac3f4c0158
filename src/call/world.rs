//! Everything that a call takes from outside.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::config::Directories;
use crate::sys::Environment;
use crate::sys::parent::Parent;
use crate::text::clock::Clock;
use crate::text::input::Bounded;
use crate::text::terminal::Terminal;

/// Everything that a call takes from outside.
pub struct World<'a> {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// Looks up a variable.
    pub environment: &'a Environment,
    /// Where this user's files lie.
    pub directories: Directories,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Tells which process runs this one.
    pub parent: &'a dyn Fn() -> Parent,
    /// Tells where this program lies.
    pub program: &'a dyn Fn() -> io::Result<PathBuf>,
    /// Tells which streams are a terminal.
    pub terminal: &'a dyn Fn() -> Terminal,
    /// Asks the person at the terminal a question: one line.
    pub ask: &'a dyn Fn(&str) -> io::Result<String>,
    /// What the tool says.
    pub stdin: &'a mut dyn Bounded,
    /// What the tool gets: written once, whole, when all is known.
    pub stdout: &'a mut dyn Write,
    /// What a person gets.
    pub stderr: &'a mut dyn Write,
}
