//! The records of `setup.json`: one edit of a file, and the digests of a whole file.

use serde::{Deserialize, Serialize};

use crate::host::HostPattern;
use crate::text::clock::UnixTime;
use crate::text::digest::sha256;

/// One edit that a setup made in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The file's path.
    pub(crate) file: String,
    /// Keys of the place in it, from the outermost to the innermost.
    pub(crate) at: Vec<String>,
    /// The value that the setup set.
    pub(crate) ours: String,
    /// The former value; `None` if there was none.
    pub(crate) former: Option<String>,
    /// The value that this setup set the time before: still in the file if the last setup
    /// was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) earlier: Option<String>,
    /// Time of the edit; `None` in the journal of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<UnixTime>,
}

/// The current value at the place of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The setup's value.
    Ours,
    /// The former value: the setup was killed, or another program restored it.
    Former,
    /// No value.
    Gone,
    /// Another value.
    Changed,
}

impl Standing {
    /// Returns the reason why an undo keeps the value; `None` if it is the setup's own.
    pub(crate) fn left(self, name: &str) -> Option<String> {
        let why = match self {
            Self::Ours => return None,
            Self::Former => "has its former value already",
            Self::Gone => "was removed already",
            Self::Changed => {
                "was changed since the setup, so it stays: remove it by hand if nothing needs it"
            }
        };
        Some(format!("{name} {why}"))
    }
}

impl Edit {
    /// Returns the edit of a file.
    pub(crate) fn new(file: String, at: &[&str], ours: &str, former: Option<String>) -> Self {
        Self {
            file,
            at: at.iter().map(|&part| part.to_owned()).collect(),
            ours: ours.to_owned(),
            former,
            earlier: None,
            when: None,
        }
    }

    /// Returns the keys of the edit's place, as a slice to match on.
    pub(crate) fn key(&self) -> Vec<&str> {
        self.at.iter().map(String::as_str).collect()
    }

    /// Returns the state of the current value, by a comparison of two values.
    pub(crate) fn standing<T: ?Sized>(
        &self,
        now: Option<&T>,
        is: impl Fn(&T, &str) -> bool,
    ) -> Standing {
        let Some(now) = now else {
            return Standing::Gone;
        };
        let is_one = |value: &Option<String>| value.as_deref().is_some_and(|value| is(now, value));
        if is(now, &self.ours) || is_one(&self.earlier) {
            Standing::Ours
        } else if is_one(&self.former) {
            Standing::Former
        } else {
            Standing::Changed
        }
    }

    /// True for a host rule of the config file, as every tool's setup makes it.
    pub(crate) fn is_host_rule(&self) -> bool {
        let key = self.key();
        let ["hosts", host] = key[..] else {
            return false;
        };
        HostPattern::parse(host).is_some() && self.former.is_none()
    }

    /// True for an edit of the config file.
    pub(crate) fn is_of_config(&self) -> bool {
        let first = self.at.first().map(String::as_str);
        matches!(first, Some("hosts" | "profiles" | "default-profile"))
    }

    /// True if the setup's name, `HOST FILE`, contains the file.
    pub(crate) fn is_in_file_of(&self, of: &str) -> bool {
        let rest = of.strip_suffix(&self.file);
        rest.is_some_and(|rest| rest.ends_with(' '))
    }

    /// True if both are at the same place of the same file.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        (&self.file, &self.at) == (&other.file, &other.at)
    }
}

/// The states of a file before the first setup changed it, and after the last one:
/// SHA-256, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// `None` if there was no file.
    pub(super) before: Option<String>,
    pub(super) left: Option<String>,
    /// True if others changed the file in between.
    pub(super) touched: bool,
    /// Number of the file's backup. The first edition numbered them; now it is always 1.
    pub(super) copy: Option<u32>,
    /// State before the last setup; still current if that setup was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    /// States between the changes of the last setup, which may have been killed there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<String>,
}

