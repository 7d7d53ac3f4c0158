//! Directories that a setup creates, and that its undo removes if they are empty.

use std::fs;
use std::path::PathBuf;

use super::Plan;
use crate::edit::directory::real_place;
use crate::edit::lock::DirLock;
use crate::sys::paths::canonicalize;

impl Plan<'_> {
    /// Records the directories that this setup creates. Returns those for an undo to
    /// remove, the innermost first.
    pub(super) fn settle_directories(&mut self) -> Vec<PathBuf> {
        let created = self.locks.iter().flat_map(DirLock::created);
        let created = created.filter_map(|dir| canonicalize(dir).ok());
        let links = self.changed_links().filter(|link| link.after.is_some());
        let links: Vec<_> = links.map(|link| real_place(link.path())).collect();
        let missing = links.iter().flat_map(|link| {
            let above = link.ancestors().skip(1);
            above.take_while(|dir| !dir.exists()).map(PathBuf::from)
        });
        let directories: Vec<_> = created.chain(missing).collect();
        if !self.mode.undo {
            for dir in directories {
                self.journal.note_directory(&dir);
            }
            return Vec::new();
        }
        let files = self.changed_files().filter(|file| file.after().is_none());
        let links = self.changed_links().filter(|link| link.after.is_none());
        let mut removed: Vec<_> = files.map(|file| file.real().to_owned()).collect();
        removed.extend(links.map(|link| real_place(link.path())));
        if self.journal.is_empty() {
            removed.push(self.journal_file.real().to_owned());
        }
        self.journal.take_directories(&removed)
    }

    /// Removes the directories that are empty.
    pub(super) fn remove_empty(&mut self, directories: &[PathBuf]) {
        for dir in directories {
            let locks = self.locks.iter_mut().filter(|lock| lock.is_of(dir));
            locks.for_each(DirLock::allow_removal);
            // Fails, as it should, if the directory has a file by now.
            let _ = fs::remove_dir(dir);
        }
    }
}
