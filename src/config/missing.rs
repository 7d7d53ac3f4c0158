//! Errors for missing settings and profiles, with the place to set them.

use toml_edit::Key;

use super::setting::Setting;
use super::{Config, Layer, SourceSetting};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote;
use crate::text::quote::word;

/// A profile's source that a flag or a variable replaces.
struct Hidden {
    /// The flag or the variable.
    by: String,
    /// The profile's key for its own source.
    source: &'static str,
}

fn leave_out(by: &str, source: &str, profile: &str) -> String {
    let how = if by.starts_with("--") {
        "leave out"
    } else {
        "unset"
    };
    let profile = quote::path(profile);
    format!("{how} {by} to use {source} of profile {profile}")
}

impl Config<'_> {
    /// Returns the error for a setting that no source sets.
    pub(super) fn missing(&self, setting: Setting, settings: &Layer) -> Error {
        let (name, ways, line) = (setting.name(), setting.ways(), setting.line());
        let profiles = self.listed_profiles();
        if let (Some(hidden), Some(profile)) = (self.hidden(setting, settings), &settings.profile) {
            let Hidden { by, source } = hidden;
            let what = format!("no {name} is set beside {by}");
            let report = Report::new(what).hint(leave_out(&by, source, profile));
            return Error::Usage(report.hint(format!("for the source of {by}, {ways}")));
        }
        Error::Usage(match (&settings.profile, profiles.as_str()) {
            (Some(profile), _) => self
                .about(Report::new(format!(
                    "profile {}: no {name} is set",
                    quote::path(profile)
                )))
                .hint(format!("add {line} to the profile"))
                .hint(format!("for one call, {ways}")),
            (None, "") => Report::new(format!("no {name} is configured"))
                .hint(match &self.path {
                    Some(path) => format!(
                        "run zitadel-credential setup profile NAME, which writes {}",
                        quote::path(path)
                    ),
                    None => "set HOME, or name a config file with --config".to_owned(),
                })
                .hint(format!("for one call, {ways}")),
            (None, profiles) => self
                .about(Report::new(format!(
                    "no {name} is configured: no profile is selected"
                )))
                .hint(format!(
                    "select a profile with --profile or default-profile: {profiles}"
                )),
        })
    }

    /// Returns the caller's source, and the profile's source that it replaces; `None` if
    /// it replaces none, or if the profile's source needs the missing setting too.
    fn hidden(&self, setting: Setting, settings: &Layer) -> Option<Hidden> {
        let by = self.given.source.clone()?;
        let profile = self.profile(settings.profile.as_deref()?).ok()?;
        let source = profile.source?;
        let is_supplied = matches!(source, SourceSetting::Supplier(_));
        let needs_it = matches!(setting, Setting::Issuer) && !is_supplied;
        let source = source.name();
        (!needs_it).then_some(Hidden { by, source })
    }

    /// Returns the error for a profile that does not exist.
    pub(super) fn unknown_profile(&self, name: &str) -> Error {
        let setup = format!("zitadel-credential setup profile {}", word(name));
        let name = quote::path(name);
        let report = self.about(Report::new(format!("no profile named \"{name}\"")));
        Error::Usage(match self.listed_profiles().as_str() {
            "" => report.hint(format!("run {setup} to create it")),
            known => report
                .hint(format!("choose one of: {known}"))
                .hint(format!("run {setup} to create it")),
        })
    }

    /// Returns the same error for the profile of a host rule. `setup` cannot create
    /// the profile then, because it does not accept such a config file.
    pub(super) fn unknown_profile_of(&self, rule: &HostPattern, name: &str) -> Report {
        let name = quote::path(name);
        let report = Report::new(format!("host rule {rule}: no profile named \"{name}\""));
        // A name with a dot or a space needs quotes.
        let key = Key::new(name);
        match self.listed_profiles().as_str() {
            "" => report.hint(format!("add [profiles.{key}], or remove the rule")),
            known => report
                .hint(format!("set the rule's profile to one of: {known}"))
                .hint(format!("add [profiles.{key}]")),
        }
    }

    fn listed_profiles(&self) -> String {
        let names: Vec<_> = self.profile_names().map(quote::path).collect();
        names.join(", ")
    }
}
