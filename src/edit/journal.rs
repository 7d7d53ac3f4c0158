//! The edits of all setups, so that `--undo` removes those and nothing else: `setup.json`
//! beside the config file. It contains no secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check;
use super::check::Owns;
use super::entry::{Edit, Note};
use crate::error::Report;
use crate::sys::paths::canonicalize;
use crate::text::clock::UnixTime;

/// Setups by name, `git git.acme.dev /home/me/.gitconfig`.
type Setups = BTreeMap<String, Vec<Edit>>;

/// All current setups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    version: Version,
    /// The files that they changed, by path.
    pub(super) files: BTreeMap<String, Note>,
    /// Setups of the first edition that name no config file.
    #[serde(default)]
    setups: Setups,
    /// Setups by config file: several config files may be in the directory of
    /// `setup.json`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    configs: BTreeMap<String, Setups>,
    /// The directories that they created.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    directories: BTreeSet<String>,
    /// The config file of this call.
    #[serde(skip)]
    config: String,
    /// Time of writing.
    #[serde(skip)]
    now: Option<UnixTime>,
}

/// Version of the file's format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "1")]
    One,
}

impl Journal {
    /// Reads `setup.json` for a config file; an absent file has no setups.
    ///
    /// # Errors
    /// Another program wrote it.
    pub(crate) fn parse(text: &str, config: &str, owns: Owns) -> Result<Self, Report> {
        let damaged = |how: String| {
            Report::new(format!("invalid setup journal: {how}"))
                .hint("move it away to continue without it; then undo earlier setups by hand")
        };
        let mut journal = if text.is_empty() {
            Self::default()
        } else {
            serde_json::from_str(text)
                .map_err(|error| damaged(format!("invalid line {}", error.line())))?
        };
        if let Some(fault) = journal.fault(owns) {
            return Err(damaged(fault));
        }
        config.clone_into(&mut journal.config);
        journal.sort_by_config();
        Ok(journal)
    }

    /// Returns the text of `setup.json`; `None` if there are no setups.
    ///
    /// # Errors
    /// The text would be refused on reading.
    pub(crate) fn text(&self, owns: Owns) -> Result<Option<String>, Report> {
        if self.is_empty() {
            return Ok(None);
        }
        let unfit = |how: String| {
            Report::new(format!("this setup cannot be recorded: {how}"))
                .hint("use paths and names without control characters, and paths without ..")
        };
        if let Some(fault) = self.fault(owns) {
            return Err(unfit(fault));
        }
        let text = serde_json::to_string_pretty(self).map_err(|error| unfit(error.to_string()))?;
        Ok(Some(text + "\n"))
    }

    /// True if there are no setups.
    pub(super) fn is_empty(&self) -> bool {
        self.edits().next().is_none()
    }

    fn fault(&self, owns: Owns) -> Option<String> {
        let paths = self.configs.keys().chain(&self.directories);
        let configs = paths.into_iter().find(|path| !check::is_path(path));
        let of_setups = |setups| check::fault_of_setups(setups, owns);
        check::fault_of_files(&self.files)
            .or_else(|| configs.map(|config| format!("{config:?} is not a plain absolute path")))
            .or_else(|| of_setups(&self.setups))
            .or_else(|| self.configs.values().find_map(of_setups))
    }

    /// Moves setups of the first edition to the config file that they changed.
    fn sort_by_config(&mut self) {
        for (name, edits) in std::mem::take(&mut self.setups) {
            let config = edits.iter().find(|edit| edit.is_of_config());
            let setups = match config.map(|edit| edit.file.clone()) {
                Some(config) => self.configs.entry(config).or_default(),
                None => &mut self.setups,
            };
            setups.entry(name).or_default().extend(edits);
        }
    }

    /// Returns the setups of this config file, and those that name none.
    fn own(&self) -> impl Iterator<Item = (&String, &Vec<Edit>)> {
        let own = self.configs.get(&self.config).into_iter().flatten();
        own.chain(&self.setups)
    }

    fn all(&self) -> impl Iterator<Item = (&String, &Vec<Edit>)> {
        self.configs.values().flatten().chain(&self.setups)
    }

    fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.all().flat_map(|(_, edits)| edits)
    }

    fn edits_mut(&mut self) -> impl Iterator<Item = &mut Edit> {
        let setups = self.configs.values_mut().chain([&mut self.setups]);
        setups.flat_map(BTreeMap::values_mut).flatten()
    }

    /// Adds an edit of a setup. The value from before the first setup that made the same
    /// edit stays recorded.
    pub(crate) fn record(&mut self, setup: &str, mut edit: Edit) {
        let same = |known: &&Edit| known.is_at(&edit) && known.ours == edit.ours;
        let former = self.edits().find(same).map(|same| same.former.clone());
        edit.former = former.unwrap_or(edit.former);
        edit.when = self.now;
        let unsorted = self.setups.remove(setup).unwrap_or_default();
        let own = self.configs.entry(self.config.clone()).or_default();
        let edits = own.entry(setup.to_owned()).or_default();
        edits.extend(unsorted);
        match edits.iter_mut().find(|known| known.is_at(&edit)) {
            Some(known) if known.ours == edit.ours => {}
            Some(known) => {
                known.earlier = Some(std::mem::replace(&mut known.ours, edit.ours));
                known.when = edit.when;
            }
            None => edits.push(edit),
        }
    }

    /// Sets the time for the edits recorded from now on.
    pub(crate) const fn set_time(&mut self, now: UnixTime) {
        self.now = Some(now);
    }

    /// Returns all setups, each with its config file if that is known.
    pub(crate) fn setups(&self) -> impl Iterator<Item = (Option<&str>, &str, &[Edit])> {
        let filed = self.configs.iter().flat_map(|(config, setups)| {
            let config = Some(config.as_str());
            setups
                .iter()
                .map(move |(name, edits)| (config, name, edits))
        });
        let unfiled = self.setups.iter().map(|(name, edits)| (None, name, edits));
        let all = filed.chain(unfiled);
        all.map(|(config, name, edits)| (config, name.as_str(), edits.as_slice()))
    }

    /// Drops all other setups, so that an undo checks every edit of this one.
    pub(crate) fn keep_only(&mut self, setup: &str) {
        for setups in self.configs.values_mut().chain([&mut self.setups]) {
            setups.retain(|name, _| name == setup);
        }
    }

    /// Updates the recorded value of a place in every setup that set it.
    pub(crate) fn renew(&mut self, edit: &Edit) {
        for known in self.edits_mut().filter(|known| known.is_at(edit)) {
            if known.ours != edit.ours {
                known.earlier = Some(std::mem::replace(&mut known.ours, edit.ours.clone()));
            }
        }
    }

    /// Returns the edits of a setup, in their order.
    pub(crate) fn edits_of(&self, setup: &str) -> &[Edit] {
        let known = self.own().find(|(name, _)| *name == setup);
        known.map_or(&[], |(_, edits)| edits)
    }

    /// Returns the edit that any setup made at this place.
    pub(crate) fn edit_at(&self, file: &str, at: &[&str]) -> Option<&Edit> {
        self.edits().find(|edit| edit.file == file && edit.at == at)
    }

    /// True if a current setup set this value at the place of an edit.
    pub(crate) fn is_anothers(&self, edit: &Edit, is: impl Fn(&str) -> bool) -> bool {
        self.edits()
            .any(|other| other.is_at(edit) && is(&other.ours))
    }

    /// Removes a setup, and returns its edits, the last first, without those that another
    /// setup needs; `None` if it is not set up.
    pub(crate) fn take(&mut self, setup: &str) -> Option<Vec<Edit>> {
        let own = self.configs.get_mut(&self.config);
        let own = own.and_then(|own| own.remove(setup));
        let mut edits = own.or_else(|| self.setups.remove(setup))?;
        self.configs.retain(|_, setups| !setups.is_empty());
        edits.retain(|edit| {
            let mut is_needed = false;
            for other in self.edits_mut().filter(|other| other.is_at(edit)) {
                is_needed |= other.ours == edit.ours;
                if other.former.as_ref() == Some(&edit.ours) {
                    // The other setup came later, so this one's former value becomes its
                    // own.
                    other.former.clone_from(&edit.former);
                }
            }
            !is_needed
        });
        edits.reverse();
        Some(edits)
    }

    /// Returns the host rules that this setup and another need, with the other's name.
    pub(crate) fn rules_of(&self, setup: &str) -> Vec<(String, String)> {
        let needed = self.edits_of(setup).iter().filter_map(|edit| {
            let ["hosts", rule] = edit.key()[..] else {
                return None;
            };
            let mut others = self.own().filter(|(name, _)| *name != setup);
            let (name, _) =
                others.find(|(_, edits)| edits.iter().any(|other| other.is_at(edit)))?;
            let mut words = name.split(' ');
            let (tool, host) = (words.next()?, words.next()?);
            Some((rule.to_owned(), format!("{tool} for {host}")))
        });
        needed.collect()
    }

    /// True if a setup of this config file needs a host rule.
    pub(crate) fn has_rule(&self, host: &str) -> bool {
        let mut edits = self.own().flat_map(|(_, edits)| edits);
        edits.any(|edit| edit.key() == ["hosts", host])
    }

    /// Returns the file of a setup whose name begins with this text.
    pub(crate) fn elsewhere(&self, setup: &str) -> Option<&str> {
        self.own().find_map(|(name, _)| name.strip_prefix(setup))
    }

    /// Renames the records of a file that was moved and linked to.
    pub(crate) fn follow(&mut self, now: &Path) {
        let leads_there = |file: &str| {
            let file = Path::new(file);
            file != now && canonicalize(file).is_ok_and(|real| real == now)
        };
        let edited = self.edits().map(|edit| &edit.file);
        let mut files = edited.chain(self.configs.keys()).cloned();
        let Some(former) = files.find(|file| leads_there(file)) else {
            return;
        };
        drop(files);
        let now = now.to_string_lossy().into_owned();
        if let Some(note) = self.files.remove(&former) {
            self.files.entry(now.clone()).or_insert(note);
        }
        let renamed = |name: String| match name.strip_suffix(&former) {
            Some(of) if of.ends_with(' ') => format!("{of}{now}"),
            _ => name,
        };
        let moved = |setups: Setups| {
            let mut moved = Setups::new();
            for (name, mut edits) in setups {
                for edit in edits.iter_mut().filter(|edit| edit.file == former) {
                    edit.file.clone_from(&now);
                }
                moved.entry(renamed(name)).or_default().extend(edits);
            }
            moved
        };
        self.setups = moved(std::mem::take(&mut self.setups));
        for (config, setups) in std::mem::take(&mut self.configs) {
            let config = if config == former {
                now.clone()
            } else {
                config
            };
            let of_config = self.configs.entry(config).or_default();
            of_config.extend(moved(setups));
        }
    }

    /// Drops files that no setup is left in.
    pub(super) fn forget_unused_files(&mut self) {
        for (name, note) in std::mem::take(&mut self.files) {
            if self.uses(&name) {
                self.files.insert(name, note);
            }
        }
    }

    /// Records a directory that this setup creates.
    pub(super) fn note_directory(&mut self, dir: &Path) {
        // A path that an undo would refuse is left out.
        let path = dir.to_str().filter(|path| check::is_path(path));
        self.directories.extend(path.map(str::to_owned));
    }

    /// Drops the directories above files that an undo removes, except those above another
    /// setup's file. Returns them, the innermost first.
    pub(super) fn take_directories(&mut self, removed: &[PathBuf]) -> Vec<PathBuf> {
        let edited: Vec<_> = self.edits().map(|edit| edit.file.clone()).collect();
        let is_needed = |dir: &String| edited.iter().any(|file| Path::new(file).starts_with(dir));
        let is_above = |dir: &String| removed.iter().any(|file| file.starts_with(dir));
        let known = std::mem::take(&mut self.directories);
        let (taken, kept) = known
            .into_iter()
            .partition::<BTreeSet<_>, _>(|dir| is_above(dir) && !is_needed(dir));
        self.directories = kept;
        taken.into_iter().rev().map(PathBuf::from).collect()
    }

    /// True if a tool is set up for a host.
    pub(crate) fn has(&self, tool: &str) -> bool {
        let mut tools = self.all().map(|(setup, _)| setup.split(' ').next());
        tools.any(|known| known == Some(tool))
    }

    /// True if a current setup changed this file.
    pub(crate) fn uses(&self, file: &str) -> bool {
        self.edits().any(|edit| edit.file == file)
    }
}

#[cfg(test)]
mod tests;
