//! One layer of settings: flags and environment, a cluster's extension, or a profile. A
//! setting that one layer leaves unset is taken from the next.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::file::Profile;
use super::shared;
use super::source;
use super::source::SourceSetting;
use super::value::{check_path, located, path_of_caller, set, text, timeout_of_caller};
use crate::cache::shared::Settings;
use crate::cli::options::Options;
use crate::error::Error;
use crate::sys::Environment;

/// The settings of one place; `None` for a setting that it leaves unset.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct Layer {
    /// The profile's name.
    pub profile: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// The source of the tokens.
    pub source: Option<SourceSetting>,
    /// The key ID.
    pub key_id: Option<String>,
    /// The user ID.
    pub user_id: Option<String>,
    /// The client ID of a client secret.
    pub client_id: Option<String>,
    /// True if the key's assertion is the token itself.
    pub self_signed: bool,
    /// The token endpoint, which replaces discovery.
    pub token_endpoint: Option<String>,
    /// The scopes.
    pub scopes: Option<Vec<String>>,
    /// Projects to add to the audience; those of all layers count.
    pub projects: Vec<String>,
    /// True to add the scope of the user's roles.
    pub roles: bool,
    /// True to add the scope of ZITADEL's own APIs.
    pub zitadel_api: bool,
    /// The file of root certificates to trust.
    pub ca_file: Option<PathBuf>,
    /// True to allow plain http.
    pub allow_http: bool,
    /// The shared cache.
    pub shared: Option<Settings>,
    /// Host rules to add.
    pub hosts: Vec<String>,
    /// The cache directory.
    pub cache_dir: Option<PathBuf>,
    /// The time limit for all waiting, in seconds.
    pub timeout: Option<u64>,
}

impl Layer {
    /// Returns this layer, with its unset settings taken from `next`.
    pub fn or(self, next: Self) -> Self {
        // The source's own settings count only with the source of the same layer.
        let (key_id, user_id, self_signed) = match self.source {
            Some(_) => (None, None, false),
            None => (next.key_id, next.user_id, next.self_signed),
        };
        // An endpoint belongs to the issuer beside it.
        let is_of_another = self.issuer.is_some() && self.issuer != next.issuer;
        let endpoint = next.token_endpoint.filter(|_| !is_of_another);
        Self {
            profile: self.profile.or(next.profile),
            issuer: self.issuer.or(next.issuer),
            source: self.source.or(next.source),
            key_id: self.key_id.or(key_id),
            user_id: self.user_id.or(user_id),
            // A profile may leave its secret to the environment.
            client_id: self.client_id.or(next.client_id),
            self_signed: self.self_signed || self_signed,
            token_endpoint: self.token_endpoint.or(endpoint),
            scopes: self.scopes.or(next.scopes),
            projects: [self.projects, next.projects].concat(),
            roles: self.roles || next.roles,
            zitadel_api: self.zitadel_api || next.zitadel_api,
            ca_file: self.ca_file.or(next.ca_file),
            allow_http: self.allow_http || next.allow_http,
            shared: self.shared.or(next.shared),
            hosts: [self.hosts, next.hosts].concat(),
            cache_dir: self.cache_dir.or(next.cache_dir),
            timeout: self.timeout.or(next.timeout),
        }
    }

    /// Reads the flags and the environment; a flag overrides its variable.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag or the variable.
    pub(super) fn from_caller(
        options: &Options,
        env: &Environment,
        home: Option<&Path>,
    ) -> Result<Self, Error> {
        let one = |flag: &'static str, given: &Option<OsString>, variable: &'static str| match given
        {
            Some(given) => text(flag, given).map(Some),
            None => set(env, variable).map(|v| text(variable, &v)).transpose(),
        };
        let many = |flag: &'static str, given: &[OsString], variable: &'static str| {
            if given.is_empty() {
                let listed = set(env, variable).map(|v| text(variable, &v)).transpose()?;
                Ok(listed.map(|list| {
                    let words = list.split_ascii_whitespace();
                    words.map(ToOwned::to_owned).collect()
                }))
            } else {
                let given = given.iter().map(|given| text(flag, given));
                given.collect::<Result<Vec<_>, _>>().map(Some)
            }
        };
        let path = |flag: &'static str, given: &Option<OsString>, variable| {
            path_of_caller(flag, given.as_ref(), env, variable, home)
        };
        Ok(Self {
            profile: one("--profile", &options.profile, "ZITADEL_CREDENTIAL_PROFILE")?,
            issuer: one("--issuer", &options.issuer, "ZITADEL_CREDENTIAL_ISSUER")?,
            source: source::of_caller(options, env, home)?,
            key_id: one("--key-id", &options.key_id, "ZITADEL_CREDENTIAL_KEY_ID")?,
            user_id: one("--user-id", &options.user_id, "ZITADEL_CREDENTIAL_USER_ID")?,
            client_id: one(
                "--client-id",
                &options.client_id,
                "ZITADEL_CREDENTIAL_CLIENT_ID",
            )?,
            self_signed: false,
            token_endpoint: None,
            scopes: many("--scope", &options.scope, "ZITADEL_CREDENTIAL_SCOPES")?,
            projects: many("--project", &options.project, "ZITADEL_CREDENTIAL_PROJECTS")?
                .unwrap_or_default(),
            roles: options.roles,
            zitadel_api: options.zitadel_api,
            ca_file: path("--ca-file", &options.ca_file, "ZITADEL_CREDENTIAL_CA_FILE")?,
            allow_http: false,
            shared: None,
            hosts: many("--host", &options.host, "ZITADEL_CREDENTIAL_HOSTS")?.unwrap_or_default(),
            cache_dir: path(
                "--cache-dir",
                &options.cache_dir,
                "ZITADEL_CREDENTIAL_CACHE_DIR",
            )?,
            timeout: timeout_of_caller(options.timeout.as_ref(), env)?,
        })
    }

    /// Reads a profile; relative paths start at the config file's directory.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the profile's key.
    pub(super) fn from_profile(
        profile: &Profile,
        dir: &Path,
        home: Option<&Path>,
    ) -> Result<Self, Error> {
        let ca_file = |text: &String| {
            check_path("ca-file", text.as_ref())?;
            located("ca-file", text.as_ref(), dir, home)
        };
        Ok(Self {
            issuer: profile.issuer.clone(),
            source: source::of_profile(profile, dir, home)?,
            key_id: profile.key_id.clone(),
            user_id: profile.user_id.clone(),
            client_id: profile.client_id.clone(),
            self_signed: profile.self_signed,
            token_endpoint: profile.token_endpoint.clone(),
            scopes: profile.scopes.clone(),
            projects: profile.projects.clone(),
            roles: profile.roles,
            zitadel_api: profile.zitadel_api,
            ca_file: profile.ca_file.as_ref().map(ca_file).transpose()?,
            allow_http: profile.allow_http,
            shared: shared::of_profile(profile, dir, home)?,
            ..Self::default()
        })
    }
}
