//! A file that a setup creates as a whole.

use std::path::Path;

use super::entry::{Edit, Standing};
use super::plan::Plan;
use crate::error::{Error, Report};
use crate::text::quote;

/// Place of a setup's own file in `setup.json`.
pub(crate) const AT_FILE: [&str; 1] = ["file"];

impl Plan<'_> {
    /// Writes a file. Returns its edit for `setup.json`; `None` if the user's own file
    /// has the same content.
    ///
    /// # Errors
    /// The file exists with different content.
    pub(crate) fn write_whole(&mut self, path: &Path, text: &str) -> Result<Option<Edit>, Error> {
        let mut file = self.open_file(path)?;
        let known = self.journal.edit_at(&file.name(), &AT_FILE).cloned();
        if file.after() == Some(text) {
            return Ok(known);
        }
        let is_ours = |known: &Edit| known.standing(file.after(), same) == Standing::Ours;
        if file.after().is_some() && !known.as_ref().is_some_and(is_ours) {
            let what = format!("{}: the file exists already", quote::path(path));
            return Err(Error::Usage(
                Report::new(what)
                    .hint("name another file with --output, or add these lines to it by hand")
                    .lines(text),
            ));
        }
        file.words.extend(words(text));
        file.set(text.to_owned());
        let edit = Edit::new(file.name(), &AT_FILE, text, None);
        self.add(file);
        Ok(Some(edit))
    }

    /// Removes a file if it still has a setup's text, or replaces it by `left`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn undo_whole(&mut self, edit: &Edit, left: Option<String>) -> Result<(), Error> {
        let mut file = self.open_file(Path::new(&edit.file))?;
        file.words.extend(words(&edit.ours));
        let path = quote::path(&edit.file);
        match edit.standing(file.after(), same) {
            Standing::Ours => match left {
                Some(left) => file.set(left),
                None => file.restore(None),
            },
            Standing::Gone => self.say_drift(format!("{path} was removed already")),
            _ => self.say_drift(format!(
                "{path} was changed since the setup, so it stays: remove it by hand if nothing needs it"
            )),
        }
        self.add(file);
        Ok(())
    }
}

fn same(now: &str, ours: &str) -> bool {
    now == ours
}

/// Returns the lines of our own text, which a diff may show.
fn words(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim);
    lines.map(|line| line.trim_start_matches("- ").to_owned())
}
