//! What setups changed, so that `--undo` takes out that and nothing else:
//! `setup.json` beside the config file. No secret is in it.

mod check;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

pub(crate) use check::is_path;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::error::Report;
use crate::host::HostPattern;

/// One thing that a setup put into a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The file's path.
    pub(crate) file: String,
    /// Where in it, from the outermost key to the innermost.
    pub(crate) at: Vec<String>,
    /// What was put there.
    pub(crate) ours: String,
    /// What stood there before; none where nothing did.
    pub(crate) former: Option<String>,
}

impl Edit {
    /// Where it was made, as a slice to match on.
    pub(crate) fn key(&self) -> Vec<&str> {
        self.at.iter().map(String::as_str).collect()
    }

    /// True if it is a host rule of the config file, as every tool's setup makes it.
    pub(crate) fn is_host_rule(&self) -> bool {
        let key = self.key();
        let ["hosts", host] = key[..] else {
            return false;
        };
        HostPattern::parse(host).is_some() && self.former.is_none()
    }

    /// True if the file stands in the setup's name, `HOST FILE`.
    pub(crate) fn is_in_file_of(&self, of: &str) -> bool {
        let rest = of.strip_suffix(&self.file);
        rest.is_some_and(|rest| rest.ends_with(' '))
    }

    fn is_at(&self, other: &Self) -> bool {
        (&self.file, &self.at) == (&other.file, &other.at)
    }
}

/// A file as it was before the first setup changed it, and as the last one left
/// it: SHA-256, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// None where there was no file.
    before: Option<String>,
    left: Option<String>,
    /// Whether others have changed it in between.
    touched: bool,
    /// Which of the copies beside it is of what it was.
    pub(crate) copy: Option<u32>,
}

impl Note {
    /// Notes a file that no setup has changed yet.
    pub(crate) fn first(before: Option<&str>) -> Self {
        Self {
            before: before.map(digest_of),
            left: before.map(digest_of),
            touched: false,
            copy: None,
        }
    }

    /// Whether there was no file.
    pub(crate) const fn was_absent(&self) -> bool {
        self.before.is_none()
    }

    /// Whether this is what the file was.
    pub(crate) fn was(&self, text: &str) -> bool {
        self.before.as_deref() == Some(&digest_of(text))
    }

    /// Sees the file as it is now, before it is changed again. Where it is what
    /// it was, as after a setup or an undo that was killed, nothing of others is
    /// in it.
    pub(crate) fn see(&mut self, now: Option<&str>) {
        let now = now.map(digest_of);
        self.touched = self.before != now && (self.touched || self.left != now);
    }

    /// Notes what is left behind.
    pub(crate) fn leave(&mut self, after: Option<&str>) {
        self.left = after.map(digest_of);
    }

    /// Whether only setups have changed the file.
    pub(crate) const fn is_ours_alone(&self) -> bool {
        !self.touched
    }
}

/// All setups that are in place, by their name: `git git.acme.dev`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    version: Version,
    /// The files that they changed, by path.
    pub(crate) files: BTreeMap<String, Note>,
    setups: BTreeMap<String, Vec<Edit>>,
}

/// True if a setup, by its name, makes such an edit.
pub(crate) type Owns = fn(&str, &Edit) -> bool;

/// The file's form.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "1")]
    One,
}

