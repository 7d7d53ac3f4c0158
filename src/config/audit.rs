//! Everything that is wrong with a configuration, for `config check`: where a call stops
//! at the first fault, this goes on.

use super::lines::Lines;
use super::place::{path_of_call, read_text};
use super::rules::add_rule_of_caller;
use super::{Config, Directories, Layer, SourceSetting, file, lines, scopes_of, token_endpoint_of};
use crate::broker::Request;
use crate::cli::options::Options;
use crate::error::Error;
use crate::host::HostRules;
use crate::sys::Environment;
use crate::text::quote;

/// A configuration with its faults.
pub(crate) struct Audit<'a> {
    /// Without what is at fault.
    pub(crate) config: Config<'a>,
    /// Those of the file by line, then the others.
    pub(crate) faults: Vec<Fault>,
}

/// One thing that is wrong with the configuration.
pub(crate) struct Fault {
    /// `FILE:LINE`, or the file; `None` if it is not in the file.
    pub(crate) place: Option<String>,
    pub(crate) error: Error,
}

impl<'a> Config<'a> {
    /// Reads the configuration, and goes on after each fault.
    ///
    /// # Errors
    /// [`Error::Usage`]: the file cannot be read, or an option or a variable is invalid.
    pub(crate) fn audit(
        options: &Options,
        environment: &'a Environment,
        directories: &'a Directories,
    ) -> Result<Audit<'a>, Error> {
        let (path, must_exist) = path_of_call(options, environment, directories)?;
        let mut config = Self::without_file(options, environment, directories)?;
        let mut faults = Vec::new();
        let mut hidden = Hidden::default();
        if let Some(path) = path {
            let text = read_text(&path, must_exist, &config.deadline)?;
            let (file, of_text) = file::parse_on(&text);
            config.file = file;
            hidden = Hidden::by(&of_text, &text);
            let shown = quote::path(&path);
            faults.extend(of_text.into_iter().map(|fault| Fault {
                place: Some(format!("{shown}:{}", fault.line)),
                error: Error::Usage(fault.report),
            }));
            config.path = Some(path);
        }
        config.audit_rules(&mut faults, &hidden);
        config.audit_profiles(&mut faults, &hidden);
        faults.sort_by_key(|fault| line_of(fault.place.as_deref()));
        Ok(Audit { config, faults })
    }

    /// Returns the file's profiles that a call could use, each with its request.
    pub(crate) fn usable(&self) -> impl Iterator<Item = (&str, Request<'a>)> {
        self.profile_names()
            .filter_map(|name| Some((name, self.request_of(name).ok()?)))
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

    /// Adds the host rules, and notes those that are invalid.
    fn audit_rules(&mut self, faults: &mut Vec<Fault>, hidden: &Hidden) {
        let mut rules = HostRules::default();
        for (pattern, host) in &self.file.hosts {
            let mut host = host.clone();
            host.profile = host.profile.filter(|name| !hidden.names(name));
            if let Err(error) = self.add_rule(&mut rules, pattern, &host) {
                faults.push(self.fault(&["hosts", pattern], error));
            }
        }
        for pattern in &self.caller.hosts {
            if let Err(error) = add_rule_of_caller(&mut rules, pattern) {
                faults.push(Fault { place: None, error });
            }
        }
        self.rules = rules;
    }

    /// Notes the faults of the profiles.
    fn audit_profiles(&self, faults: &mut Vec<Fault>, hidden: &Hidden) {
        if let Some(name) = &self.file.default_profile
            && !self.file.profiles.contains_key(name)
            && !hidden.names(name)
        {
            faults.push(self.fault(&["default-profile"], self.unknown_profile(name)));
        }
        let lines = Lines::of(self.file.text());
        for name in self.profile_names() {
            let settings = match self.settings_of(name) {
                Ok(settings) => settings,
                Err(error) => {
                    faults.push(self.fault(&["profiles", name], error));
                    continue;
                }
            };
            let is_whole = !hidden.is_in(&lines, lines.of_key(&["profiles", name]));
            let mut note = |key: &str, is_set: bool, outcome: Result<(), Error>| {
                if let Err(error) = outcome
                    && (is_set || is_whole)
                {
                    faults.push(self.fault(&["profiles", name, key], error));
                }
            };
            let is_supplied = matches!(settings.source, Some(SourceSetting::Supplier(_)));
            if settings.issuer.is_some() || !is_supplied {
                let issuer = self.issuer_of(&settings).map(drop);
                note("issuer", settings.issuer.is_some(), issuer);
            }
            let source = self.source_of(&settings);
            if let Some(key) = self.source_fault(&settings, source.is_err()) {
                note(key, settings.source.is_some(), source.map(drop));
            }
            let endpoint = token_endpoint_of(&settings).map(drop);
            note("token-endpoint", true, endpoint);
            let of_scopes = Layer {
                projects: Vec::new(),
                ..settings.clone()
            };
            match scopes_of(&of_scopes) {
                Err(error) => note("scopes", true, Err(error)),
                Ok(_) => note("projects", true, scopes_of(&settings).map(drop)),
            }
        }
    }

    /// Returns the profile's key that is at fault where its source is.
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

    /// Returns a fault at the line of a key, or of the table that it is missing in.
    fn fault(&self, key: &[&str], error: Error) -> Fault {
        let lines = Lines::of(self.file.text());
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

/// The lines that could not be read: what stands there is not missing.
#[derive(Default)]
struct Hidden {
    numbers: Vec<usize>,
    texts: Vec<String>,
}

impl Hidden {
    fn by(faults: &[lines::Fault], text: &str) -> Self {
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

/// Returns the line of a place, for the order.
fn line_of(place: Option<&str>) -> usize {
    let line = place.and_then(|place| place.rsplit_once(':')?.1.parse().ok());
    line.unwrap_or(usize::MAX)
}
