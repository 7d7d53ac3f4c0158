//! The backup of a file as it was before the first setup changed it, beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry::Note;
use super::file::{FileChange, Text, read};
use super::journal::Journal;
use crate::error::Report;
use crate::sys::replace;
use crate::text::quote;
use crate::text::quote::system;

/// What is added to a file's name.
pub(crate) const ENDING: &str = ".before-zitadel-credential";

/// What becomes of the backup of a file.
pub(crate) enum Backup {
    /// It is written, as no setup has changed the file yet, in place of an older one,
    /// whose text is the last.
    Write(PathBuf, Text, Text),
    /// It is removed, because the file is again what it was.
    Remove(PathBuf),
    /// It stays, because others changed the file as well.
    Keep(PathBuf),
}

impl Backup {
    /// Writes it, if it is to be written.
    ///
    /// # Errors
    /// The system's own reason.
    pub(crate) fn write(&self) -> Result<(), Report> {
        match self {
            Self::Write(path, Some(text), _) => {
                replace::private(path, text.as_bytes()).map_err(|error| {
                    let what = format!("{}: {}", quote::path(path), system(&error));
                    Report::new(what).hint("nothing was changed: the backup comes first")
                })
            }
            _ => Ok(()),
        }
    }

    /// Puts the older one back, or removes the one that was written.
    pub(crate) fn revert(&self) {
        match self {
            Self::Write(path, _, Some(older)) => {
                if let Err(error) = replace::private(path, older.as_bytes()) {
                    log::info!("{} stays: {}", quote::path(path), system(&error));
                }
            }
            Self::Write(path, _, None) => remove(path),
            Self::Remove(_) | Self::Keep(_) => {}
        }
    }

    /// Removes one that is not needed any more.
    pub(crate) fn clear(&self) {
        if let Self::Remove(path) = self {
            remove(path);
        }
    }

    /// True if the file is again what it was.
    pub(crate) fn is_needless_for(&self, file: &FileChange) -> bool {
        matches!(self, Self::Remove(backup) if places(file).iter().any(|file| is_of(backup, file)))
    }

    /// Says what a person should know of it.
    pub(crate) fn line(&self) -> Option<String> {
        match self {
            Self::Keep(path) => Some(format!(
                "{} stays: it is what the file was before the first setup, and others have changed that since",
                quote::path(path)
            )),
            _ => None,
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        log::info!("{} stays: {}", quote::path(path), system(&error));
    }
}

/// Notes how a file was found and how it is left. A file in which no setup is left
/// and which nobody else changed becomes again what it was, to the byte. Returns what
/// becomes of its backup; `None` if nothing does.
pub(crate) fn settle(
    journal: &mut Journal,
    file: &mut FileChange,
    is_undo: bool,
) -> Option<Backup> {
    let name = file.name();
    let found = file.before().map(ToOwned::to_owned);
    if !journal.uses(&name) {
        let mut note = journal.files.remove(&name)?;
        note.see(found.as_deref());
        return restore(&note, file);
    }
    if !file.is_changed() {
        return None;
    }
    let is_first = !journal.files.contains_key(&name);
    let note = journal
        .files
        .entry(name)
        .or_insert_with(|| Note::first(found.as_deref()));
    note.see(found.as_deref());
    note.leave(file.after());
    if is_undo {
        note.forget_found();
    }
    let found = found.filter(|_| is_first)?;
    note.set_backup();
    let backup = place(file.real(), 1);
    let is_file = backup.symlink_metadata().is_ok_and(|meta| meta.is_file());
    let older = read(&backup).ok().filter(|_| is_file);
    // A setup that was killed may have written it already.
    let is_there = older.as_ref().is_some_and(|text| **text == found);
    (!is_there).then(|| Backup::Write(backup, Some(found.into()), older))
}

/// Makes a file again what it was, where only setups changed it.
fn restore(note: &Note, file: &mut FileChange) -> Option<Backup> {
    if note.was_absent() {
        if note.is_ours_alone() || is_blank(file.text()) {
            file.restore(None);
        }
        return None;
    }
    let number = note.backup()?;
    // It lies where the file lay, if that was moved since, and linked to.
    let mut backups = places(file).map(|file| place(file, number)).into_iter();
    let (backup, former) = backups.find_map(|backup| {
        let former = read(&backup).ok().filter(|text| note.was(text))?;
        Some((backup, former))
    })?;
    if note.is_ours_alone() {
        file.restore(Some(former.clone()));
    }
    Some(if file.text() == former.as_str() {
        Backup::Remove(backup)
    } else {
        Backup::Keep(backup)
    })
}

/// True if a file that a tool left holds nothing.
fn is_blank(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    text.is_empty() || text == "{}"
}

fn places(file: &FileChange) -> [&Path; 2] {
    [file.real(), file.path()]
}

/// Returns where a backup lies; the first edition numbered them.
fn place(file: &Path, number: u32) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ENDING);
    if number > 1 {
        name.push(format!("-{number}"));
    }
    name.into()
}

fn is_of(backup: &Path, file: &Path) -> bool {
    let name = backup.as_os_str().as_encoded_bytes();
    let ending = name.strip_prefix(file.as_os_str().as_encoded_bytes());
    ending.is_some_and(|ending| ending.starts_with(ENDING.as_bytes()))
}
