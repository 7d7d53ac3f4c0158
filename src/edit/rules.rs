//! The config file's part of a setup: host rules, and their undo.

use std::path::Path;

use super::entry::Edit;
use super::plan::Plan;
use super::toml::{Document, body, same_lines, string};
use super::verbs::Verbs;
use crate::config::option_for;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote;
use crate::url::{Origin, Scheme};

impl Plan<'_> {
    /// Adds a host rule, unless an existing one covers the host.
    ///
    /// # Errors
    /// [`Error::Usage`]: another rule conflicts.
    pub(crate) fn add_rule(
        &mut self,
        setup: &str,
        pattern: &HostPattern,
        profile: Option<&str>,
        username: Option<&str>,
    ) -> Result<(), Error> {
        let name = pattern.to_string();
        let key = ["hosts", name.as_str()];
        let mut values = Vec::new();
        if let Some(profile) = profile {
            values.push(("profile", string(profile)));
        }
        if let Some(username) = username {
            values.push(("username", string(username)));
        }
        if let Some(rule) = self.covering(pattern, profile, username)? {
            if rule != name {
                self.say(format!(
                    "hosts.{rule} already covers {name}: no rule is added"
                ));
            }
            // Another setup's rule covers the host, and stays as long as a setup needs
            // it.
            if let Some(edit) = self.edit_of_config(&["hosts", &rule]).cloned() {
                self.journal.record(setup, edit);
            }
            return Ok(());
        }
        if values.is_empty() && self.config()?.is_allowed_by_variable(pattern) {
            // The file needs no edit: the profile comes from the environment too.
            self.say(format!(
                "ZITADEL_CREDENTIAL_HOSTS allows {name} already: no rule is added"
            ));
            return Ok(());
        }
        let ours = body(&values);
        self.edit_config(|document| document.add_table(key[0], key[1], &values))?;
        let edit = self.config_edit(&key, &ours, None);
        self.journal.record(setup, edit);
        Ok(())
    }

    /// Returns the pattern of an existing rule with the same effect; `None` if there is
    /// none.
    fn covering(
        &self,
        pattern: &HostPattern,
        profile: Option<&str>,
        username: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let config = self.config()?;
        let rule = match config.rules().named(pattern) {
            Some(rule) => rule,
            None => match pattern.single_host() {
                Some(host) => match covering(&config, &host) {
                    Some(rule) => rule,
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        let same_profile = rule.profile.as_deref().or(profile) == profile;
        let same_username = username.is_none() || rule.username.as_deref() == username;
        if same_profile && same_username {
            return Ok(Some(rule.pattern.to_string()));
        }
        // A closer rule may differ from a wildcard; two rules for one pattern may not.
        if rule.pattern != *pattern && config.rules().named(pattern).is_none() {
            return Ok(None);
        }
        let what = format!(
            "{}: host rule {} is there, with another profile or username",
            quote::path(self.config.path()),
            rule.pattern
        );
        Err(Error::Usage(
            Report::new(what).hint("change that rule by hand, or undo the setup that added it: see zitadel-credential setup list"),
        ))
    }

    /// Undoes an edit of the config file. A value that others changed since stays, with a
    /// message.
    ///
    /// # Errors
    /// The edit is of another config file.
    pub(crate) fn undo_in_config(&mut self, edit: &Edit) -> Result<(), Error> {
        if edit.file != self.config.name() {
            let file = quote::path(&edit.file);
            let name = quote::path(&edit.at.join("."));
            let what = format!("{name} is in another config file: {file}");
            let option = option_for(Some(Path::new(&edit.file)));
            return Err(Error::Usage(
                Report::new(what).hint(format!("run the undo with{option}")),
            ));
        }
        let mut document = self.document()?;
        self.say_undone(undo(&mut document, edit, self.verbs()));
        self.config.set(document.text());
        if self.only_looks {
            // The other setups still need the value.
            return Ok(());
        }
        self.config().map(drop)
    }

    /// Adds the messages of an undo.
    pub(crate) fn say_undone(&mut self, undone: Undone) {
        match undone {
            Ok(lines) => self.say_all(lines),
            Err(drift) => self.say_drift(drift),
        }
    }

    /// Sets a value of the config file, and records the former one.
    ///
    /// # Errors
    /// The file cannot be edited.
    pub(crate) fn set_in_config(
        &mut self,
        setup: &str,
        key: &[&str],
        value: &str,
    ) -> Result<(), Error> {
        let former = self.document()?.at(key);
        if former.as_deref() == Some(value) {
            return Ok(());
        }
        self.edit_config(|document| document.set(key, value))?;
        let edit = self.config_edit(key, value, former);
        self.journal.record(setup, edit);
        Ok(())
    }

    /// Edits the config file, and reads the result as any call would.
    ///
    /// # Errors
    /// The result is not a valid config file.
    pub(crate) fn edit_config(
        &mut self,
        change: impl FnOnce(&mut Document) -> Result<(), Report>,
    ) -> Result<(), Error> {
        let mut document = self.document()?;
        change(&mut document).map_err(|report| Error::Usage(self.about_config(report)))?;
        self.config.set(document.text());
        self.config().map(drop)
    }

    /// Returns the new config file as a document.
    ///
    /// # Errors
    /// The config file is not TOML.
    pub(crate) fn document(&self) -> Result<Document, Error> {
        Document::parse(self.config.text())
            .map_err(|report| Error::Usage(self.about_config(report)))
    }

    fn about_config(&self, report: Report) -> Report {
        report.about(&quote::path(self.config.path()))
    }

    /// Returns an edit of the config file.
    pub(crate) fn config_edit(&self, key: &[&str], ours: &str, former: Option<String>) -> Edit {
        Edit::new(self.config.name(), key, ours, former)
    }

    fn edit_of_config(&self, key: &[&str]) -> Option<&Edit> {
        self.journal.edit_at(&self.config.name(), key)
    }
}

/// Messages about an undo, or the reason why nothing of the setup was undone.
pub(crate) type Undone = Result<Vec<String>, String>;

/// Undoes an edit of a TOML file, unless others have changed it since.
pub(crate) fn undo(document: &mut Document, edit: &Edit, verbs: Verbs) -> Undone {
    let key = edit.key();
    let name = quote::path(&edit.at.join("."));
    let now = document.at(&key);
    if let Some(line) = edit.standing(now.as_deref(), same_lines).left(&name) {
        return Err(line);
    }
    let (how, undone) = match (&edit.former, key.as_slice()) {
        (Some(former), _) => (verbs.restores, document.set(&key, former).map(|()| false)),
        (None, [group, name]) => {
            let lines = now.unwrap_or_default();
            (verbs.removes, document.remove_table(group, name, &lines))
        }
        (None, _) => (verbs.removes, document.remove(&key)),
    };
    // Even if this value stays, the rest of the setup can be removed.
    Ok(match undone {
        Ok(false) => vec![format!("{how} {name}")],
        Ok(true) => vec![
            format!("{how} {name}"),
            "the comment on its line goes with it".to_owned(),
        ],
        Err(_) => vec![
            format!("{name} was reformatted since, and is kept"),
            "remove it by hand if nothing needs it".to_owned(),
        ],
    })
}

/// Returns the rule that a host has over https.
fn covering<'c>(
    config: &'c crate::config::Config<'_>,
    host: &str,
) -> Option<&'c crate::host::HostRule> {
    let origin = Origin::new(Scheme::Https, host)?;
    config.rules().find(&origin, None).ok()
}
