//! One source of settings: flags and environment, a cluster's extension, or a
//! profile. A setting that one layer leaves unset is taken from the next.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::file::Profile;
use crate::cli::options::Options;
use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::secret::Secret;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::sys::Environment;
use crate::text::quote::quoted;

/// The settings of one source; `None` for a setting that it leaves unset.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// The profile's name.
    pub profile: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// Where the key is.
    pub key_source: Option<KeySource>,
    /// The key ID.
    pub key_id: Option<String>,
    /// The user ID.
    pub user_id: Option<String>,
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
        // The IDs belong to the key of their own layer: with a key in this layer,
        // those of the next one do not count.
        let ids = match self.key_source {
            Some(_) => (None, None),
            None => (next.key_id, next.user_id),
        };
        Self {
            profile: self.profile.or(next.profile),
            issuer: self.issuer.or(next.issuer),
            key_source: self.key_source.or(next.key_source),
            key_id: self.key_id.or(ids.0),
            user_id: self.user_id.or(ids.1),
            scopes: self.scopes.or(next.scopes),
            projects: [self.projects, next.projects].concat(),
            roles: self.roles || next.roles,
            zitadel_api: self.zitadel_api || next.zitadel_api,
            ca_file: self.ca_file.or(next.ca_file),
            allow_http: self.allow_http || next.allow_http,
            hosts: [self.hosts, next.hosts].concat(),
            cache_dir: self.cache_dir.or(next.cache_dir),
            timeout: self.timeout.or(next.timeout),
        }
    }

    /// Returns the key; `None` if the layer names none.
    ///
    /// # Errors
    /// [`Error::Usage`]: the key ID or the user ID is invalid.
    pub(super) fn key(&self) -> Result<Option<KeySpec>, Error> {
        let Some(source) = self.key_source.clone() else {
            return Ok(None);
        };
        let not_an_id = |name: &str, text: &str| {
            usage(
                format!("invalid {name}: \"{}\"", quoted(text)),
                "use the ID that ZITADEL shows beside the key or the user: a long number",
            )
        };
        let read_id = |text: &String| KeyId::parse(text).ok_or_else(|| not_an_id("key ID", text));
        let read_user =
            |text: &String| UserId::parse(text).ok_or_else(|| not_an_id("user ID", text));
        Ok(Some(KeySpec {
            source,
            id: self.key_id.as_ref().map(read_id).transpose()?,
            user: self.user_id.as_ref().map(read_user).transpose()?,
            is_silent: false,
            is_exposure_shown: false,
        }))
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
            key_source: key_of_caller(options.key_file.as_ref(), env, home)?,
            key_id: one("--key-id", &options.key_id, "ZITADEL_CREDENTIAL_KEY_ID")?,
            user_id: one("--user-id", &options.user_id, "ZITADEL_CREDENTIAL_USER_ID")?,
            scopes: many("--scope", &options.scope, "ZITADEL_CREDENTIAL_SCOPES")?,
            projects: many("--project", &options.project, "ZITADEL_CREDENTIAL_PROJECTS")?
                .unwrap_or_default(),
            roles: options.roles,
            zitadel_api: options.zitadel_api,
            ca_file: path("--ca-file", &options.ca_file, "ZITADEL_CREDENTIAL_CA_FILE")?,
            allow_http: false,
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
        let Profile {
            issuer,
            key_file,
            key_command,
            key_id,
            user_id,
            scopes,
            projects,
            roles,
            zitadel_api,
            ca_file,
            allow_http,
        } = profile;
        let path = |setting: &str, text: &String| {
            check_path(setting, text.as_ref())?;
            located(setting, text.as_ref(), dir, home)
        };
        let key_source = match (key_file, key_command) {
            (Some(_), Some(_)) => {
                return Err(usage(
                    "key-file and key-command are both set".into(),
                    "remove one of them: a profile has one key",
                ));
            }
            (Some(file), None) => Some(KeySource::File(path("key-file", file)?)),
            (None, Some(words)) => Some(KeySource::Command(command(words, home)?)),
            (None, None) => None,
        };
        Ok(Self {
            issuer: issuer.clone(),
            key_source,
            key_id: key_id.clone(),
            user_id: user_id.clone(),
            scopes: scopes.clone(),
            projects: projects.clone(),
            roles: *roles,
            zitadel_api: *zitadel_api,
            ca_file: ca_file
                .as_ref()
                .map(|file| path("ca-file", file))
                .transpose()?,
            allow_http: *allow_http,
            ..Self::default()
        })
    }
}

/// Returns the key-command's words; its program may be below the home directory.
fn command(words: &[String], home: Option<&Path>) -> Result<Vec<String>, Error> {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut().filter(|word| word.starts_with("~/")) {
        let path = located("key-command", program.as_ref(), Path::new(""), home)?;
        let path = path.to_str().map(ToOwned::to_owned);
        *program = path.ok_or_else(|| {
            usage(
                "key-command is below a home directory that is not UTF-8".to_owned(),
                "name the program only, and add its directory to PATH",
            )
        })?;
    }
    Ok(words)
}

