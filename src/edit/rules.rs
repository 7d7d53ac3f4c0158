//! The config file's part of a setup: host rules, and what is taken out again.

use super::desk::Desk;
use super::journal::Edit;
use super::toml::{Document, body, same_lines, string};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote::quoted;
use crate::url::{Origin, Scheme};

impl Desk<'_> {
    /// Lets a host have the profile's token, unless a rule does so already.
    ///
    /// # Errors
    /// [`Error::Usage`]: another rule stands in the way.
    pub(crate) fn allow(
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
            // Another setup's rule will do, and stays as long as one needs it.
            if let Some(edit) = self.edit_of_config(&["hosts", &rule]).cloned() {
                self.journal.record(setup, edit);
            }
            return Ok(());
        }
        let ours = body(&values);
        self.change_config(|document| document.add_table(key[0], key[1], &values))?;
        let edit = self.config_edit(&key, ours, None);
        self.journal.record(setup, edit);
        Ok(())
    }

    /// The pattern of a rule that is there and does what is wanted.
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
        // A closer rule may differ from a wildcard; two for the same may not.
        if rule.pattern != *pattern && config.rules().named(pattern).is_none() {
            return Ok(None);
        }
        let what = format!(
            "{}: host rule {} is there, with another profile or username",
            crate::text::quote::path(self.config.path()),
            rule.pattern
        );
        Err(Error::Usage(
            Report::new(what).hint("change that rule by hand, or take it out first"),
        ))
    }

    /// Takes out of the config file what a setup put in; tells of what others
    /// have changed since, and leaves that.
    ///
    /// # Errors
    /// The file has no longer the form for it.
    pub(crate) fn take_out_of_config(&mut self, edit: &Edit) -> Result<(), Error> {
        if edit.file != self.config.name() {
            let file = crate::text::quote::path(&edit.file);
            let name = quoted(&edit.at.join("."));
            let what = format!("{name} was put into another config file: {file}");
            return Err(Error::Usage(
                Report::new(what).hint(format!("--config {file} names that one")),
            ));
        }
        let mut said = String::new();
        self.change_config(|document| {
            said = take_out(document, edit);
            Ok(())
        })?;
        self.says(said);
        Ok(())
    }

    /// Sets a value of the config file, and remembers what stood there.
    ///
    /// # Errors
    /// The file has not the form for it.
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
        self.change_config(|document| document.set(key, value))?;
        let edit = self.config_edit(key, value.to_owned(), former);
        self.journal.record(setup, edit);
        Ok(())
    }

    /// Changes the config file's text, and reads it once more as any call would.
    ///
    /// # Errors
    /// What comes out is no config file.
    pub(crate) fn change_config(
        &mut self,
        change: impl FnOnce(&mut Document) -> Result<(), Report>,
    ) -> Result<(), Error> {
        let mut document = self.document()?;
        change(&mut document).map_err(|report| Error::Usage(self.about_config(report)))?;
        self.config.set(document.text().to_owned());
        self.config().map(drop)
    }

    pub(crate) fn document(&self) -> Result<Document, Error> {
        Document::parse(self.config.text())
            .map_err(|report| Error::Usage(self.about_config(report)))
    }

    fn about_config(&self, report: Report) -> Report {
        report.about(&crate::text::quote::path(self.config.path()))
    }

    pub(crate) fn config_edit(&self, key: &[&str], ours: String, former: Option<String>) -> Edit {
        Edit {
            file: self.config.name(),
            at: key.iter().map(|&part| part.to_owned()).collect(),
            ours,
            former,
        }
    }

    fn edit_of_config(&self, key: &[&str]) -> Option<&Edit> {
        self.journal.edit_at(&self.config.name(), key)
    }
}

/// Takes out of a file what a setup put in, unless others have changed it since:
/// what there is to tell.
pub(crate) fn take_out(document: &mut Document, edit: &Edit) -> String {
    let key = edit.key();
    let name = quoted(&edit.at.join("."));
    match document.at(&key) {
        None => return format!("{name} was gone already"),
        Some(now) if !same_lines(&now, &edit.ours) => {
            return format!("{name} was changed since, and stays");
        }
        Some(_) => {}
    }
    let (how, changed) = match (&edit.former, key.as_slice()) {
        (Some(former), _) => ("puts back", document.set(&key, former)),
        (None, [group, name]) => {
            let changed = document.remove_table(group, name, &edit.ours);
            ("takes out", changed)
        }
        (None, _) => ("takes out", document.remove(&key)),
    };
    // All else that is ours need not stay with it.
    match changed {
        Ok(()) => format!("{how} {name}"),
        Err(_) => format!("{name} is written in another form since, and stays"),
    }
}

/// The rule that a host over https has.
fn covering<'c>(
    config: &'c crate::config::Config<'_>,
    host: &str,
) -> Option<&'c crate::host::HostRule> {
    let origin = Origin::new(Scheme::Https, host)?;
    config.rules().find(&origin, None).ok()
}
