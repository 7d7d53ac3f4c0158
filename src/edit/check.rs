//! Validates `setup.json`: it may be damaged, or forged so that an undo changes other
//! files. Only edits that a setup could have made are accepted.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::entry::{Edit, Note};
use crate::text::quote;
use crate::text::quote::is_unprintable;

/// The longest path, name or key.
const LONGEST: usize = 4096;

/// The longest value: a profile's lines.
const LONGEST_VALUE: usize = 64 * 1024;

/// The highest number of a backup of the first edition.
const BACKUPS: u32 = 99;

/// True if the setup of this name makes such an edit.
pub(crate) type Owns = fn(&str, &Edit) -> bool;

/// Returns the error in the notes of files; `None` if they are valid.
pub(super) fn fault_of_files(files: &BTreeMap<String, Note>) -> Option<String> {
    files.iter().find_map(|(file, note)| {
        if !is_path(file) {
            Some(format!(
                "{} is not a plain absolute path",
                quote::path(file)
            ))
        } else if !is_note(note) {
            Some(format!("invalid digest of {file}"))
        } else {
            None
        }
    })
}

/// Returns the error in the setups; `None` if they are valid.
pub(super) fn fault_of_setups(setups: &BTreeMap<String, Vec<Edit>>, owns: Owns) -> Option<String> {
    setups.iter().find_map(|(setup, edits)| {
        if setup.len() > LONGEST || setup.contains(is_unprintable) {
            let name = quote::quoted(setup);
            Some(format!("invalid setup name {name}"))
        } else if !edits.iter().all(|edit| is_edit(setup, edit, owns)) {
            Some(format!("setup {setup} never makes such a change"))
        } else {
            None
        }
    })
}

/// True for an absolute path without `..` and control characters.
pub(crate) fn is_path(text: &str) -> bool {
    let path = Path::new(text);
    let is_plain = text.len() <= LONGEST && !text.contains(is_unprintable);
    let is_up = |part: Component<'_>| part == Component::ParentDir;
    is_plain && path.is_absolute() && !path.components().any(is_up)
}

fn is_note(note: &Note) -> bool {
    let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let digests = [&note.before, &note.left, &note.found];
    let digests = digests.into_iter().flatten().chain(&note.steps);
    let is_number = note.copy.is_none_or(|copy| (1..=BACKUPS).contains(&copy));
    // A new file has no backup: an undo would remove the file.
    let is_whole = note.before.is_some() || note.copy.is_none();
    is_number && is_whole && digests.into_iter().all(is_digest)
}

fn is_edit(setup: &str, edit: &Edit, owns: Owns) -> bool {
    let is_short = |text: &str| text.len() <= LONGEST_VALUE;
    let is_plain = |text: &String| text.len() <= LONGEST && !text.contains(is_unprintable);
    let values = [&edit.former, &edit.earlier];
    // A setup's earlier value must be one that it may set now.
    let before = edit.earlier.clone().map(|ours| Edit {
        ours,
        earlier: None,
        ..edit.clone()
    });
    is_path(&edit.file)
        && edit.at.iter().all(is_plain)
        && is_short(&edit.ours)
        && values
            .iter()
            .all(|value| value.as_deref().is_none_or(is_short))
        && before.is_none_or(|before| owns(setup, &before))
        && owns(setup, edit)
}
