//! Configuration: flags override the environment, a cluster's extension, the
//! profile and the defaults, in this order. Merged and checked once.

pub(crate) mod audit;
mod chosen;
mod draft;
pub mod file;
mod fleet;
mod from;
mod given;
pub(crate) mod instance;
mod layer;
mod lines;
mod logging;
mod missing;
mod place;
mod rules;
mod setting;
mod shared;
pub(crate) mod shown;
mod source;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use file::File;
use given::Given;
pub use layer::Layer;
pub use logging::{LOG_FORMAT, log_format, log_level, start_log};
pub use place::{Directories, FILE_LIMIT};
pub(crate) use place::{Profiles, option_for};
use place::{path_of_call, read_file};
use setting::Setting;
pub use source::SourceSetting;
use value::{timeout_of_caller, usage};

use crate::broker::Request;
use crate::cli::options::Options;
use crate::error::{Error, Report};
use crate::host::{HostRule, HostRules};
use crate::net::http::Network;
use crate::scope::{ROLES, Scopes, project_audience};
use crate::source::Source;
use crate::source::key::Owner;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::{HttpUrl, IssuerUrl};

/// Default time limit for all waiting.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration of one call.
pub struct Config<'a> {
    caller: Layer,
    given: Given,
    file: File,
    path: Option<PathBuf>,
    /// True if a flag names the config file.
    is_named: bool,
    rules: HostRules,
    directories: &'a Directories,
    environment: &'a Environment<'a>,
    no_cache: bool,
    refresh: bool,
    deadline: Deadline,
}

/// The parts of a request that select the profile.
#[derive(Debug, Default)]
pub struct Asker<'a> {
    /// The rule of the host that gets the token.
    pub rule: Option<&'a HostRule>,
    /// The settings of the kubeconfig's cluster.
    pub cluster: Layer,
}

impl<'a> Asker<'a> {
    /// Creates the asker for a host with this rule.
    pub fn of(rule: &'a HostRule) -> Self {
        Self {
            rule: Some(rule),
            ..Self::default()
        }
    }
}

impl<'a> Config<'a> {
    /// Reads the config file, if there is one, and checks its host rules.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the file and line, the flag or the variable.
    pub fn load(
        options: &Options,
        environment: &'a Environment<'a>,
        directories: &'a Directories,
    ) -> Result<Self, Error> {
        let (path, must_exist) = path_of_call(options, environment, directories)?;
        let mut config = Self::without_file(options, environment, directories)?;
        if let Some(path) = &path {
            config.file = read_file(path, must_exist, &config.deadline)?;
        }
        config.path = path;
        config.rules = config.read_rules()?;
        Ok(config)
    }

    /// Returns the settings of flags and environment, without host rules: for
    /// commands that continue if the config file cannot be read.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag or the variable.
    pub fn without_file(
        options: &Options,
        environment: &'a Environment<'a>,
        directories: &'a Directories,
    ) -> Result<Self, Error> {
        let caller = Layer::from_caller(options, environment, directories.home.as_deref())?;
        let deadline = Deadline::after(caller.timeout.map_or(TIMEOUT, Duration::from_secs));
        Ok(Self {
            given: Given::of(options, &caller),
            caller,
            file: File::default(),
            path: None,
            is_named: options.config.is_some(),
            rules: HostRules::default(),
            directories,
            environment,
            no_cache: options.no_cache,
            refresh: options.refresh,
            deadline,
        })
    }

    /// Returns the effective host rules.
    pub const fn rules(&self) -> &HostRules {
        &self.rules
    }

    /// Returns the time limit for all waiting of this call.
    pub const fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// True if flags or environment set the time limit.
    pub const fn has_timeout(&self) -> bool {
        self.caller.timeout.is_some()
    }

