//! git's configuration, which git reads and writes itself.
//!
//! Source: git-config(1).

use std::process::Command;

use crate::edit::file::FileChange;
use crate::edit::tool::{Tool, piped};
use crate::error::{Error, Report};
use crate::text::quote;

/// The helpers of all hosts.
pub(super) const FOR_ALL: &str = "credential.helper";

/// A file of git's that changes.
pub(super) struct GitFile {
    pub(super) git: Tool,
    pub(super) file: FileChange,
}

impl GitFile {
    /// Refuses a file in which a helper's line has no value: git gives up as soon as it
    /// looks for the helpers of a host that it is for.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the key.
    pub(super) fn check_values(&self, key: &str) -> Result<(), Error> {
        let entries = entries(&self.git, self.file.text())?;
        let mut without = entries.iter().filter(|entry| !entry.contains('\n'));
        match without.find(|entry| [key, FOR_ALL].contains(&entry.as_str())) {
            Some(key) => {
                let what = format!("{}: {key} has no value", quote::path(self.file.path()));
                Err(Error::Usage(Report::new(what).hint(
                    "git refuses such a line: give it a value, or remove it",
                )))
            }
            None => Ok(()),
        }
    }

    /// Returns what a key holds in the file, and not in those that it includes. A line
    /// without a value is none of ours.
    pub(super) fn values(&self, key: &str) -> Result<Vec<String>, Error> {
        let entries = entries(&self.git, self.file.text())?;
        let pairs = entries.iter().filter_map(|entry| entry.split_once('\n'));
        let values = pairs.filter(|(name, _)| *name == key);
        Ok(values.map(|(_, value)| value.to_owned()).collect())
    }

    /// Adds a value after the others of a key.
    pub(super) fn add(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.edit(&["--add", key, value], Some((key, value)), None)
    }

    /// Puts a value in another's place.
    pub(super) fn replace(&mut self, key: &str, old: &str, new: &str) -> Result<(), Error> {
        let words = ["--replace-all", key, new, &exactly(old)];
        self.edit(&words, Some((key, new)), Some((key, old)))
    }

    /// Removes one value, and its section with the last of them.
    pub(super) fn remove(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let words = ["--unset", key, &exactly(value)];
        self.edit(&words, None, Some((key, value)))?;
        let header = header(key);
        let section = key.strip_suffix(".helper").unwrap_or(key);
        // git removes all sections of that name: only one, and an empty one, may go.
        let is_of_it = |line: &&str| line.trim_start().starts_with(&header);
        let is_only = self.file.text().lines().filter(is_of_it).count() == 1;
        let mut lines = self.file.text().lines().skip_while(|line| *line != header);
        let is_empty =
            lines.next().is_some() && lines.next().is_none_or(|next| next.starts_with('['));
        if is_only && is_empty {
            self.edit(&["--remove-section", section], None, None)?;
        }
        Ok(())
    }

    /// Removes a value and the empty one right before it, where there are further empty
    /// ones: git could only remove all of them. Returns false if the two do not stand on
    /// lines as git writes them.
    pub(super) fn remove_with_end(&mut self, key: &str, value: &str) -> Result<bool, Error> {
        let mut wanted = self.values(key)?;
        let ours = wanted.iter().position(|there| there == value);
        let Some(end) = ours.and_then(|at| at.checked_sub(1)) else {
            return Ok(false);
        };
        let ends = wanted.iter().filter(|value| value.is_empty()).count();
        if ends < 2 || !wanted.remove(end).is_empty() {
            return Ok(false);
        }
        wanted.remove(end);
        let Some(text) = without_pair(self.file.text(), key, value) else {
            return Ok(false);
        };
        let pairs = |text: &str| {
            let (of_key, others): (Vec<_>, Vec<_>) = entries(&self.git, text)?
                .into_iter()
                .partition(|entry| entry.split_once('\n').is_some_and(|(name, _)| name == key));
            Ok::<_, Error>((of_key, others))
        };
        let (before, (of_key, others)) = (pairs(self.file.text())?, pairs(&text)?);
        let values = of_key.iter().filter_map(|entry| entry.split_once('\n'));
        if others != before.1 || !values.map(|(_, value)| value).eq(&wanted) {
            return Ok(false);
        }
        self.file.rewrite(text);
        Ok(true)
    }

