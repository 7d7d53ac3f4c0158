//! What setups changed, so that `--undo` takes out that and nothing else:
//! `setup.json` beside the config file. No secret is in it.

mod check;

use std::collections::BTreeMap;
use std::fmt::Write;

use ring::digest;
use serde::{Deserialize, Serialize};

use crate::error::Report;

/// One thing that a setup put into a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// The file's path.
    pub(super) file: String,
    /// Where in it, from the outermost key to the innermost.
    pub(super) at: Vec<String>,
    /// What was put there.
    pub(super) ours: String,
    /// What stood there before; none where nothing did.
    pub(super) former: Option<String>,
}

impl Edit {
    /// Where it was made, as a slice to match on.
    pub(super) fn key(&self) -> Vec<&str> {
        self.at.iter().map(String::as_str).collect()
    }

    fn is_at(&self, other: &Self) -> bool {
        (&self.file, &self.at) == (&other.file, &other.at)
    }
}

/// A file as it was before the first setup changed it, and as the last one left
/// it: SHA-256, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// None where there was no file.
    before: Option<String>,
    left: Option<String>,
    /// Whether others have changed it in between.
    touched: bool,
    /// Which of the copies beside it is of what it was.
    pub(super) copy: Option<u32>,
}

impl Note {
    /// Notes a file that no setup has changed yet.
    pub(super) fn first(before: Option<&str>) -> Self {
        Self {
            before: before.map(digest_of),
            left: before.map(digest_of),
            touched: false,
            copy: None,
        }
    }

    /// Whether there was no file.
    pub(super) const fn was_absent(&self) -> bool {
        self.before.is_none()
    }

    /// Whether this is what the file was.
    pub(super) fn was(&self, text: &str) -> bool {
        self.before.as_deref() == Some(&digest_of(text))
    }

    /// Sees the file as it is now, before it is changed again. Where it is what
    /// it was, as after a setup or an undo that was killed, nothing of others is
    /// in it.
    pub(super) fn see(&mut self, now: Option<&str>) {
        let now = now.map(digest_of);
        self.touched = self.before != now && (self.touched || self.left != now);
    }

    /// Notes what is left behind.
    pub(super) fn leave(&mut self, after: Option<&str>) {
        self.left = after.map(digest_of);
    }

    /// Whether only setups have changed the file.
    pub(super) const fn is_ours_alone(&self) -> bool {
        !self.touched
    }
}

