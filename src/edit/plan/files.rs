//! The files of a plan, each locked before it is read.

use std::path::{Component, Path};

use super::Plan;
use crate::edit::file::FileChange;
use crate::edit::file_lock;
use crate::edit::lock::DirLock;
use crate::error::{Error, Report};
use crate::text::quote;

impl Plan<'_> {
    /// Opens another file that will change.
    ///
    /// # Errors
    /// The file cannot be read, is one of ours, or another setup is running.
    pub(crate) fn open_file(&mut self, path: &Path) -> Result<FileChange, Error> {
        if let Some(known) = self.files.iter().find(|known| known.is_at(path)) {
            // The undo of another setup in this run changed the file already.
            return Ok(known.clone());
        }
        let file = FileChange::open(path).map_err(Error::Usage)?;
        let config = self.config()?;
        let secrets = config.secret_files();
        let ours = [
            ("our config file", self.config.real()),
            ("setup's journal", self.journal_file.real()),
        ];
        let secrets = secrets.iter().map(|(file, kind)| (*kind, file.as_path()));
        if let Some((what, _)) = ours
            .into_iter()
            .chain(secrets)
            .find(|(_, ours)| file.is_at(ours))
        {
            return Err(Error::Usage(
                Report::new(format!("{}: it is {what}", quote::path(path)))
                    .hint("name the tool's own file"),
            ));
        }
        let file = self.locked(path)?;
        self.journal.follow(file.real());
        Ok(file)
    }

    /// Reads a file under the lock, so that no other setup changes it.
    pub(super) fn locked(&mut self, path: &Path) -> Result<FileChange, Error> {
        let file = FileChange::open(path).map_err(Error::Usage)?;
        match file.real().parent().filter(|_| !self.mode.dry_run) {
            Some(dir) => {
                self.lock(dir)?;
                file_lock::sweep(file.path(), file.real());
                FileChange::open(path).map_err(Error::Usage)
            }
            None => Ok(file),
        }
    }

    /// Locks a directory, once: a second time would wait for the first.
    fn lock(&mut self, dir: &Path) -> Result<(), Error> {
        // A missing directory below .. cannot be compared with others; the path is
        // refused later.
        let is_plain = !dir.components().any(|part| part == Component::ParentDir);
        if is_plain && !self.locks.iter().any(|lock| lock.is_of(dir)) {
            self.locks
                .push(DirLock::take(dir, &self.deadline, self.now)?);
        }
        Ok(())
    }

    /// Adds the change of a file.
    pub(crate) fn add(&mut self, file: FileChange) {
        self.files.retain(|known| known.real() != file.real());
        self.files.push(file);
    }
}
