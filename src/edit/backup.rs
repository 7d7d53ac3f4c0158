//! The backup of a file, beside it: its state before the first setup changed it.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry::Note;
use super::file::{FileChange, Text, read};
use super::journal::Journal;
use super::verbs::Verbs;
use crate::error::Report;
use crate::sys::files::set_kept;
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::quote;
use crate::text::quote::system;

/// Suffix of a backup's file name.
pub(crate) const ENDING: &str = ".before-zitadel-credential";

/// The action for a file's backup.
pub(crate) enum Backup {
    /// Writes the backup, as no setup has changed the file yet; the last text is that of
    /// an older backup, which is replaced.
    Write(PathBuf, Text, Text),
    /// Removes the backup, because the file has its former text again.
    Remove(PathBuf),
    /// Removes the backup: a setup was killed between it and `setup.json`.
    Abandoned(PathBuf),
    /// Keeps the backup, because others changed the file as well. A later setup may
    /// replace it.
    Keep(PathBuf),
    /// There is no backup: the user's file, or another setup's backup, has its name.
    Others(PathBuf),
}

impl Backup {
    /// Writes the backup if that is the action, or marks a backup as kept.
    ///
    /// # Errors
    /// The operating system's error.
    pub(crate) fn write(&self) -> Result<(), Report> {
        match self {
            Self::Write(path, Some(text), _) => replace::private_by_setup(path, text.as_bytes())
                .map_err(|error| {
                    let what = format!("{}: {}", quote::path(path), system(&error));
                    Report::new(what).hint("nothing was changed: the backup comes first")
                }),
            Self::Keep(path) => {
                if let Err(error) = set_kept(path) {
                    log::info!("{}: {}", quote::path(path), system(&error));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Restores the older backup, or removes the written one.
    pub(crate) fn revert(&self) {
        if let Self::Write(path, _, older) = self {
            let put_back = |older: &String| {
                replace::private_by_setup(path, older.as_bytes())?;
                set_kept(path)
            };
            match older.as_ref().map(put_back) {
                Some(Err(error)) => log::info!("{}: {}", quote::path(path), system(&error)),
                Some(Ok(())) => {}
                None => remove(path),
            }
        }
    }

    /// Removes a backup that is no longer needed.
    pub(crate) fn clear(&self) {
        if let Self::Remove(path) | Self::Abandoned(path) = self {
            remove(path);
        }
    }

    /// True if the backup is written or removed.
    pub(crate) const fn is_change(&self) -> bool {
        !matches!(self, Self::Keep(_) | Self::Others(_))
    }

    /// True if the file has its former text again.
    pub(crate) fn is_needless_for(&self, file: &FileChange) -> bool {
        matches!(self, Self::Remove(backup) if places(file).iter().any(|file| is_of(backup, file)))
    }

    /// Returns the message about the backup, if the user needs one.
    pub(crate) fn line(&self, verbs: Verbs) -> Option<String> {
        match self {
            Self::Keep(path) => Some(format!(
                "{} stays: it is the backup from before the first setup, and others changed the file since",
                quote::path(path)
            )),
            Self::Others(path) => Some(format!(
                "{} stays: it is not this setup's backup, so --undo will only remove the entries",
                quote::path(path)
            )),
            Self::Abandoned(path) => Some(format!(
                "{} {}, which a setup that was killed left",
                verbs.removes,
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

/// Records a file's state before and after, and returns the action for its backup; `None`
/// if there is none. A file that has no setup left, and that nobody else changed, is
/// restored byte for byte.
pub(crate) fn settle(
    journal: &mut Journal,
    file: &mut FileChange,
    is_undo: bool,
) -> Option<Backup> {
    let name = file.name();
    let found = file.before().map(ToOwned::to_owned);
    if !journal.uses(&name) {
        return is_undo.then(|| leave(journal, file)).flatten();
    }
    if !file.is_changed() {
        return None;
    }
    let is_first = !journal.files.contains_key(&name);
    let note = journal.files.entry(name);
    let note = note.or_insert_with(|| Note::first(found.as_deref()));
    note.see(found.as_deref());
    note.leave(file.after(), file.steps());
    if is_undo {
        note.forget_found();
    }
    let found = found.filter(|_| is_first)?;
    let backup = place(file.real(), 1);
    let there = Status::of_link(&backup);
    let older = read(&backup).ok();
    match (&there, &older) {
        (Err(_), _) => {}
        // A killed setup has written the backup already.
        (Ok(there), Some(older)) if is_in_use(there) && **older == found => {
            note.set_backup();
            return None;
        }
        (Ok(there), Some(_)) if is_kept(there) => {}
        _ => return Some(Backup::Others(backup)),
    }
    note.set_backup();
    Some(Backup::Write(backup, Some(found), older))
}

/// True if this may be the backup of a file that setups are in.
fn is_in_use(backup: &Status) -> bool {
    backup.is_file() && backup.is_ours() && backup.has_private_mode()
}

/// True for a backup that an undo left. Its mode shows it: the user's own file of that
/// name must not be replaced.
fn is_kept(backup: &Status) -> bool {
    backup.is_file() && backup.is_ours() && backup.has_mode_of_kept()
}

/// Restores a file that no setup is left in.
fn leave(journal: &mut Journal, file: &mut FileChange) -> Option<Backup> {
    if let Some(mut note) = journal.files.remove(&file.name()) {
        note.see(file.before());
        return restore(&note, file);
    }
    let backup = place(file.real(), 1);
    let is_left = Status::of_link(&backup).is_ok_and(|there| is_in_use(&there));
    let text = read(&backup).ok().filter(|_| is_left)?;
    (Some(text.as_str()) == file.before()).then_some(Backup::Abandoned(backup))
}

/// Restores a file if only setups changed it.
fn restore(note: &Note, file: &mut FileChange) -> Option<Backup> {
    if note.was_absent() {
        if note.is_ours_alone() || is_blank(file.text()) {
            file.restore(None);
        }
        return None;
    }
    let number = note.backup()?;
    // The backup is at the file's old place if the file was moved and linked to since.
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

/// True if a file that a tool left has no content.
fn is_blank(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    text.is_empty() || text == "{}"
}

fn places(file: &FileChange) -> [&Path; 2] {
    [file.real(), file.path()]
}

/// Returns the path of a backup; the first edition numbered them.
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