    /// Returns the token request for `asker`.
    ///
    /// # Errors
    /// [`Error::Usage`]: a setting is missing or invalid.
    pub fn request(&self, asker: Asker<'_>) -> Result<Request<'a>, Error> {
        self.request_with(self.settings(asker)?)
    }

    fn request_with(&self, settings: Layer) -> Result<Request<'a>, Error> {
        let is_supplied = matches!(settings.source, Some(SourceSetting::Supplier(_)));
        let issuer = (!is_supplied || settings.issuer.is_some()).then(|| self.issuer_of(&settings));
        let shared = self.shared_of(&settings)?;
        Ok(Request {
            issuer: issuer.transpose()?,
            source: self.source_of(&settings)?,
            token_endpoint: token_endpoint_of(&settings)?,
            scopes: scopes_of(&settings)?,
            network: Network {
                ca_file: settings.ca_file,
                allow_http: settings.allow_http,
                environment: self.environment,
            },
            cache_dir: self.cache_dir(),
            shared,
            refresh: self.refresh,
            deadline: self.deadline,
        })
    }

    /// Returns the source of this call's tokens.
    ///
    /// # Errors
    /// As [`Config::request`].
    pub fn source(&self) -> Result<Source, Error> {
        self.source_of(&self.settings(Asker::default())?)
    }

    /// Returns the source, and the issuer if `with_issuer`: the settings for an
    /// assertion, which an application may sign too.
    ///
    /// # Errors
    /// As [`Config::request`].
    pub fn assertion(&self, with_issuer: bool) -> Result<(Source, Option<IssuerUrl>), Error> {
        let settings = self.settings(Asker::default())?;
        let issuer = with_issuer.then(|| self.issuer_of(&settings)).transpose()?;
        let mut source = self.source_of(&settings)?;
        if let Source::Key(key) | Source::SelfSigned(key) = &mut source {
            key.owner = Owner::UserOrApplication;
        }
        Ok((source, issuer))
    }

    fn issuer_of(&self, settings: &Layer) -> Result<IssuerUrl, Error> {
        let issuer = settings.issuer.as_deref();
        let issuer = issuer.ok_or_else(|| self.missing(Setting::Issuer, settings))?;
        if issuer.contains('@') {
            return Err(usage(
                "invalid issuer URL: it contains a user name or a password".to_owned(),
                "write the issuer like https://acme.zitadel.cloud: the key is the only credential",
            ));
        }
        let invalid = || Report::new(format!("invalid issuer URL: \"{}\"", quoted(issuer)));
        let parsed = IssuerUrl::parse(issuer)
            .ok_or_else(|| Error::Usage(invalid().hint(instance::hint(issuer))))?;
        if instance::is_page(&parsed) {
            let what = format!(
                "invalid issuer URL: \"{}\" is a page or an API of ZITADEL",
                quoted(issuer)
            );
            return Err(usage(what, &format!("try {}", parsed.origin())));
        }
        Ok(parsed)
    }

    /// Returns the profile's name for `asker`; `None` if no profile applies.
    pub fn profile_for(&self, asker: &Asker<'_>) -> Option<String> {
        let rule = asker.rule.and_then(|rule| rule.profile.clone());
        let caller = self.caller.profile.clone();
        let name = caller.or_else(|| asker.cluster.profile.clone());
        name.or(rule).or_else(|| self.default_profile())
    }

    /// Returns the config file's path, even if the file does not exist; `None` if there
    /// is no home directory, or if `/dev/null` is given.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the option by which another call names this config file, with a space
    /// before it; empty if no flag names it.
    pub(crate) fn option(&self) -> String {
        option_for(self.path().filter(|_| self.is_named))
    }

    fn settings(&self, asker: Asker<'_>) -> Result<Layer, Error> {
        let name = self.profile_for(&asker);
        let cluster = asker.cluster;
        let profile = match &name {
            Some(name) => self.profile(name)?,
            None => Layer::default(),
        };
        Ok(Layer {
            profile: name,
            ..self.caller.clone().or(cluster).or(profile)
        })
    }

