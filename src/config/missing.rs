//! What a request lacks, and where to write it.

use super::setting::Setting;
use super::{Config, Layer};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote::{quoted, word};

impl Config<'_> {
    /// A setting that no source holds.
    pub(super) fn missing(&self, setting: Setting, settings: &Layer) -> Error {
        let (name, ways, line) = (setting.name(), setting.ways(), setting.line());
        let profiles = self.listed_profiles();
        Error::Usage(match (&settings.profile, profiles.as_str()) {
            (Some(profile), _) => self
                .about(Report::new(format!(
                    "profile {}: it has no {name}",
                    quoted(profile)
                )))
                .hint(format!("{ways}, or add {line} to the profile")),
            (None, "") => Report::new(format!("no {name} is configured")).hint(format!(
                "zitadel-credential setup profile NAME keeps one; for one call {ways}"
            )),
            (None, profiles) => self
                .about(Report::new(format!(
                    "no {name} is configured: none of its profiles is chosen"
                )))
                .hint(format!(
                    "they are: {profiles}; choose one by --profile or default-profile"
                )),
        })
    }

    /// A profile that the file does not name.
    pub(super) fn unknown_profile(&self, name: &str) -> Error {
        let name = quoted(name);
        let setup = format!("zitadel-credential setup profile {}", word(&name));
        let report = self.about(Report::new(format!("no profile is called \"{name}\"")));
        Error::Usage(report.hint(match self.listed_profiles().as_str() {
            "" => format!("there is none yet: {setup} writes it"),
            known => format!("its profiles are: {known}; choose one, or let {setup} add it"),
        }))
    }

    /// The same for the profile of a host rule. Without it no setup reads the file.
    pub(super) fn unknown_profile_of(&self, rule: &HostPattern, name: &str) -> Report {
        let name = quoted(name);
        let what = format!("host rule {rule}: no profile is called \"{name}\"");
        Report::new(what).hint(match self.listed_profiles().as_str() {
            "" => format!("there is none yet: write [profiles.{name}], or take the rule out"),
            known => format!("its profiles are: {known}; name one, or write [profiles.{name}]"),
        })
    }

    fn listed_profiles(&self) -> String {
        let names: Vec<_> = self.profile_names().map(quoted).collect();
        names.join(", ")
    }
}