/// All setups that are in place, by their name: `git git.acme.dev`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    version: Version,
    /// The files that they changed, by path.
    pub(super) files: BTreeMap<String, Note>,
    setups: BTreeMap<String, Vec<Edit>>,
}

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
    pub(super) fn parse(text: &str) -> Result<Self, Report> {
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
        match check::fault(&journal) {
            Some(fault) => Err(damaged(fault)),
            None => Ok(journal),
        }
    }

    /// Its text; none where nothing is set up.
    ///
    /// # Errors
    /// It would not be believed when it is read.
    pub(super) fn text(&self) -> Result<Option<String>, Report> {
        if self.setups.is_empty() {
            return Ok(None);
        }
        let unfit = |how: String| {
            Report::new(format!("it cannot hold this setup: {how}")).hint(
                "an undo goes by it: paths and names have no control characters there, and paths no ..",
            )
        };
        if let Some(fault) = check::fault(self) {
            return Err(unfit(fault));
        }
        let text = serde_json::to_string_pretty(self).map_err(|error| unfit(error.to_string()))?;
        Ok(Some(text + "\n"))
    }

    /// Adds what a setup did. Where it, or another, did the same before, what
    /// stood there before that stays remembered.
    pub(super) fn record(&mut self, setup: &str, mut edit: Edit) {
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
    pub(super) fn renew(&mut self, edit: &Edit) {
        let all = self.setups.values_mut().flatten();
        for known in all.filter(|known| known.is_at(edit)) {
            known.ours.clone_from(&edit.ours);
        }
    }

    /// What a setup did, the first first.
    pub(super) fn edits_of(&self, setup: &str) -> &[Edit] {
        self.setups.get(setup).map_or(&[], Vec::as_slice)
    }

    /// The edit that some setup made at this place.
    pub(super) fn edit_at(&self, file: &str, at: &[&str]) -> Option<&Edit> {
        let mut edits = self.setups.values().flatten();
        edits.find(|edit| edit.file == file && edit.at == at)
    }

    /// What a setup did, to be undone, the last first; it is then no longer in
    /// place. What another setup did as well, or has put something else in place
    /// of, is not among it.
    pub(super) fn take(&mut self, setup: &str) -> Option<Vec<Edit>> {
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

    /// Whether a tool is set up for a host.
    pub(super) fn has(&self, tool: &str) -> bool {
        let mut tools = self.setups.keys().map(|setup| setup.split(' ').next());
        tools.any(|known| known == Some(tool))
    }

    /// Whether a setup that is in place changed this file.
    pub(super) fn uses(&self, file: &str) -> bool {
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
mod tests {
    use super::*;

    fn edit(at: &str, ours: &str, former: Option<&str>) -> Edit {
        Edit {
            file: "/f".into(),
            at: vec!["hosts".into(), at.into()],
            ours: ours.into(),
            former: former.map(Into::into),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_other_text_refused() {
        let mut journal = Journal::default();
        assert_eq!(journal.text().expect("text"), None);
        journal.record("git a.dev", edit("a.dev", "x", None));
        let mut note = Note::first(None);
        note.leave(Some("z"));
        journal.files.insert("/f".into(), note);
        let text = journal.text().expect("text").expect("some");
        assert_eq!(Journal::parse(&text).expect("a journal"), journal);
        assert_eq!(Journal::parse("").expect("a journal"), Journal::default());
        for bad in ["{}", "[]", "x", &text.replace("\"1\"", "\"2\"")] {
            assert!(Journal::parse(bad).is_err(), "{bad}");
        }
    }

    fn is_believed(journal: &Journal) -> bool {
        let text = serde_json::to_string(journal).expect("text");
        let is_read = Journal::parse(&text).is_ok();
        assert_eq!(journal.text().is_ok(), is_read, "it is written only then");
        is_read
    }

    fn parse(setup: &str, file: &str, at: &[&str], ours: &str, former: Option<&str>) -> bool {
        let mut journal = Journal::default();
        let edit = Edit {
            file: file.into(),
            at: at.iter().map(|&part| part.into()).collect(),
            ours: ours.into(),
            former: former.map(Into::into),
        };
        journal.record(setup, edit);
        is_believed(&journal)
    }

    #[test]
    fn only_what_a_setup_could_have_noted_is_believed() {
        let key = "credential.https://g.dev.helper";
        for (setup, at, ours, former) in [
            (
                "profile p",
                &["default-profile"][..],
                "\"p\"",
                Some("\"q\""),
            ),
            ("profile p", &["profiles", "p"], "issuer = 1\n", None),
            ("profile p", &["profiles", "p", "issuer"], "1", Some("2")),
            ("git g.dev /f", &["hosts", "g.dev"], "x", None),
            ("git g.dev /f", &[key, ""], "", None),
            ("git g.dev /f", &[key, "!'/x' git"], "!'/x' git", None),
            ("docker r.dev:5 /f", &["credHelpers"], "{}", Some("null")),
            (
                "docker r.dev /f",
                &["credHelpers", "r.dev"],
                "zitadel",
                Some("x"),
            ),
            ("kubectl a b /f", &["users", "a b"], "{}", None),
            ("kubectl a /f", &["contexts", "c", "user"], "a", Some("b")),
        ] {
            assert!(parse(setup, "/f", at, ours, former), "{setup} {at:?}");
            for file in [
                "f",
                "",
                "/d/../f",
                "/f\n",
                &format!("/{}", "f".repeat(4096)),
            ] {
                assert!(!parse(setup, file, at, ours, former), "{setup} {file}");
            }
            assert!(!parse(setup, "/f", at, &"x".repeat(70_000), former));
            assert!(!parse("other g.dev /f", "/f", at, ours, former));
        }
        for (setup, at, ours, former) in [
            ("profile p", &["profiles", "q"][..], "x", None),
            ("profile p", &["profiles", "p", "key-command"], "x", None),
            ("profile p", &["hosts", "g.dev"], "x", None),
            ("git g.dev /g", &[key, ""], "", None),
            ("git g.dev /f", &["hosts", "g.dev"], "x", Some("y")),
            ("git g.dev /f", &["core.pager", "x"], "x", None),
            ("git g.dev /f", &[key, "--file=/g"], "--file=/g", None),
            ("git g.dev /f", &[key, "zitadel"], "other", None),
            ("docker r.dev /f", &["auths"], "{}", None),
            (
                "docker r.dev /f",
                &["credHelpers"],
                "{}",
                Some("{},\"a\":1"),
            ),
            ("docker r.dev /f", &["credHelpers", "r.dev"], "other", None),
            ("kubectl a /f", &["users", "--kubeconfig=/g"], "{}", None),
            ("kubectl a /f", &["contexts", "-c", "user"], "a", None),
            ("kubectl a /f", &["clusters", "c", "server"], "a", None),
            ("kubectl a /f", &[], "a", None),
        ] {
            assert!(!parse(setup, "/f", at, ours, former), "{setup} {at:?}");
        }
        let note = |file: &str, digest: &str, copy: u32| {
            let mut journal = Journal::default();
            journal.record("git g.dev /f", edit("g.dev", "x", None));
            let note = Note {
                before: Some(digest.to_owned()),
                left: None,
                touched: false,
                copy: Some(copy),
            };
            journal.files.insert(file.into(), note);
            is_believed(&journal)
        };
        let digest = digest_of("");
        assert!(note("/f", &digest, 1));
        assert!(!note("f", &digest, 1));
        assert!(!note("/f", &digest[1..], 1));
        assert!(!note("/f", &digest, 0));
        assert!(!note("/f", &digest, 100));
    }

    /// What a provider's place held before is not put back: it would be run.
    #[test]
    fn of_cargo_and_terraform_no_more_is_believed_than_what_is_taken_out() {
        let provider = ["registries", "c", "credential-provider"];
        let plugin = "/p/terraform-credentials-zitadel";
        for (setup, file, at, ours) in [
            ("bazel *.b.dev /f", "/f", &["hosts", "*.b.dev"][..], "x"),
            ("cargo c.dev /f", "/f", &["registries", "c"], "index = 1\n"),
            ("cargo c.dev /f", "/f", &provider, "[\"x\"]"),
            (
                "terraform t.dev /f",
                "/f",
                &["credentials_helper", "zitadel"],
                "x",
            ),
            ("terraform t.dev /f", plugin, &["link"], "/bin/us"),
        ] {
            assert!(parse(setup, file, at, ours, None), "{setup} {at:?}");
            assert!(!parse(setup, file, at, ours, Some("x")), "{setup} {at:?}");
        }
        for (setup, file, at, ours) in [
            ("go g.dev /f", "/f", &["registries", "c"][..], "x"),
            ("cargo c.dev /g", "/f", &["registries", "c"], "x"),
            ("cargo c.dev /f", "/f", &["registries", "c", "index"], "x"),
            (
                "terraform t.dev /f",
                "/f",
                &["credentials_helper", "x"],
                "x",
            ),
            ("terraform t.dev /f", "/p/other", &["link"], "/bin/us"),
            ("terraform t.dev /f", plugin, &["link"], "us"),
        ] {
            assert!(!parse(setup, file, at, ours, None), "{setup} {at:?}");
        }
    }

    #[test]
    fn a_shared_edit_is_undone_with_the_last_that_needs_it() {
        let mut journal = Journal::default();
        for setup in ["git a.dev", "docker a.dev"] {
            journal.record(setup, edit("a.dev", "x", None));
        }
        assert_eq!(journal.take("git a.dev"), Some(vec![]));
        assert!(journal.uses("/f"));
        let last = journal.take("docker a.dev").expect("in place");
        assert_eq!(last, [edit("a.dev", "x", None)]);
        assert_eq!(journal.take("docker a.dev"), None);
        assert!(!journal.uses("/f"));
    }

    #[test]
    fn doing_it_twice_keeps_what_stood_there_first() {
        let mut journal = Journal::default();
        journal.record("kubectl a", edit("user", "ours", Some("admin")));
        journal.record("kubectl a", edit("user", "newer", Some("ours")));
        let undone = journal.take("kubectl a").expect("in place");
        assert_eq!(undone, [edit("user", "newer", Some("admin"))]);
    }

    #[test]
    fn setups_at_one_place_are_undone_in_any_order() {
        let both = || {
            let mut journal = Journal::default();
            journal.record("kubectl a", edit("user", "a", Some("admin")));
            journal.record("kubectl b", edit("user", "b", Some("a")));
            journal
        };
        let mut journal = both();
        let last = journal.take("kubectl b").expect("in place");
        assert_eq!(last, [edit("user", "b", Some("a"))]);
        let mut journal = both();
        assert_eq!(journal.take("kubectl a"), Some(vec![]));
        let last = journal.take("kubectl b").expect("in place");
        assert_eq!(last, [edit("user", "b", Some("admin"))]);
    }

    #[test]
    fn a_note_tells_whether_others_changed_the_file() {
        let mut note = Note::first(Some("a"));
        note.see(Some("a"));
        note.leave(Some("b"));
        note.see(Some("b"));
        assert!(note.is_ours_alone() && note.was("a") && !note.was("b"));
        note.see(Some("c"));
        assert!(!note.is_ours_alone());
        note.see(Some("b"));
        assert!(!note.is_ours_alone());
        note.see(Some("a"));
        assert!(note.is_ours_alone());
    }
}
