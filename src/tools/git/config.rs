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

/// A file of git's configuration that a setup changes.
pub(super) struct GitFile {
    pub(super) git: Tool,
    pub(super) file: FileChange,
    /// git's list of the entries in the file's text; `None` if git was not asked yet.
    entries: Option<Vec<String>>,
}

impl GitFile {
    pub(super) fn new(git: Tool, file: FileChange) -> Self {
        Self {
            git,
            file,
            entries: None,
        }
    }

    /// Returns all entries of the file, as [`entries`] does.
    fn entries(&mut self) -> Result<&[String], Error> {
        let entries = match self.entries.take() {
            Some(entries) => entries,
            None => entries(&self.git, self.file.text())?,
        };
        Ok(self.entries.insert(entries))
    }

    /// Refuses a file in which a helper's line has no value: git exits as soon as it
    /// needs the helpers of a matching host.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the key.
    pub(super) fn check_values(&mut self, key: &str) -> Result<(), Error> {
        let entries = self.entries()?;
        let mut without = entries.iter().filter(|entry| !entry.contains('\n'));
        let without = without.find(|entry| [key, FOR_ALL].contains(&entry.as_str()));
        match without.cloned() {
            Some(key) => {
                let what = format!("{}: {key} has no value", quote::path(self.file.path()));
                Err(Error::Usage(Report::new(what).hint(
                    "git refuses such a line: give it a value, or remove it",
                )))
            }
            None => Ok(()),
        }
    }

    /// Returns the values of a key in the file, but not in the files that it includes. A
    /// line without a value is not ours.
    pub(super) fn values(&mut self, key: &str) -> Result<Vec<String>, Error> {
        let entries = self.entries()?;
        let pairs = entries.iter().filter_map(|entry| entry.split_once('\n'));
        let values = pairs.filter(|(name, _)| *name == key);
        Ok(values.map(|(_, value)| value.to_owned()).collect())
    }

    /// Adds a value after the others of a key.
    pub(super) fn add(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.edit(&["--add", key, value], Some((key, value)), None)
    }

    /// Replaces a value.
    pub(super) fn replace(&mut self, key: &str, old: &str, new: &str) -> Result<(), Error> {
        let words = ["--replace-all", key, new, &exactly(old)];
        self.edit(&words, Some((key, new)), Some((key, old)))
    }

    /// Removes one value, and with the last value its section.
    pub(super) fn remove(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let words = ["--unset", key, &exactly(value)];
        self.edit(&words, None, Some((key, value)))?;
        let header = header(key);
        let section = key.strip_suffix(".helper").unwrap_or(key);
        // git removes all sections of that name: so it must be the only one, and empty.
        let is_of_it = |line: &&str| line.trim_start().starts_with(&header);
        let is_only = self.file.text().lines().filter(is_of_it).count() == 1;
        let mut lines = self.file.text().lines().skip_while(|line| *line != header);
        let is_empty =
            lines.next().is_some() && lines.next().is_none_or(|next| next.starts_with('['));
        if is_only && is_empty {
            self.edit(&["--remove-section", section], None, None)?;
            // In a separate call, git would also remove lines that another program writes
            // to the section meanwhile.
            self.file.write_whole();
        }
        Ok(())
    }