/// Returns the key that the flag names, or else the environment.
fn key_of_caller(
    flag: Option<&OsString>,
    env: &Environment,
    home: Option<&Path>,
) -> Result<Option<KeySource>, Error> {
    const VARIABLE: &str = "ZITADEL_CREDENTIAL_KEY";
    const FILE_VARIABLE: &str = "ZITADEL_CREDENTIAL_KEY_FILE";
    match (flag, set(env, FILE_VARIABLE), set(env, VARIABLE)) {
        (None, Some(_), Some(_)) => Err(usage(
            "ZITADEL_CREDENTIAL_KEY and ZITADEL_CREDENTIAL_KEY_FILE are both set".into(),
            "unset one of them: a call has one key",
        )),
        (None, None, Some(inline)) => {
            let inline = Secret::new(text(VARIABLE, &inline)?);
            Ok(Some(KeySource::Environment(inline)))
        }
        _ => {
            let file = path_of_caller("--key-file", flag, env, FILE_VARIABLE, home)?;
            Ok(file.map(KeySource::File))
        }
    }
}

/// Returns the path that the flag names, or else the variable.
///
/// # Errors
/// [`Error::Usage`]: the value is a private key.
pub(super) fn path_of_caller(
    flag: &str,
    given: Option<&OsString>,
    env: &Environment,
    variable: &str,
    home: Option<&Path>,
) -> Result<Option<PathBuf>, Error> {
    let (setting, path) = match given {
        Some(path) => (flag, Some(path.clone())),
        None => (variable, set(env, variable)),
    };
    if let Some(path) = &path {
        check_path(setting, path)?;
    }
    // No shell expands ~ in a kubeconfig's args or a CI system's variables.
    path.map(|path| located(setting, path.as_ref(), Path::new(""), home))
        .transpose()
}

/// Refuses a private key in place of a path: CI systems make that mistake easy, and
/// any later error would show the path.
fn check_path(setting: &str, path: &OsStr) -> Result<(), Error> {
    // A key in base64 is longer than any key file's path.
    const LONGEST: usize = 1000;
    let text = path.to_string_lossy();
    let is_key = text.contains(['\n', '"']) || text.contains("-----BEGIN") || text.len() > LONGEST;
    if text.contains("-----BEGIN") && text.contains(" CERTIFICATE-----") {
        return Err(usage(
            format!("{setting} must be a path, but is a certificate itself"),
            "write the certificate into a file, and give the path of that file",
        ));
    }
    if is_key {
        return Err(usage(
            format!("{setting} must be a path, but looks like a private key"),
            "give the path of the key file, or set ZITADEL_CREDENTIAL_KEY to the key, from a secret of your CI system",
        ));
    }
    Ok(())
}

/// Returns a variable's value; `None` if it is unset or empty.
pub(super) fn set(env: &Environment, variable: &str) -> Option<OsString> {
    env(variable).filter(|value| !value.is_empty())
}

/// Returns the value of a flag or a variable as text.
pub(super) fn text(name: &str, value: &OsString) -> Result<String, Error> {
    value.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        usage(
            format!("{name} is not UTF-8"),
            "write it in UTF-8: names, URLs and IDs are ASCII",
        )
    })
}

pub(super) fn usage(what: String, hint: &str) -> Error {
    Error::Usage(Report::new(what).hint(hint))
}

/// Returns the time limit for all waiting in seconds, from the flag or else the
/// environment.
pub(super) fn timeout_of_caller(
    given: Option<&OsString>,
    env: &Environment,
) -> Result<Option<u64>, Error> {
    const VARIABLE: &str = "ZITADEL_CREDENTIAL_TIMEOUT";
    let given = match given {
        Some(given) => Some(text("--timeout", given)?),
        None => set(env, VARIABLE)
            .map(|value| text(VARIABLE, &value))
            .transpose()?,
    };
    given.map(|text| seconds(&text)).transpose()
}

fn seconds(text: &str) -> Result<u64, Error> {
    match text.parse() {
        Ok(secs @ 1..=86_400) => Ok(secs),
        _ => Err(usage(
            format!("invalid timeout: \"{}\"", quoted(text)),
            "set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400",
        )),
    }
}

/// Returns the path with `~/` replaced by the home directory, and a relative path
/// joined to `dir`.
///
/// # Errors
/// [`Error::Usage`] naming the setting: there is no home directory. A directory named
/// `~` is never used.
pub(super) fn located(
    setting: &str,
    path: &Path,
    dir: &Path,
    home: Option<&Path>,
) -> Result<PathBuf, Error> {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        (Ok(_), None) => Err(usage(
            format!("{setting} begins with ~, but the home directory is unknown"),
            "write the whole path, or set HOME",
        )),
        (Err(_), _) => Ok(dir.join(path)),
    }
}
