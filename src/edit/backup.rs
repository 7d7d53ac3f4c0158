//! The backup of a file as it was before the first setup changed it, beside it.

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

/// What is added to a file's name.
pub(crate) const ENDING: &str = ".before-zitadel-credential";

/// What becomes of the backup of a file.
pub(crate) enum Backup {
    /// It is written, as no setup has changed the file yet, in place of an older one,
    /// whose text is the last.
    Write(PathBuf, Text, Text),
    /// It is removed, because the file is again what it was.
    Remove(PathBuf),
    /// It is removed: a setup was killed between it and `setup.json`.
    Abandoned(PathBuf),
    /// It stays, because others changed the file as well. A next setup may replace it.
    Keep(PathBuf),
    /// There is none: a person's own file, or another setup's backup, lies there.
    Others(PathBuf),
}

impl Backup {
    /// Writes it, if it is to be written, or marks it as one that stays.
    ///
    /// # Errors
    /// The system's own reason.
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

    /// Puts the older one back, or removes the one that was written.
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

    /// Removes one that is not needed any more.
    pub(crate) fn clear(&self) {
        if let Self::Remove(path) | Self::Abandoned(path) = self {
            remove(path);
        }
    }

    /// True if it is written or removed.
    pub(crate) const fn is_change(&self) -> bool {
        !matches!(self, Self::Keep(_) | Self::Others(_))
    }

    /// True if the file is again what it was.
    pub(crate) fn is_needless_for(&self, file: &FileChange) -> bool {
        matches!(self, Self::Remove(backup) if places(file).iter().any(|file| is_of(backup, file)))
    }

    /// Says what a person should know of it.
    pub(crate) fn line(&self, verbs: Verbs) -> Option<String> {
        match self {
            Self::Keep(path) => Some(format!(
                "{} stays: it is what the file was before the first setup, and others have changed that since",
                quote::path(path)
            )),
            Self::Others(path) => Some(format!(
                "{} is not this setup's backup, and stays: --undo will remove the entries alone",
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
        // A setup that was killed has written it already.
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

/// True for what may be the backup of a file in which setups are.
fn is_in_use(backup: &Status) -> bool {
    backup.is_file() && backup.is_ours() && backup.has_private_mode()
}

/// True for a backup that an undo left. Its mode says so: a person's own file that
/// has the name must not be replaced.
fn is_kept(backup: &Status) -> bool {
    backup.is_file() && backup.is_ours() && backup.has_mode_of_kept()
}

/// Makes a file in which no setup is left again what it was.
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