    fn default_profile(&self) -> Option<String> {
        let mut names = self.file.profiles.keys();
        let only = names.next().filter(|_| names.len() == 0);
        self.file.default_profile.as_ref().or(only).cloned()
    }

    fn profile(&self, name: &str) -> Result<Layer, Error> {
        let profile = self.file.profiles.get(name);
        let profile = profile.ok_or_else(|| self.unknown_profile(name))?;
        let dir = self.path.as_deref().and_then(Path::parent);
        let dir = dir.unwrap_or_else(|| Path::new(""));
        Layer::from_profile(profile, dir, self.directories.home.as_deref()).map_err(|error| {
            error.map(|r| self.about(r.about(&format!("profile {}", quote::path(name)))))
        })
    }

    /// Returns the cache directory, even with `--no-cache`.
    pub fn cache_root(&self) -> Option<PathBuf> {
        let usual = || Some(self.directories.cache.as_ref()?.join("zitadel-credential"));
        self.caller.cache_dir.clone().or_else(usual)
    }

    fn cache_dir(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        let root = self.cache_root();
        if root.is_none() {
            log::warn!("continuing without a cache: no home directory (set --cache-dir)");
        }
        root
    }

    fn about(&self, report: Report) -> Report {
        match &self.path {
            Some(path) => report.about(&quote::path(path)),
            None => report,
        }
    }
}

/// Returns the time limit for all waiting, for callers that need no other setting.
/// An invalid timeout is ignored, and the default applies.
pub fn timeout(options: &Options, environment: &Environment) -> Duration {
    let given = timeout_of_caller(options.timeout.as_ref(), environment);
    let seconds = given.ok().flatten();
    seconds.map_or(TIMEOUT, Duration::from_secs)
}

/// Returns the deadline of [`timeout`].
pub fn deadline(options: &Options, environment: &Environment) -> Deadline {
    Deadline::after(timeout(options, environment))
}

fn token_endpoint_of(settings: &Layer) -> Result<Option<HttpUrl>, Error> {
    let parse = |text: &String| {
        HttpUrl::parse(text).ok_or_else(|| {
            usage(
                format!("invalid token-endpoint: \"{}\"", quoted(text)),
                "write it like https://acme.zitadel.cloud/oauth/v2/token, as the discovery document names it",
            )
        })
    };
    let endpoint = settings.token_endpoint.as_ref().map(parse).transpose()?;
    let issuer = settings.issuer.as_deref().and_then(IssuerUrl::parse);
    // Anyone who gets an assertion for this issuer can use it, and the response is cached
    // as this issuer's token.
    if let (Some(endpoint), Some(issuer)) = (&endpoint, &issuer)
        && endpoint.origin() != issuer.origin()
    {
        return Err(usage(
            format!(
                "token-endpoint {endpoint} is not at the issuer {}",
                issuer.as_str()
            ),
            "remove token-endpoint, or write that of this issuer: ZITADEL has it under its own host name",
        ));
    }
    Ok(endpoint)
}

fn scopes_of(settings: &Layer) -> Result<Scopes, Error> {
    let scopes = settings.scopes.clone();
    let mut all = scopes.unwrap_or_else(|| vec!["openid".to_owned()]);
    for project in &settings.projects {
        if project.is_empty() || !project.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(usage(
                format!("invalid project ID: \"{}\"", quoted(project)),
                "use the project's ID: the long number on the project's page in ZITADEL",
            ));
        }
        all.push(project_audience(project));
    }
    if settings.roles {
        all.push(ROLES.to_owned());
    }
    if settings.zitadel_api {
        all.push(project_audience("zitadel"));
    }
    Scopes::new(all.iter().map(String::as_str)).map_err(|bad| {
        let what = match bad.as_str() {
            "" => "no scope is configured".to_owned(),
            bad => format!("invalid scope: \"{}\"", quoted(bad)),
        };
        usage(what, "write scopes like openid, separated by spaces")
    })
}

#[cfg(test)]
mod tests;
