//! The output of a command.

use std::{fmt, io};

use log::Level;

use super::world::World;
use crate::error::{Error, Report};
use crate::text::logger;
use crate::text::quote::system;
use crate::text::wrap::wrapped;

/// A command's output and exit code.
pub(crate) struct Answer {
    /// The text for stdout.
    pub(crate) text: String,
    /// The exit code.
    pub(crate) code: u8,
    /// An additional error, for stderr.
    pub(crate) error: Option<Error>,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: 0,
            error: None,
        }
    }

    /// Returns the answer with an error, whose exit code it takes.
    pub(crate) fn with_error(self, error: Error) -> Self {
        Self {
            code: error.exit_code(),
            error: Some(error),
            ..self
        }
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Writes the answer to stdout. Returns false if the reader has closed the pipe.
///
/// # Errors
/// [`Error::Final`]: the operating system's error.
pub(crate) fn hand_over(world: &mut World<'_>, answer: &Answer) -> Result<bool, Error> {
    let stdout = &mut world.stdout;
    let written = stdout
        .write_all(answer.text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let what = format!("cannot write the answer: {}", system(&error));
            Err(Error::Final(Report::new(what)))
        }
    }
}

/// Writes an error to stderr.
pub(crate) fn report(world: &mut World<'_>, error: &Error) {
    let prefix = "zitadel-credential: error: ";
    let report = error.report();
    let text = if logger::is_json() {
        let (message, fields) = (report.headline(), report.fields());
        logger::json_line((world.clock)(), Level::Error, &message, &fields)
    } else if (world.terminal)().stderr {
        report.for_terminal(prefix)
    } else {
        format!("{prefix}{error}")
    };
    // A closed stderr cannot be reported anywhere.
    let _ = writeln!(world.stderr, "{text}");
}

/// Writes a warning to stderr about a part that an answer leaves out, unless logging is
/// off. A helper shows other warnings only to a user at a terminal.
pub(crate) fn warn(world: &mut World<'_>, text: &dyn fmt::Display) {
    if log::max_level() >= Level::Error {
        let mut line = format!("zitadel-credential: warning: {text}");
        if logger::is_json() {
            line = logger::json_line((world.clock)(), Level::Warn, &text.to_string(), &[]);
        } else if (world.terminal)().stderr {
            line = wrapped(&line, 0, 4);
        }
        // A closed stderr cannot be reported anywhere.
        let _ = writeln!(world.stderr, "{line}");
    }
}
