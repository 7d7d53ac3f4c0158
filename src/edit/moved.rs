//! A key file that moves when a plan is applied.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Report};
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::input::{self, ReadError};
use crate::text::quote;
use crate::text::quote::{system, word};

/// A file, and its copy with a temporary name, which a signal, an error or the next setup
/// removes: a second copy of a key must not stay without a message.
pub(crate) struct Moved {
    from: PathBuf,
    to: PathBuf,
    /// `None` if it has its name: a killed setup may have left it.
    copy: Cell<Option<NamedTempFile>>,
}

impl Moved {
    /// Copies a file, with mode 0600.
    ///
    /// # Errors
    /// The file cannot be read, or the copy cannot be written.
    pub(crate) fn copy(from: PathBuf, to: PathBuf, deadline: &Deadline) -> Result<Self, Error> {
        match copied(&from, &to, deadline) {
            Ok(copy) => Ok(Self {
                from,
                to,
                copy: Cell::new(copy),
            }),
            Err(error) => Err(failed(&to, &error.to_string())),
        }
    }

    /// Gives the copy its name.
    ///
    /// # Errors
    /// A file of this name exists, or the operating system's error.
    pub(super) fn name(&self) -> Result<(), Error> {
        match self.copy.take() {
            Some(copy) => {
                replace::name_new(copy, &self.to).map_err(|error| failed(&self.to, &system(&error)))
            }
            None => Ok(()),
        }
    }

    /// Removes the copied file unless it changed, and returns a message about it.
    pub(super) fn finish(self) -> String {
        let Self { from, to, .. } = self;
        let place = quote::path(&to);
        let why = if is_copy(&from, &to) {
            match fs::remove_file(&from) {
                Ok(()) => return format!("moved the key to {place}, mode 0600"),
                Err(error) => format!(" ({}): rm {}", system(&error), word(&from)),
            }
        } else {
            ": it has changed since".to_owned()
        };
        let from = quote::path(&from);
        format!("warning: copied the key to {place}, but {from} stays{why}")
    }
}

fn copied(from: &Path, to: &Path, deadline: &Deadline) -> Result<Option<NamedTempFile>, ReadError> {
    if is_copy(from, to) {
        return Ok(None);
    }
    let bytes = input::read_believed(from, input::LIMIT, deadline)?;
    Ok(Some(replace::prepare(to, &bytes)?))
}

fn failed(to: &Path, why: &str) -> Error {
    let what = format!("the key was not moved to {}: {why}", quote::path(to));
    Error::Usage(Report::new(what).hint("run it again, and leave the key where it is"))
}

/// True if the file at `place` has the same content as another one, and only this user may
/// read or write it.
pub(crate) fn is_copy(of: &Path, place: &Path) -> bool {
    let at_once = Deadline::after(Duration::ZERO);
    let content = |path: &Path| input::read_file(path, input::LIMIT, &at_once).ok();
    Status::of_link(place).is_ok_and(|status| status.is_file() && status.is_private())
        && content(place).is_some_and(|bytes| content(of) == Some(bytes))
}
