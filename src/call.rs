//! What every command takes from outside, and what it gives back.

mod helper;
pub(crate) mod login;
pub(crate) mod question;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

pub(crate) use helper::{Helper, Settings};
use zeroize::Zeroizing;

use crate::cache::parents::Parent;
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::sys::Environment;
use crate::text::clock::Clock;
use crate::text::input::Bounded;
use crate::text::quote::system;
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

/// The answer of a command.
pub(crate) struct Answer {
    /// The text for stdout.
    pub(crate) text: Zeroizing<String>,
    /// The exit code.
    pub(crate) code: u8,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            code: 0,
        }
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Writes an answer, whole. Returns false if the reader has gone.
///
/// # Errors
/// [`Error::Final`]: the system's own reason.
pub(crate) fn hand_over(world: &mut World<'_>, answer: &Answer) -> Result<bool, Error> {
    let stdout = &mut world.stdout;
    let written = stdout
        .write_all(answer.text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let what = format!("the answer could not be written: {}", system(&error));
            Err(Error::Final(Report::new(what)))
        }
    }
}

/// Writes an error for a person.
pub(crate) fn report(world: &mut World<'_>, error: &Error) {
    // A closed stderr has no reader to tell.
    let _ = writeln!(world.stderr, "zitadel-credential: error: {error}");
}
