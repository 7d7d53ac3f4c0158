//! The origin of a setting's value.

use std::fmt;
use std::path::PathBuf;

use crate::cli::options::Options;
use crate::text::quote;

/// The origin of a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag(&'static str),
    Variable(&'static str),
    /// The config file, with the line.
    File(PathBuf, Option<usize>),
    /// No place sets the value.
    Default,
}

impl Source {
    /// Returns the flag, or else the variable, by which the caller sets a setting.
    pub(super) fn of_caller(given: &Options, name: &str) -> Self {
        let (is_flag, flag, variable) = match name {
            "config" => (
                given.config.is_some(),
                "--config",
                "ZITADEL_CREDENTIAL_CONFIG",
            ),
            "profile" => (
                given.profile.is_some(),
                "--profile",
                "ZITADEL_CREDENTIAL_PROFILE",
            ),
            "issuer" => (
                given.issuer.is_some(),
                "--issuer",
                "ZITADEL_CREDENTIAL_ISSUER",
            ),
            "key" => (false, "", "ZITADEL_CREDENTIAL_KEY"),
            "key-file" => (
                given.key_file.is_some(),
                "--key-file",
                "ZITADEL_CREDENTIAL_KEY_FILE",
            ),
            "key-id" => (
                given.key_id.is_some(),
                "--key-id",
                "ZITADEL_CREDENTIAL_KEY_ID",
            ),
            "user-id" => (
                given.user_id.is_some(),
                "--user-id",
                "ZITADEL_CREDENTIAL_USER_ID",
            ),
            "client-secret" => (false, "", "ZITADEL_CREDENTIAL_CLIENT_SECRET"),
            "token-file" => (
                given.token_file.is_some(),
                "--token-file",
                "ZITADEL_CREDENTIAL_TOKEN_FILE",
            ),
            "client-secret-file" => (
                given.client_secret_file.is_some(),
                "--client-secret-file",
                "ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE",
            ),
            "client-id" => (
                given.client_id.is_some(),
                "--client-id",
                "ZITADEL_CREDENTIAL_CLIENT_ID",
            ),
            "scopes" => (
                !given.scope.is_empty(),
                "--scope",
                "ZITADEL_CREDENTIAL_SCOPES",
            ),
            "projects" => (
                !given.project.is_empty(),
                "--project",
                "ZITADEL_CREDENTIAL_PROJECTS",
            ),
            "roles" => (true, "--roles", ""),
            "zitadel-api" => (true, "--zitadel-api", ""),
            "host" => (!given.host.is_empty(), "--host", "ZITADEL_CREDENTIAL_HOSTS"),
            "ca-file" => (
                given.ca_file.is_some(),
                "--ca-file",
                "ZITADEL_CREDENTIAL_CA_FILE",
            ),
            "cache-dir" => (
                given.cache_dir.is_some(),
                "--cache-dir",
                "ZITADEL_CREDENTIAL_CACHE_DIR",
            ),
            "timeout" => (
                given.timeout.is_some(),
                "--timeout",
                "ZITADEL_CREDENTIAL_TIMEOUT",
            ),
            "log-format" => (
                given.log_format.is_some(),
                "--log-format",
                "ZITADEL_CREDENTIAL_LOG_FORMAT",
            ),
            _ => (given.verbose > 0, "--verbose", "ZITADEL_CREDENTIAL_LOG"),
        };
        if is_flag {
            Self::Flag(flag)
        } else {
            Self::Variable(variable)
        }
    }

    /// Returns the source with only the config file's name, for a line of a table.
    pub(crate) fn in_short(&self) -> String {
        match self {
            Self::File(path, line) => {
                let name = path.file_name().map(PathBuf::from);
                Self::File(name.unwrap_or_default(), *line).to_string()
            }
            other => other.to_string(),
        }
    }

    /// Returns the kind of source: one word.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Variable(_) => "environment",
            Self::File(..) => "file",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File(path, Some(line)) => write!(f, "{}:{line}", quote::path(path)),
            Self::File(path, None) => f.write_str(&quote::path(path)),
            Self::Default => f.write_str("default"),
        }
    }
}
