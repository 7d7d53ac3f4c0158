//! What a command gives back.

use std::io;

use zeroize::Zeroizing;

use super::world::World;
use crate::error::{Error, Report};
use crate::text::quote::system;

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
