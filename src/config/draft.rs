//! The config file as `setup` finds it and would leave it.

use std::path::{Path, PathBuf};

use super::layer::{located, usage};
use super::place::{default_path, given_path, parse_file};
use super::rules::parse_pattern;
use super::{Asker, Config, Directories, Layer};
use crate::cli::options::Options;
use crate::error::Error;
use crate::host::{HostPattern, HostRule};
use crate::source::key::spec::KeySource;
use crate::sys::Environment;

impl<'a> Config<'a> {
    /// The configuration as it would be if the config file held this text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn with_text(
        options: &Options,
        environment: &'a Environment,
        directories: &'a Directories,
        path: &Path,
        text: &str,
    ) -> Result<Self, Error> {
        let mut config = Self::without_file(options, environment, directories)?;
        config.file = parse_file(path, text)?;
        config.path = Some(path.to_owned());
        // The file's own rules: those of this call are gone with it.
        config.caller.hosts.clear();
        config.rules = config.read_rules()?;
        Ok(config)
    }

    /// Where the config file is, or would be.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is no home directory, or a key was given for it.
    pub fn place(
        options: &Options,
        environment: &Environment,
        directories: &Directories,
    ) -> Result<PathBuf, Error> {
        given_path(options, environment, directories)?
            .or_else(|| default_path(directories))
            .ok_or_else(|| {
                usage(
                    "there is no place for a config file: no home directory is known".to_owned(),
                    "--config names one",
                )
            })
    }

    /// Reads what a host rule is for.
    ///
    /// # Errors
    /// [`Error::Usage`]: it names no host.
    pub fn pattern(text: &str) -> Result<HostPattern, Error> {
        parse_pattern(text).map_err(Error::Usage)
    }

    /// Where a path of a person's leads: `~/` is the home directory.
    pub fn located(&self, path: &str) -> PathBuf {
        located(
            path.as_ref(),
            Path::new(""),
            self.directories.home.as_deref(),
        )
    }

    /// What flags and environment say.
    pub const fn caller(&self) -> &Layer {
        &self.caller
    }

    /// The name of the profile that answers where no host rule names another;
    /// none where flags and environment do alone.
    ///
    /// # Errors
    /// [`Error::Usage`]: no profile has the name that was given.
    pub fn profile_name(&self) -> Result<Option<String>, Error> {
        Ok(self.settings(Asker::default())?.profile)
    }

    /// The names of the file's profiles.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.file.profiles.keys().map(String::as_str)
    }

    /// The key files of all profiles and of this call.
    pub fn key_files(&self) -> Vec<PathBuf> {
        let profiles = self
            .profile_names()
            .filter_map(|name| self.profile(name).ok());
        let layers = profiles.chain([self.caller.clone()]);
        layers
            .filter_map(|layer| match layer.key_source {
                Some(KeySource::File(path)) => Some(path),
                _ => None,
            })
            .collect()
    }

    /// The hosts whose rules name this profile.
    pub fn hosts_of<'c>(&'c self, profile: &'c str) -> impl Iterator<Item = &'c HostRule> {
        self.rules
            .iter()
            .filter(move |rule| rule.profile.as_deref() == Some(profile))
    }

    /// Whether the file says which of several profiles is the default.
    pub const fn has_default_profile(&self) -> bool {
        self.file.default_profile.is_some()
    }
}