    /// Removes consecutive values, the last ones of several. By its own command, git would
    /// remove all equal values. Returns false if the values have no lines of their own.
    pub(super) fn remove_lines(&mut self, key: &str, values: &[&str]) -> Result<bool, Error> {
        let mut wanted = self.values(key)?;
        let Some(at) = wanted
            .windows(values.len())
            .rposition(|there| there == values)
        else {
            return Ok(false);
        };
        wanted.drain(at..at + values.len());
        let parted = |entries: &[String]| -> (Vec<_>, Vec<_>) {
            let entries = entries.iter().cloned();
            entries.partition(|entry| entry.split_once('\n').is_some_and(|(name, _)| name == key))
        };
        let (_, others) = parted(self.entries()?);
        for text in without(self.file.text(), key, values) {
            let after = entries(&self.git, &text)?;
            let (of_key, rest) = parted(&after);
            let values = of_key.iter().filter_map(|entry| entry.split_once('\n'));
            if others == rest && values.map(|(_, value)| value).eq(&wanted) {
                self.file.rewrite(text);
                self.entries = Some(after);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets git edit its file, and checks that git added and removed only these entries,
    /// each a key with its value.
    fn edit(
        &mut self,
        words: &[&str],
        added: Option<(&str, &str)>,
        removed: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let mut before = self.entries()?.to_owned();
        let git = &self.git;
        let path = self.file.path().to_owned();
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        let after = self.file.edit_by(git, &words, |_, text| {
            let after = entries(git, text)?;
            let mut kept = after.clone();
            if take(&mut kept, added) && take(&mut before, removed) && before == kept {
                return Ok(after);
            }
            Err(git.disbelieved(&path, "it is not exactly the requested change"))
        })?;
        self.entries = Some(after);
        Ok(())
    }
}

/// Returns the pattern of one value. `--fixed-value` crashes git before 2.43 if a line
/// has no value.
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

/// True if a file contains a helper as git writes it, even if git does not list it.
pub(super) fn stands(text: &str, key: &str, value: &str) -> bool {
    let ours = format!("helper = {value}");
    let header = header(key);
    let section = text.lines().skip_while(|line| *line != header).skip(1);
    let mut lines = section.take_while(|line| !line.starts_with('['));
    lines.any(|line| line.trim() == ours.trim())
}

/// Returns the text without consecutive `helper` lines of these values: one text for each
/// place where they are, the last place first. Their section goes too if git wrote its
/// header and nothing else is in it.
fn without(text: &str, key: &str, values: &[&str]) -> Vec<String> {
    let header = header(key);
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let there: Vec<_> = lines.iter().map(|line| helper(line)).collect();
    let wanted: Vec<_> = values
        .iter()
        .map(|value| Some((*value).to_owned()))
        .collect();
    let places = (0..lines.len()).rev();
    let places = places.filter(|at| there[*at..].starts_with(&wanted));
    let texts = places.map(|at| {
        let mut lines = lines.clone();
        lines.drain(at..at + values.len());
        let is_last = lines.get(at).is_none_or(|next| next.starts_with('['));
        if is_last && at > 0 && lines[at - 1].trim_end() == header {
            lines.remove(at - 1);
        }
        lines.concat()
    });
    texts.collect()
}

/// Returns the value of a `helper` line; `None` if it is another line, or has a comment.
fn helper(line: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("helper") {
        return None;
    }
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    Some(match inner {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    })
}

/// Removes the last of the equal entries. Returns false if there is no such entry.
fn take(entries: &mut Vec<String>, entry: Option<(&str, &str)>) -> bool {
    let Some((key, value)) = entry else {
        return true;
    };
    let entry = format!("{key}\n{value}");
    let at = entries.iter().rposition(|there| *there == entry);
    at.map(|at| entries.remove(at)).is_some()
}

/// Returns all entries of a file, each a key, LF and the value; for a line without a
/// value, only the key.
fn entries(git: &Tool, text: &str) -> Result<Vec<String>, Error> {
    let mut call = git.call(["config", "--null", "--no-includes", "--file", "-", "--list"]);
    call.stdin(piped(text)?);
    let mut entries = listed(git, call)?;
    // At the end of a file, git reads a CR as part of the value.
    for entry in &mut entries {
        entry.truncate(entry.trim_end_matches('\r').len());
    }
    Ok(entries)
}

/// Returns the values that git prints, each with NUL at its end.
pub(super) fn listed(git: &Tool, call: Command) -> Result<Vec<String>, Error> {
    // git exits with 1 if there is no such key, and with 128 if it cannot read the
    // values.
    let Some(ended) = git.ask(call)? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(&ended.stdout);
    let mut values: Vec<_> = text.split('\0').map(ToOwned::to_owned).collect();
    values.pop();
    Ok(values)
}