    /// Has git change its file, and looks whether it did that and nothing else: what is
    /// added and what is removed, each a key with its value.
    fn edit(
        &mut self,
        words: &[&str],
        added: Option<(&str, &str)>,
        removed: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let git = &self.git;
        let mut before = entries(git, self.file.text())?;
        let path = self.file.path().to_owned();
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        self.file.edit_by(git, &words, |_, text| {
            let mut after = entries(git, text)?;
            if take(&mut after, added) && take(&mut before, removed) && before == after {
                return Ok(());
            }
            Err(git.disbelieved(&path, "it is not the requested change, or not only that"))
        })
    }
}

/// Returns the pattern of one value. `--fixed-value` crashes git before 2.43 where a
/// line has no value.
fn exactly(value: &str) -> String {
    let mut pattern = "^".to_owned();
    for c in value.chars() {
        if ".[]{}()*+?^$|\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "$"
}

/// Returns the line that begins a key's section, as git writes it.
fn header(key: &str) -> String {
    let section = key.strip_suffix(".helper").unwrap_or(key);
    let url = section.strip_prefix("credential.").unwrap_or(section);
    format!("[credential \"{url}\"]")
}

/// True if a helper stands in a file as git writes it, whatever git says.
pub(super) fn stands(text: &str, key: &str, value: &str) -> bool {
    let ours = format!("helper = {value}");
    let header = header(key);
    let section = text.lines().skip_while(|line| *line != header).skip(1);
    let mut lines = section.take_while(|line| !line.starts_with('['));
    lines.any(|line| line.trim() == ours.trim())
}

/// Returns a text without a helper's line and the empty one before it, and without their
/// section if nothing else is in it; `None` if they do not stand so.
fn without_pair(text: &str, key: &str, value: &str) -> Option<String> {
    let header = header(key);
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    let mut is_in_section = false;
    let ours = format!("helper = {value}");
    let at = lines.iter().position(|line| {
        if line.starts_with('[') {
            is_in_section = line.trim_end() == header;
        }
        is_in_section && line.trim() == ours
    })?;
    let end = at.checked_sub(1)?;
    if lines[end].trim() != "helper =" {
        return None;
    }
    lines.drain(end..=at);
    let is_last = lines.get(end).is_none_or(|next| next.starts_with('['));
    if is_last && end > 0 && lines[end - 1].trim_end() == header {
        lines.remove(end - 1);
    }
    Some(lines.concat())
}

/// Removes an entry, the last of several. Returns true if there was one.
fn take(entries: &mut Vec<String>, entry: Option<(&str, &str)>) -> bool {
    let Some((key, value)) = entry else {
        return true;
    };
    let entry = format!("{key}\n{value}");
    let at = entries.iter().rposition(|there| *there == entry);
    at.map(|at| entries.remove(at)).is_some()
}

/// Returns all that a file says, each a key, a line's end and the value; of a line
/// without a value the key alone.
fn entries(git: &Tool, text: &str) -> Result<Vec<String>, Error> {
    let mut call = git.call(["config", "--null", "--no-includes", "--file", "-", "--list"]);
    call.stdin(piped(text)?);
    let mut entries = listed(git, call)?;
    // At the end of a file, git takes a CR for a part of the value.
    for entry in &mut entries {
        entry.truncate(entry.trim_end_matches('\r').len());
    }
    Ok(entries)
}

/// Returns the values that git prints, each ended by NUL.
pub(super) fn listed(git: &Tool, call: Command) -> Result<Vec<String>, Error> {
    // It ends with 1 where there is no such key, and with 128 where it cannot
    // read them.
    let Some(ended) = git.ask(call)? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(&ended.stdout);
    let mut values: Vec<_> = text.split('\0').map(ToOwned::to_owned).collect();
    values.pop();
    Ok(values)
}
