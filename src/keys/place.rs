//! The file for a new key, and the lock on its directory.

use std::io;
use std::path::{Path, PathBuf};

use super::note::Note;
use crate::edit::directory::missing;
use crate::edit::lock::DirLock;
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::absolute::names_directory;
use crate::sys::files::can_create_in;
use crate::sys::paths::canonicalize;
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote;
use crate::text::quote::{system, word};

/// Returns the error of a new key's file.
fn no_new_key(shown: &str, why: &str, hint: &str) -> Error {
    let report = Report::new(format!("{shown}: no new key: {why}"));
    Error::Usage(report.hint(hint))
}

const OTHER_FILE: &str = "choose a file that does not exist yet, in a directory of your own";

/// A file for a key.
#[derive(Debug)]
pub(super) struct Place {
    /// The path as given.
    shown: String,
    /// The file itself, with all links resolved.
    pub(super) file: PathBuf,
    /// True if the file must not exist yet.
    pub(super) is_new: bool,
}

impl Place {
    /// Returns the place of a key file that will be replaced.
    ///
    /// # Errors
    /// [`Error::Usage`]: the file must not or cannot be replaced.
    pub(super) fn of_key_file(path: &Path) -> Result<Self, Error> {
        let shown = quote::path(path);
        let refused = |why: &str, hint: &str| {
            let report = Report::new(format!("{shown}: the key is not rotated: {why}"));
            Error::Usage(report.hint(hint))
        };
        let found = canonicalize(path).and_then(|file| {
            let status = Status::of(&file)?;
            Ok((file, status))
        });
        let (file, status) =
            found.map_err(|error| refused(&system(&error), "name the key file with --key-file"))?;
        if !status.is_file() {
            let hint = "name a key file, or take the new key with --output FILE";
            return Err(refused("it is not a regular file", hint));
        }
        if !status.is_ours() {
            let hint = "run it as the user who owns the key file: the new one would be yours alone";
            return Err(refused("it belongs to another user", hint));
        }
        let place = Self {
            shown,
            file,
            is_new: false,
        };
        place.check_directory()?;
        if let Ok(dir) = Status::of(place.directory())
            && !dir.keeps_ours()
        {
            log::warn!(
                "{}: other users can write to its directory ({}), and put another key there: run chmod go-w {}",
                place.shown,
                dir.shown_mode(),
                word(place.directory())
            );
        }
        if status.links() > 1 {
            log::warn!(
                "{} has other names (hard links): they keep the old key, which stops working",
                place.shown
            );
        }
        if status.is_open_to_others() {
            log::warn!(
                "{}: other users may use the key file ({}); the new one has mode 0600",
                place.shown,
                status.shown_mode()
            );
        }
        Ok(place)
    }

    /// Returns the place of a key file that must not exist yet.
    ///
    /// # Errors
    /// [`Error::Usage`]: the file exists, or cannot be created.
    pub(super) fn of_new_file(path: &Path) -> Result<Self, Error> {
        let shown = quote::path(path);
        let refused = |why: &str| no_new_key(&shown, why, OTHER_FILE);
        if names_directory(path) {
            return Err(refused("the name of a directory"));
        }
        let name = path.file_name().ok_or_else(|| refused("not a file name"))?;
        if name.to_string_lossy().ends_with(".rotation") {
            return Err(refused("it has the name of a rotation's note"));
        }
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let found = canonicalize(dir).and_then(|dir| Ok((Status::of(&dir)?, dir)));
        let (status, dir) = found.map_err(|error| {
            let (why, hint) = match error.kind() {
                io::ErrorKind::NotFound => missing(dir),
                _ => (system(&error), OTHER_FILE),
            };
            no_new_key(&shown, &why, hint)
        })?;
        if !status.keeps_ours() {
            let mode = status.shown_mode();
            let why = format!("other users can write to its directory ({mode})");
            return Err(refused(&why));
        }
        let place = Self {
            file: dir.join(name),
            shown,
            is_new: true,
        };
        // A note is examined under the lock.
        if !Note::path(&place.file).exists() {
            place.check_absent()?;
        }
        place.check_directory()?;
        Ok(place)
    }

    /// Returns the path for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    fn check_directory(&self) -> Result<(), Error> {
        if can_create_in(self.directory()) {
            return Ok(());
        }
        let dir = quote::path(self.directory());
        let report = Report::new(format!("{dir}: no file can be created there"));
        Err(Error::Usage(report.hint(
            "make the key file's directory writable for you, or take the new key with --output FILE",
        )))
    }

    /// Returns an error if a new key's file exists.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub(super) fn check_absent(&self) -> Result<(), Error> {
        if self.is_new && self.file.symlink_metadata().is_ok() {
            let why = "the file is there already";
            return Err(no_new_key(&self.shown, why, OTHER_FILE));
        }
        Ok(())
    }

    /// Takes the lock on the directory. A call that had it before may have written the new
    /// file.
    ///
    /// # Errors
    /// As [`DirLock::take`] and [`Place::check_absent`].
    pub(super) fn lock(&self, deadline: &Deadline, now: UnixTime) -> Result<DirLock, Error> {
        let lock = DirLock::take(self.directory(), deadline, now)?;
        self.check_absent()
            .inspect_err(|_| Note::remove_if_complete(&self.file))?;
        Ok(lock)
    }

    /// Writes a key file in one step, with mode 0600. The directory of a replaced file is not
    /// fsynced.
    ///
    /// # Errors
    /// The operating system's error; the old file stays.
    pub(super) fn write(&self, key_file: &Secret) -> io::Result<()> {
        let bytes = key_file.expose().as_bytes();
        if self.is_new {
            return replace::create_new(&self.file, bytes);
        }
        replace::private_fsynced(&self.file, bytes)
    }

    /// Fsyncs the directory of the replaced file.
    ///
    /// # Errors
    /// A power failure might restore the old file.
    pub(super) fn fsync_directory(&self) -> Result<(), Error> {
        replace::fsync_directory_of(&self.file).map_err(|error| {
            let reason = system(&error);
            let what = format!("{}: its directory is not fsynced: {reason}", self.shown);
            Error::Final(Report::new(what))
        })
    }
}
