//! Whether `setup.json` says only what a setup could have noted: it may have been
//! damaged, or written by somebody else to have an undo do their work.

use std::path::{Component, Path};

use super::{Edit, Journal, Note, Owns};
use crate::edit::copy::MOST;
use crate::text::quote;
use crate::text::quote::is_unprintable;

/// The longest path, name or key.
const LONGEST: usize = 4096;

/// The longest value: a profile's lines.
const LONGEST_VALUE: usize = 64 * 1024;

/// What is wrong with it, if anything is.
pub(crate) fn fault(journal: &Journal, owns: Owns) -> Option<String> {
    for (file, note) in &journal.files {
        if !is_path(file) {
            return Some(format!("{} is no plain absolute path", quote::path(file)));
        }
        if !is_note(note) {
            return Some(format!("what it says of {file} is no digest"));
        }
    }
    for (setup, edits) in &journal.setups {
        if setup.len() > LONGEST || setup.contains(is_unprintable) {
            let name = quote::quoted(setup);
            return Some(format!("setup {name} has no plain name"));
        }
        if !edits.iter().all(|edit| is_edit(setup, edit, owns)) {
            return Some(format!("setup {setup} would not have done what it says"));
        }
    }
    None
}

pub(crate) fn is_path(text: &str) -> bool {
    let path = Path::new(text);
    let is_plain = text.len() <= LONGEST && !text.contains(is_unprintable);
    let is_up = |part: Component<'_>| part == Component::ParentDir;
    is_plain && path.is_absolute() && !path.components().any(is_up)
}

fn is_note(note: &Note) -> bool {
    let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let digests = [&note.before, &note.left];
    let is_copy = note.copy.is_none_or(|copy| (1..=MOST).contains(&copy));
    is_copy && digests.into_iter().flatten().all(is_digest)
}

fn is_edit(setup: &str, edit: &Edit, owns: Owns) -> bool {
    let is_short = |text: &str| text.len() <= LONGEST_VALUE;
    let is_plain = |text: &String| text.len() <= LONGEST && !text.contains(is_unprintable);
    is_path(&edit.file)
        && edit.at.iter().all(is_plain)
        && is_short(&edit.ours)
        && edit.former.as_deref().is_none_or(is_short)
        && owns(setup, edit)
}
