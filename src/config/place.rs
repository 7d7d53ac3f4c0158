//! Finds and reads the config file.

use std::path::{Path, PathBuf};

use super::file;
use super::file::File;
use super::value::{located, path_of_caller, usage};
use crate::cli::options::Options;
use crate::error::Error;
use crate::sys::Environment;
use crate::sys::directories::other_config_dir;
use crate::text::clock::Deadline;
use crate::text::input::{ReadError, encoding};
use crate::text::{input, quote};

/// Size limit of the config file in bytes: it may list many hosts.
pub const FILE_LIMIT: usize = 1024 * 1024;

/// The user's directories; `None` if there is no home directory.
#[derive(Clone, Debug, Default)]
pub struct Directories {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// The system's directory for configuration.
    pub config: Option<PathBuf>,
    /// The system's directory for caches.
    pub cache: Option<PathBuf>,
}

impl Directories {
    /// Returns an option's path with `~/` replaced by the home directory.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the option: the home directory is unknown.
    pub fn located(&self, option: &str, path: &Path) -> Result<PathBuf, Error> {
        located(option, path, Path::new(""), self.home.as_deref())
    }

    /// True if a call with this `--config` finds the file; `/dev/null` means that there is
    /// none to find.
    pub(crate) fn finds_config(&self, given: &Path) -> bool {
        let path = self.located("--config", given);
        path.is_ok_and(|path| is_no_file(&path) || path.is_file())
    }
}

/// Returns the config file's default path; `None` without a home directory.
pub(super) fn default_path(directories: &Directories) -> Option<PathBuf> {
    let in_dir = |dir: &Path| dir.join("zitadel-credential").join("config.toml");
    let other = directories.home.as_deref().and_then(other_config_dir);
    let other = other.map(|dir| in_dir(&dir)).filter(|path| path.exists());
    other.or_else(|| Some(in_dir(directories.config.as_ref()?)))
}

/// Returns the config file that the flag or the environment names.
pub(super) fn given_path(
    options: &Options,
    environment: &Environment,
    directories: &Directories,
) -> Result<Option<PathBuf>, Error> {
    path_of_caller(
        "--config",
        options.config.as_ref(),
        environment,
        "ZITADEL_CREDENTIAL_CONFIG",
        directories.home.as_deref(),
    )
}

/// Returns the config file of a call, and whether it must exist; `None` if there is no
/// home directory, or if `/dev/null` is given.
pub(super) fn path_of_call(
    options: &Options,
    environment: &Environment,
    directories: &Directories,
) -> Result<(Option<PathBuf>, bool), Error> {
    Ok(match given_path(options, environment, directories)? {
        Some(path) if is_no_file(&path) => (None, false),
        Some(path) => (Some(path), true),
        None => (default_path(directories), false),
    })
}

/// Returns the option by which a call names this config file, with a space before it;
/// empty for `None`.
pub(crate) fn option_for(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| {
        format!(" --config {}", quote::word(path))
    })
}

/// True for the path that means that there is no config file.
pub(super) fn is_no_file(path: &Path) -> bool {
    path == Path::new("/dev/null")
}

/// The config file of a call, read only if the names of its profiles are needed.
#[derive(Default)]
pub(crate) struct Profiles(Option<PathBuf>);

impl Profiles {
    /// Returns the profiles of the file that the flag or the environment names, or else of
    /// the default file.
    pub(crate) fn of(
        options: &Options,
        environment: &Environment,
        directories: &Directories,
    ) -> Self {
        match given_path(options, environment, directories) {
            Ok(given) => Self(given.or_else(|| default_path(directories))),
            Err(_) => Self(None),
        }
    }

    /// Returns the profiles' names; none if the file is missing or invalid.
    pub(crate) fn names(&self, deadline: &Deadline) -> Vec<String> {
        let path = self.0.as_deref();
        let file = path.and_then(|path| read_file(path, true, deadline).ok());
        file.map(|file| file.profiles.into_keys().collect())
            .unwrap_or_default()
    }
}

/// Reads the config file. A missing file is empty, unless it must exist.
pub(super) fn read_file(path: &Path, must_exist: bool, deadline: &Deadline) -> Result<File, Error> {
    parse_file(path, &read_text(path, must_exist, deadline)?)
}

/// Reads the config file's text, which is empty for a missing file unless it must exist.
pub(super) fn read_text(
    path: &Path,
    must_exist: bool,
    deadline: &Deadline,
) -> Result<String, Error> {
    let unread = |detail: String| {
        usage(
            format!("config file {}: {detail}", quote::path(path)),
            "set --config or ZITADEL_CREDENTIAL_CONFIG to a TOML file that you can read",
        )
    };
    let bytes = match input::read_file(path, FILE_LIMIT, deadline) {
        Ok(bytes) => bytes,
        // The HOME of a service may be /dev/null.
        Err(ReadError::Io(error)) if !must_exist && is_absent(&error) => {
            return Ok(String::new());
        }
        Err(error) => return Err(unread(error.to_string())),
    };
    let text = encoding::text(&bytes).map_err(|fault| unread(fault.to_string()))?;
    Ok(text.to_owned())
}

/// Parses the config file's text; an error names the file.
pub(super) fn parse_file(path: &Path, text: &str) -> Result<File, Error> {
    file::parse(text)
        .map_err(|report| Error::Usage(report.about(&format!("config file {}", quote::path(path)))))
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}