impl Note {
    /// Returns the note of a file that no setup has changed yet.
    pub(crate) fn first(before: Option<&str>) -> Self {
        Self {
            before: before.map(digest_of),
            left: before.map(digest_of),
            touched: false,
            copy: None,
            found: None,
            steps: Vec::new(),
        }
    }

    /// True if there was no file.
    pub(crate) const fn was_absent(&self) -> bool {
        self.before.is_none()
    }

    /// True if the file had this text before the first setup.
    pub(crate) fn was(&self, text: &str) -> bool {
        self.before.as_deref() == Some(&digest_of(text))
    }

    /// Records whether others changed the file. The original state, and one that a killed
    /// setup or undo can have left, count as unchanged.
    pub(crate) fn see(&mut self, now: Option<&str>) {
        let now = now.map(digest_of);
        let is_one = |now: &String| self.found.as_ref() == Some(now) || self.steps.contains(now);
        let is_known = self.left == now || now.as_ref().is_some_and(is_one);
        self.touched = self.before != now && (self.touched || !is_known);
        self.found = now.filter(|now| self.before.as_ref() != Some(now));
    }

    /// Records that the file is written before this note, as in an undo.
    pub(crate) fn forget_found(&mut self) {
        self.found = None;
        self.steps.clear();
    }

    /// Records the file's final text and those in between.
    pub(crate) fn leave<'t>(&mut self, after: Option<&str>, steps: impl Iterator<Item = &'t str>) {
        self.left = after.map(digest_of);
        self.steps = steps.map(digest_of).collect();
        self.steps.retain(|step| self.left.as_ref() != Some(step));
    }

    /// True if only setups have changed the file.
    pub(crate) const fn is_ours_alone(&self) -> bool {
        !self.touched
    }

    /// Returns the number of the backup.
    pub(crate) const fn backup(&self) -> Option<u32> {
        self.copy
    }

    /// Records that there is a backup.
    pub(crate) const fn set_backup(&mut self) {
        self.copy = Some(1);
    }
}

/// Returns a text's SHA-256 in hex.
pub(super) fn digest_of(text: &str) -> String {
    sha256(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_detects_changes_of_the_file_by_others() {
        let mut note = Note::first(Some("a"));
        note.see(Some("a"));
        note.leave(Some("b"), std::iter::empty());
        note.see(Some("b"));
        assert!(note.is_ours_alone() && note.was("a") && !note.was("b"));
        note.see(Some("c"));
        assert!(!note.is_ours_alone());
        note.see(Some("b"));
        assert!(!note.is_ours_alone());
        note.see(Some("a"));
        assert!(note.is_ours_alone());
    }

    #[test]
    fn a_note_recognizes_a_file_that_a_killed_setup_left() {
        let mut note = Note::first(Some("a"));
        note.see(Some("a"));
        note.leave(Some("b"), std::iter::empty());
        // The second setup is killed before it writes "c", or before "d".
        note.see(Some("b"));
        note.leave(Some("d"), ["c", "d"].into_iter());
        for now in ["b", "c", "d"] {
            let mut note = note.clone();
            note.see(Some(now));
            assert!(note.is_ours_alone(), "{now}");
        }
        note.see(Some("e"));
        assert!(!note.is_ours_alone());
    }

    #[test]
    fn the_current_value_is_ours_the_former_or_changed() {
        let mut edit = Edit::new("/f".into(), &["a"], "new", Some("old".into()));
        edit.earlier = Some("moved".into());
        let standing = |edit: &Edit, now| edit.standing(now, |one: &str, other| one == other);
        for (now, expected) in [
            (Some("new"), Standing::Ours),
            (Some("moved"), Standing::Ours),
            (Some("old"), Standing::Former),
            (Some("x"), Standing::Changed),
            (None, Standing::Gone),
        ] {
            assert_eq!(standing(&edit, now), expected);
        }
    }
}
