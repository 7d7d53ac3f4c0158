//! The copy of a file as it was before the first setup changed it, beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::fresh::make_new;
use super::journal::{Journal, Note};
use super::target::{Target, Text, read};
use crate::error::Report;
use crate::text::quote;
use crate::text::quote::system;

/// What is added to a file's name.
const ENDING: &str = ".before-zitadel-credential";

/// How many files of that name, which are others' or of former setups, are
/// passed over.
pub(crate) const MOST: u32 = 99;

/// What becomes of the copy of a file.
pub(crate) enum Copy {
    /// It is made, because no setup has changed the file yet.
    Make(PathBuf, Text),
    /// It is removed, because the file is again what it was.
    Remove(PathBuf),
    /// It stays, because others changed the file as well.
    Leave(PathBuf),
}

impl Copy {
    /// Makes it, where it is to be made.
    ///
    /// # Errors
    /// The system's own reason.
    pub(crate) fn make(&self) -> Result<(), Report> {
        match self {
            Self::Make(path, Some(text)) => make_new(path, text.as_bytes()).map_err(|error| {
                let what = format!("{}: {}", quote::path(path), system(&error));
                Report::new(what).hint("nothing was changed: first the file is copied")
            }),
            _ => Ok(()),
        }
    }

    /// Removes one that was made: nothing came of it.
    pub(crate) fn unmake(&self) {
        if let Self::Make(path, _) = self {
            remove(path);
        }
    }

    /// Removes one that is of no more use.
    pub(crate) fn remove(&self) {
        if let Self::Remove(path) = self {
            remove(path);
        }
    }

    /// Whether the file is again what it was.
    pub(crate) fn is_needless_for(&self, target: &Target) -> bool {
        let is_of_it = |copy: &Path| places(target).iter().any(|file| is_copy_of(copy, file));
        matches!(self, Self::Remove(path) if is_of_it(path))
    }

    /// What a person should know of it.
    pub(crate) fn told_of(&self) -> Option<String> {
        match self {
            Self::Leave(path) => Some(format!(
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

/// Notes how a file was found and is left; where no setup is left in it that
/// nobody else changed, it becomes again what it was, to the byte.
pub(crate) fn settle(journal: &mut Journal, target: &mut Target) -> Option<Copy> {
    let name = target.name();
    let is_used = journal.uses(&name);
    let first = target.before().map(ToOwned::to_owned);
    if is_used {
        if !target.is_changed() {
            return None;
        }
        let is_first = !journal.files.contains_key(&name);
        let note = journal
            .files
            .entry(name)
            .or_insert_with(|| Note::first(first.as_deref()));
        note.see(first.as_deref());
        note.leave(target.after.as_ref().map(|text| text.as_str()));
        let first = first.filter(|_| is_first)?;
        let copy = |at| place(target.real(), at);
        // Another's file is not overwritten.
        let is_free = |path: &Path| path.symlink_metadata().is_err() || is_left(path, &first);
        let free = (1..=MOST).find(|&at| is_free(&copy(at)));
        let copy = copy(*note.copy.insert(free.unwrap_or(MOST)));
        return (!is_left(&copy, &first)).then(|| Copy::Make(copy, Some(first.into())));
    }
    let mut note = journal.files.remove(&name)?;
    note.see(first.as_deref());
    if note.was_absent() {
        if note.is_ours_alone() || is_blank(target.text()) {
            target.after = None;
        }
        return None;
    }
    let at = note.copy?;
    // It lies where the file lay, if that was moved since, and linked to.
    let mut copies = places(target).map(|file| place(file, at)).into_iter();
    let (copy, former) = copies.find_map(|copy| {
        let former = read(&copy).ok().filter(|text| note.was(text))?;
        Some((copy, former))
    })?;
    if note.is_ours_alone() {
        target.after = Some(former.clone());
    }
    Some(if target.text() == former.as_str() {
        Copy::Remove(copy)
    } else {
        Copy::Leave(copy)
    })
}

/// Whether a copy is there already, of a setup or an undo that was killed.
fn is_left(copy: &Path, text: &str) -> bool {
    let is_file = |meta: fs::Metadata| meta.is_file();
    copy.symlink_metadata().is_ok_and(is_file) && read(copy).is_ok_and(|copy| *copy == text)
}

/// Whether a file that a tool left holds nothing.
fn is_blank(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    text.is_empty() || text == "{}"
}

fn places(target: &Target) -> [&Path; 2] {
    [target.real(), target.path()]
}

fn place(file: &Path, at: u32) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ENDING);
    if at > 1 {
        name.push(format!("-{at}"));
    }
    name.into()
}

fn is_copy_of(copy: &Path, file: &Path) -> bool {
    let name = copy.as_os_str().as_encoded_bytes();
    let of = name.strip_prefix(file.as_os_str().as_encoded_bytes());
    of.is_some_and(|ending| ending.starts_with(ENDING.as_bytes()))
}
