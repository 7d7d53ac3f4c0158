//! The file that a new key goes to, and the lock on its directory.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{io, thread};

use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::absolute::names_directory;
use crate::sys::files::{can_create_in, fsync_dir};
use crate::sys::lock::DirLock;
use crate::sys::paths::canonicalize;
use crate::sys::status::Status;
use crate::sys::{replace, temporary};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote;
use crate::text::quote::{system, word};
use crate::text::waiting::Wait;

const PAUSE: Duration = Duration::from_millis(20);

const OTHER_FILE: &str = "choose a file that does not exist yet, in a directory of your own";

/// A file that gets a key.
#[derive(Debug)]
pub(super) struct Place {
    /// The path that was given.
    shown: String,
    /// The file itself, through all links.
    pub(super) file: PathBuf,
    is_new: bool,
}

impl Place {
    /// Returns the place of a key file that is to be replaced.
    ///
    /// # Errors
    /// [`Error::Usage`]: it must not or cannot be replaced.
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

    /// Returns the place of a key file that must not be there yet.
    ///
    /// # Errors
    /// [`Error::Usage`]: it is there, or cannot be created.
    pub(super) fn of_new_file(path: &Path) -> Result<Self, Error> {
        let shown = quote::path(path);
        let refused = |why: &str| {
            let report = Report::new(format!("{shown}: no new key: {why}"));
            Error::Usage(report.hint(OTHER_FILE))
        };
        if names_directory(path) {
            return Err(refused("the name of a directory"));
        }
        if path.symlink_metadata().is_ok() {
            return Err(refused("the file is there already"));
        }
        let name = path.file_name().ok_or_else(|| refused("not a file name"))?;
        if name.to_string_lossy().ends_with(".rotation") {
            return Err(refused("it has the name of a rotation's note"));
        }
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let dir = canonicalize(dir).map_err(|error| refused(&system(&error)))?;
        let status = Status::of(&dir).map_err(|error| refused(&system(&error)))?;
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
        place.check_directory()?;
        Ok(place)
    }

    /// Returns the path as a person reads it.
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

    /// Waits for the lock on the directory, and removes what killed calls left in it.
    ///
    /// # Errors
    /// Another call holds it until the deadline, or the system's error.
    pub(super) fn lock(&self, deadline: &Deadline, now: UnixTime) -> Result<DirLock, Error> {
        let dir = self.directory();
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(dir)));
        let mut wait = None;
        loop {
            let taken = DirLock::try_take(dir);
            let taken = taken.map_err(|error| Error::Final(failed(&system(&error))))?;
            if let Some(lock) = taken {
                if let Err(error) = temporary::sweep_by_setup(dir, now, lock.is_locked()) {
                    log::debug!("{} is not swept: {error}", quote::path(dir));
                }
                return Ok(lock);
            }
            if deadline.remaining().is_zero() {
                return Err(Error::Passing(
                    failed("another call rotates a key there, or a setup is under way")
                        .hint("try again; --timeout extends the wait"),
                ));
            }
            wait.get_or_insert_with(|| Wait::of(|| "the lock of another call".to_owned()));
            thread::sleep(PAUSE);
        }
    }

    /// Writes a key file in one step, with mode 0600.
    ///
    /// # Errors
    /// The system's own reason; the old file stays.
    pub(super) fn write(&self, key_file: &Secret) -> io::Result<()> {
        let bytes = key_file.expose().as_bytes();
        if self.is_new {
            return replace::create_new(&self.file, bytes);
        }
        replace::private_by_setup(&self.file, bytes)?;
        if let Err(error) = fsync_dir(self.directory()) {
            // Not every file system can.
            log::debug!("a directory is not fsynced: {error}");
        }
        Ok(())
    }
}
