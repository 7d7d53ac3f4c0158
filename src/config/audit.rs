//! Collects all errors of a configuration, for `config check`. Other calls stop at the
//! first one.

use super::lines::Lines;
use super::place::{path_of_call, read_text};
use super::rules::add_rule_of_caller;
use super::{
    Asker, Config, Directories, Layer, SourceSetting, file, lines, scopes_of, token_endpoint_of,
};
use crate::broker::Request;
use crate::cli::options::Options;
use crate::error::Error;
use crate::host::HostRules;
use crate::sys::Environment;
use crate::text::quote;

/// A configuration with its errors.
pub(crate) struct Audit<'a> {
    /// The configuration without its faulty parts.
    pub(crate) config: Config<'a>,
    /// Errors in the file by line, then the others.
    pub(crate) faults: Vec<Fault>,
}

/// One error of the configuration.
pub(crate) struct Fault {
    /// `FILE:LINE`, or the file; `None` if it is not in the file.
    pub(crate) place: Option<String>,
    pub(crate) error: Error,
}

impl<'a> Config<'a> {
    /// Reads the configuration, and continues after each error.
    ///
    /// # Errors
    /// [`Error::Usage`]: the file cannot be read, or an option or a variable is invalid.
    pub(crate) fn audit(
        options: &Options,
        environment: &'a Environment<'a>,
        directories: &'a Directories,
    ) -> Result<Audit<'a>, Error> {
        let (path, must_exist) = path_of_call(options, environment, directories)?;
        let mut config = Self::without_file(options, environment, directories)?;
        let mut faults = Vec::new();
        let mut hidden = Hidden::default();
        if let Some(path) = path {
            let text = read_text(&path, must_exist, &config.deadline)?;
            let (file, of_text) = file::parse_on(&text);
            hidden = Hidden::by(&of_text, &text, file.is_none());
            config.file = file.unwrap_or_default();
            let shown = quote::path(&path);
            faults.extend(of_text.into_iter().map(|fault| Fault {
                place: Some(format!("{shown}:{}", fault.line)),
                error: Error::Usage(fault.report),
            }));
            config.path = Some(path);
        }
        config.audit_rules(&mut faults, &hidden);
        config.audit_profiles(&mut faults, &hidden);
        config.audit_caller(&mut faults, &hidden);
        faults.sort_by_key(|fault| line_of(fault.place.as_deref()));
        Ok(Audit { config, faults })
    }

    /// Returns the file's profiles that a call could use, each with its request, and the
    /// request without a name if flags and environment replace a profile.
    pub(crate) fn usable(&self) -> impl Iterator<Item = (Option<&str>, Request<'a>)> {
        let profiles = self
            .profile_names()
            .filter_map(|name| Some((Some(name), self.request_of(name).ok()?)));
        let own = self.has_own_settings().then(|| self.caller.clone());
        let own = own.and_then(|settings| self.request_with(settings).ok());
        profiles.chain(own.map(|request| (None, request)))
    }

    /// True if flags or environment set an issuer or a source, and the file has no profile,
    /// each of which would be checked together with them.
    fn has_own_settings(&self) -> bool {
        let is_set = self.caller.issuer.is_some() || self.caller.source.is_some();
        let has_profile = self.profile_for(&Asker::default()).is_some();
        is_set && !has_profile && self.file.profiles.is_empty()
    }

    fn request_of(&self, name: &str) -> Result<Request<'a>, Error> {
        self.request_with(self.settings_of(name)?)
    }

    /// Returns the settings of a profile, whichever the caller chooses.
    fn settings_of(&self, name: &str) -> Result<Layer, Error> {
        Ok(Layer {
            profile: Some(name.to_owned()),
            ..self.caller.clone().or(self.profile(name)?)
        })
    }

    /// Adds the host rules, and records the invalid ones.
    fn audit_rules(&mut self, faults: &mut Vec<Fault>, hidden: &Hidden) {
        let mut rules = HostRules::default();
        let lines = Lines::of(self.file.text());
        for (pattern, host) in &self.file.hosts {
            let mut host = host.clone();
            host.profile = host.profile.filter(|name| !hidden.names(name));
            if let Err(error) = self.add_rule(&mut rules, pattern, &host) {
                faults.push(self.fault(&lines, &["hosts", pattern], error));
            }
        }
        for pattern in &self.caller.hosts {
            if let Err(error) = add_rule_of_caller(&mut rules, pattern) {
                faults.push(Fault { place: None, error });
            }
        }
        self.rules = rules;
    }

    /// Records the errors of the profiles.
    fn audit_profiles(&self, faults: &mut Vec<Fault>, hidden: &Hidden) {
        let lines = Lines::of(self.file.text());
        if let Some(name) = &self.file.default_profile
            && !self.file.profiles.contains_key(name)
            && !hidden.names(name)
        {
            let error = self.unknown_profile(name);
            faults.push(self.fault(&lines, &["default-profile"], error));
        }
        let is_whole = |key: &[&str]| !hidden.is_in(&lines, lines.of_key(key));
        for name in self.profile_names() {
            let settings = match self.settings_of(name) {
                Ok(settings) => settings,
                Err(error) => {
                    faults.push(self.fault(&lines, &["profiles", name], error));
                    continue;
                }
            };
            let has_all = is_whole(&["profiles", name]);
            let has_all_shared = is_whole(&["profiles", name, "shared"]);
            self.audit_settings(&settings, |key, is_set, error| {
                let is_sure = match key {
                    "shared" => has_all_shared,
                    _ => is_set || has_all,
                };
                if is_sure {
                    faults.push(self.fault(&lines, &["profiles", name, key], error));
                }
            });
        }
    }

    /// Records the errors of flags and environment that no profile of the file shows.
    fn audit_caller(&self, faults: &mut Vec<Fault>, hidden: &Hidden) {
        let mut add = |error| faults.push(Fault { place: None, error });
        if let Some(name) = &self.caller.profile
            && !self.file.profiles.contains_key(name)
            && !hidden.names(name)
        {
            add(self.unknown_profile(name));
        }
        // The missing settings may be in a profile that could not be parsed.
        if self.has_own_settings() && hidden.texts.is_empty() {
            self.audit_settings(&self.caller, |_, _, error| add(error));
        }
    }

    /// Calls `note` for each error of a call's settings, with the profile's key and with
    /// true if that key is set.
    fn audit_settings(&self, settings: &Layer, mut note: impl FnMut(&'static str, bool, Error)) {
        let mut check = |key, is_set, outcome: Result<(), Error>| {
            if let Err(error) = outcome {
                note(key, is_set, error);
            }
        };
        let is_supplied = matches!(settings.source, Some(SourceSetting::Supplier(_)));
        if settings.issuer.is_some() || !is_supplied {
            let issuer = self.issuer_of(settings).map(drop);
            check("issuer", settings.issuer.is_some(), issuer);
        }
        let source = self.source_of(settings);
        match self.source_fault(settings, source.is_err()) {
            Some(key) => check(key, settings.source.is_some(), source.map(drop)),
            None => check("shared", true, self.shared_of(settings).map(drop)),
        }
        let endpoint = token_endpoint_of(settings).map(drop);
        check("token-endpoint", true, endpoint);
        let of_scopes = Layer {
            projects: Vec::new(),
            ..settings.clone()
        };
        match scopes_of(&of_scopes) {
            Err(error) => check("scopes", true, Err(error)),
            Ok(_) => check("projects", true, scopes_of(settings).map(drop)),
        }
    }

    /// Returns the profile's faulty key if the fault is in its source.
    fn source_fault(&self, settings: &Layer, is_faulty: bool) -> Option<&'static str> {
        let without_user = Layer {
            user_id: None,
            ..settings.clone()
        };
        let is_signer = matches!(settings.source, Some(SourceSetting::Signer(..)));
        is_faulty.then(|| match &settings.source {
            None if settings.client_id.is_some() => "client-id",
            None => "key-file",
            Some(SourceSetting::ClientSecret(_)) => "client-id",
            Some(_) if settings.key_id.is_none() => "user-id",
            Some(_) if !is_signer && self.source_of(&without_user).is_ok() => "user-id",
            Some(_) => "key-id",
        })
    }

    /// Returns an error at the line of a key, or of the table that lacks the key.
    fn fault(&self, lines: &Lines<'_>, key: &[&str], error: Error) -> Fault {
        let table = &key[..key.len().min(2)];
        let line = lines.of_key(key).or_else(|| lines.of_key(table));
        let path = self.path.as_deref().map(quote::path);
        let place = path.map(|path| match line {
            Some(line) => format!("{path}:{line}"),
            None => path,
        });
        Fault { place, error }
    }
}