impl Journal {
    /// Reads `setup.json`; no text is no setups.
    ///
    /// # Errors
    /// It was written by something else.
    pub(crate) fn parse(text: &str, owns: Owns) -> Result<Self, Report> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let damaged = |how: String| {
            Report::new(format!("it is not as setup writes it: {how}")).hint(
                "move it away to go on without it; what was set up before must then be taken out by hand",
            )
        };
        let journal = serde_json::from_str(text)
            .map_err(|error| damaged(format!("line {} has another form", error.line())))?;
        match check::fault(&journal, owns) {
            Some(fault) => Err(damaged(fault)),
            None => Ok(journal),
        }
    }

    /// Its text; none where nothing is set up.
    ///
    /// # Errors
    /// It would not be believed when it is read.
    pub(crate) fn text(&self, owns: Owns) -> Result<Option<String>, Report> {
        if self.setups.is_empty() {
            return Ok(None);
        }
        let unfit = |how: String| {
            Report::new(format!("it cannot hold this setup: {how}")).hint(
                "an undo goes by it: paths and names have no control characters there, and paths no ..",
            )
        };
        if let Some(fault) = check::fault(self, owns) {
            return Err(unfit(fault));
        }
        let text = serde_json::to_string_pretty(self).map_err(|error| unfit(error.to_string()))?;
        Ok(Some(text + "\n"))
    }

    /// Adds what a setup did. Where it, or another, did the same before, what
    /// stood there before that stays remembered.
    pub(crate) fn record(&mut self, setup: &str, mut edit: Edit) {
        let mut known = self.setups.values().flatten();
        if let Some(same) = known.find(|known| known.is_at(&edit) && known.ours == edit.ours) {
            edit.former.clone_from(&same.former);
        }
        let edits = self.setups.entry(setup.to_owned()).or_default();
        match edits.iter_mut().find(|known| known.is_at(&edit)) {
            Some(known) => known.ours = edit.ours,
            None => edits.push(edit),
        }
    }

    /// Has all setups that put something at a place have put this there.
    pub(crate) fn renew(&mut self, edit: &Edit) {
        let all = self.setups.values_mut().flatten();
        for known in all.filter(|known| known.is_at(edit)) {
            known.ours.clone_from(&edit.ours);
        }
    }

    /// What a setup did, the first first.
    pub(crate) fn edits_of(&self, setup: &str) -> &[Edit] {
        self.setups.get(setup).map_or(&[], Vec::as_slice)
    }

    /// The edit that some setup made at this place.
    pub(crate) fn edit_at(&self, file: &str, at: &[&str]) -> Option<&Edit> {
        let mut edits = self.setups.values().flatten();
        edits.find(|edit| edit.file == file && edit.at == at)
    }

    /// What a setup did, to be undone, the last first; it is then no longer in
    /// place. What another setup did as well, or has put something else in place
    /// of, is not among it.
    pub(crate) fn take(&mut self, setup: &str) -> Option<Vec<Edit>> {
        let mut edits = self.setups.remove(setup)?;
        edits.retain(|edit| {
            let mut is_needed = false;
            for other in self.setups.values_mut().flatten() {
                if !other.is_at(edit) {
                    continue;
                }
                if other.ours == edit.ours {
                    is_needed = true;
                } else if other.former.as_ref() == Some(&edit.ours) {
                    other.former.clone_from(&edit.former);
                    is_needed = true;
                }
            }
            !is_needed
        });
        edits.reverse();
        Some(edits)
    }

    /// The host rules that a setup and another need, and which that is.
    pub(crate) fn rules_of(&self, setup: &str) -> Vec<(String, String)> {
        let needed = self.edits_of(setup).iter().filter_map(|edit| {
            let ["hosts", rule] = edit.key()[..] else {
                return None;
            };
            let mut others = self.setups.iter().filter(|(name, _)| *name != setup);
            let (name, _) =
                others.find(|(_, edits)| edits.iter().any(|other| other.is_at(edit)))?;
            let mut words = name.split(' ');
            let (tool, host) = (words.next()?, words.next()?);
            Some((rule.to_owned(), format!("{tool} for {host}")))
        });
        needed.collect()
    }

    /// The file of a setup whose name begins so.
    pub(crate) fn elsewhere(&self, setup: &str) -> Option<&str> {
        self.setups.keys().find_map(|name| name.strip_prefix(setup))
    }

    /// Has what is noted of a file noted by the path that it has now, if it was
    /// another: it was moved, and a link left in its place.
    pub(crate) fn follow(&mut self, now: &Path) {
        let leads_there = |file: &str| {
            let file = Path::new(file);
            file != now && file.canonicalize().is_ok_and(|real| real == now)
        };
        let mut files = self.setups.values().flatten().map(|edit| &edit.file);
        let Some(former) = files.find(|file| leads_there(file)).cloned() else {
            return;
        };
        let now = now.to_string_lossy().into_owned();
        if let Some(note) = self.files.remove(&former) {
            self.files.entry(now.clone()).or_insert(note);
        }
        for (name, mut edits) in std::mem::take(&mut self.setups) {
            for edit in edits.iter_mut().filter(|edit| edit.file == former) {
                edit.file.clone_from(&now);
            }
            let of = name.strip_suffix(&former).filter(|of| of.ends_with(' '));
            let name = of.map_or(name.clone(), |of| format!("{of}{now}"));
            self.setups.entry(name).or_default().extend(edits);
        }
    }

    /// Whether a tool is set up for a host.
    pub(crate) fn has(&self, tool: &str) -> bool {
        let mut tools = self.setups.keys().map(|setup| setup.split(' ').next());
        tools.any(|known| known == Some(tool))
    }

    /// Whether a setup that is in place changed this file.
    pub(crate) fn uses(&self, file: &str) -> bool {
        self.setups.values().flatten().any(|edit| edit.file == file)
    }
}

fn digest_of(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
