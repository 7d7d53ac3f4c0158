//! The config file as `setup` reads it, and with a planned change.

use std::path::{Path, PathBuf};

use super::file::Profile;
use super::place::{default_path, given_path, is_no_file, parse_file};
use super::rules::{add_rule_of_caller, host_within, parse_pattern};
use super::value::{located, set, usage};
use super::{Asker, Config, Directories, Layer};
use crate::cli::options::Options;
use crate::error::Error;
use crate::host::{HostPattern, HostRule, HostRules};
use crate::sys::Environment;
use crate::sys::paths;
use crate::url::{Origin, Scheme};

impl<'a> Config<'a> {
    /// Returns the configuration with this text as the config file's content.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn with_text(
        options: &Options,
        environment: &'a Environment<'a>,
        directories: &'a Directories,
        path: &Path,
        text: &str,
    ) -> Result<Self, Error> {
        let mut config = Self::without_file(options, environment, directories)?;
        config.file = parse_file(path, text)?;
        config.path = Some(path.to_owned());
        // Only the file's host rules: those of this call do not last.
        config.caller.hosts.clear();
        config.rules = config.read_rules()?;
        Ok(config)
    }

    /// Returns the config file's path, even if the file does not exist.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is no home directory, or the given path is a key.
    pub fn place(
        options: &Options,
        environment: &Environment,
        directories: &Directories,
    ) -> Result<PathBuf, Error> {
        let given = given_path(options, environment, directories)?;
        if given.as_deref().is_some_and(is_no_file) {
            return Err(usage(
                "no config file: --config or ZITADEL_CREDENTIAL_CONFIG is /dev/null".to_owned(),
                "unset it, or give --config FILE",
            ));
        }
        given.or_else(|| default_path(directories)).ok_or_else(|| {
            usage(
                "no place for the config file: no home directory".to_owned(),
                "give --config FILE",
            )
        })
    }

    /// Returns the directories that may contain setup's journal: those of the given and
    /// of the default config file.
    ///
    /// # Errors
    /// [`Error::Usage`]: the given path is a key.
    pub(crate) fn places(
        options: &Options,
        environment: &Environment,
        directories: &Directories,
    ) -> Result<Vec<PathBuf>, Error> {
        let given = given_path(options, environment, directories)?;
        let given = given.filter(|path| !is_no_file(path));
        let files = [given, default_path(directories)].into_iter().flatten();
        let files = files.map(|file| std::path::absolute(&file).unwrap_or(file));
        let mut places = Vec::new();
        for place in files.filter_map(|file| Some(file.parent()?.to_owned())) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// Parses the host pattern of a host rule.
    ///
    /// # Errors
    /// [`Error::Usage`]: the pattern is invalid.
    pub fn pattern(text: &str) -> Result<HostPattern, Error> {
        parse_pattern(text).map_err(Error::Usage)
    }

    /// Returns the host that an invalid pattern probably means.
    pub fn host_within(text: &str) -> Option<String> {
        let host = host_within(text)?.single_host();
        host.filter(|host| host != text)
    }

    /// True if the environment allows these hosts, without a rule of the file.
    pub fn is_allowed_by_variable(&self, pattern: &HostPattern) -> bool {
        let listed = set(self.environment, "ZITADEL_CREDENTIAL_HOSTS");
        let listed = listed.and_then(|listed| listed.into_string().ok());
        let mut rules = HostRules::default();
        for host in listed.iter().flat_map(|list| list.split_ascii_whitespace()) {
            // The next call reports an invalid one.
            let _ = add_rule_of_caller(&mut rules, host);
        }
        let host = pattern.single_host();
        let origin = host.and_then(|host| Origin::new(Scheme::Https, &host));
        rules.named(pattern).is_some()
            || origin.is_some_and(|origin| rules.find(&origin, None).is_ok())
    }

    /// Returns the settings of flags and environment.
    pub const fn caller(&self) -> &Layer {
        &self.caller
    }

    /// Returns the name of the profile for requests whose host rule names none; `None` if
    /// only flags and environment apply.
    ///
    /// # Errors
    /// [`Error::Usage`]: the given profile does not exist.
    pub fn profile_name(&self) -> Result<Option<String>, Error> {
        Ok(self.settings(Asker::default())?.profile)
    }

    /// Returns the names of the file's profiles.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.file.profiles.keys().map(String::as_str)
    }

    /// Returns the files that all profiles and this call read for their tokens, with the
    /// kind of each, even if a profile has other errors.
    pub fn secret_files(&self) -> Vec<(PathBuf, &'static str)> {
        let dir = self.path.as_deref().and_then(Path::parent);
        let dir = dir.unwrap_or_else(|| Path::new(""));
        let home = self.directories.home.as_deref();
        let profiles = self.file.profiles.values();
        let named = profiles.flat_map(|profile| files_of(profile, dir, home));
        let own = self.caller.source.as_ref();
        let own = own.and_then(|source| Some((source.file()?.to_owned(), source.kind_of_file())));
        named.chain(own).collect()
    }

    /// Returns the CA files of all profiles and of this call.
    pub fn ca_files(&self) -> Vec<PathBuf> {
        let profiles = self
            .profile_names()
            .filter_map(|name| self.profile(name).ok());
        let layers = profiles.chain([self.caller.clone()]);
        let files = |layer: Layer| {
            let shared = layer.shared.and_then(|shared| shared.ca_file);
            layer.ca_file.into_iter().chain(shared)
        };
        layers.flat_map(files).collect()
    }

    /// Returns the directories that may contain setup's journal: that of the config
    /// file, and that of the default one.
    pub fn journal_directories(&self) -> Vec<PathBuf> {
        let files = [self.path.clone(), default_path(self.directories)];
        let directory = |file: PathBuf| Some(file.parent()?.to_owned());
        files.into_iter().flatten().filter_map(directory).collect()
    }

    /// Returns the host rules that name this profile.
    pub fn hosts_of<'c>(&'c self, profile: &'c str) -> impl Iterator<Item = &'c HostRule> {
        self.rules
            .iter()
            .filter(move |rule| rule.profile.as_deref() == Some(profile))
    }

    /// True if the file sets `default-profile`.
    pub const fn has_default_profile(&self) -> bool {
        self.file.default_profile.is_some()
    }
}

/// Returns the files of a profile.
fn files_of(profile: &Profile, dir: &Path, home: Option<&Path>) -> Vec<(PathBuf, &'static str)> {
    const PROGRAM: &str = "the program of a profile's command";
    let program = |words: &Option<Vec<String>>| {
        let program = words.as_ref().and_then(|words| words.first().cloned());
        program.filter(|program| paths::is_path(program))
    };
    let all = [
        (profile.key_file.clone(), "a key file"),
        (profile.public_key_file.clone(), "a public key file"),
        (profile.token_file.clone(), "the token file of a profile"),
        (
            profile.client_secret_file.clone(),
            "the file of a client secret",
        ),
        (program(&profile.key_command), PROGRAM),
        (program(&profile.sign_command), PROGRAM),
        (program(&profile.token_command), PROGRAM),
        (program(&profile.client_secret_command), PROGRAM),
    ];
    let shared = profile.shared.as_ref();
    let of_shared = [
        (
            shared.and_then(|shared| shared.password_file.clone()),
            "the file of a password",
        ),
        (
            shared.and_then(|shared| shared.seal_key_file.clone()),
            "the file of a seal key",
        ),
    ];
    let located = |(file, kind): (Option<String>, _)| {
        Some((located("", file?.as_ref(), dir, home).ok()?, kind))
    };
    let all = all.into_iter().chain(of_shared);
    all.filter_map(located).collect()
}