/// Lines that could not be parsed: their keys are not reported as missing.
#[derive(Default)]
struct Hidden {
    numbers: Vec<usize>,
    texts: Vec<String>,
}

impl Hidden {
    /// Returns the lines of these faults; the whole text if `is_lost`.
    fn by(faults: &[lines::Fault], text: &str, is_lost: bool) -> Self {
        if is_lost {
            return Self {
                numbers: Vec::new(),
                texts: vec![text.to_owned()],
            };
        }
        let numbers: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        let lines = text.lines().zip(1..);
        let hidden = lines.filter(|(_, number)| numbers.contains(number));
        let texts = hidden.map(|(line, _)| line.to_owned()).collect();
        Self { numbers, texts }
    }

    /// True if one of the lines names a profile.
    fn names(&self, profile: &str) -> bool {
        self.texts.iter().any(|text| text.contains(profile))
    }

    /// True if one of the lines is below this header.
    fn is_in(&self, lines: &Lines<'_>, header: Option<usize>) -> bool {
        let mut numbers = self.numbers.iter();
        numbers.any(|number| lines.header_of(*number) == header)
    }
}

/// Returns the line of a place, for sorting.
fn line_of(place: Option<&str>) -> usize {
    let line = place.and_then(|place| place.rsplit_once(':')?.1.parse().ok());
    line.unwrap_or(usize::MAX)
}
