//! Where other tools' files name us: who would run us, and which rule they hit.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Check, Checks, about, failed, ok, skipped};
use crate::config::{Asker, Config, Directories};
use crate::error::Error;
use crate::host::{HostRule, Miss};
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::input::{self, ReadError};
use crate::text::quote::quoted;
use crate::url::Origin;

/// The program's own name.
pub(crate) const NAME: &str = "zitadel-credential";

/// A file may hold the logins of many registries: as much as setup reads.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;

/// What a tool's files are looked up with.
pub(crate) struct Machine<'a> {
    /// Looks up a variable.
    pub(crate) environment: &'a Environment,
    /// Where this user's files lie.
    pub(crate) directories: &'a Directories,
    /// Bounds the tool's own program.
    pub(crate) deadline: Deadline,
}

/// What a tool's files are checked against.
pub(crate) struct Look<'a> {
    /// The configuration, as far as it could be read.
    pub(crate) config: &'a Config<'a>,
    /// False if the config file could not be read.
    pub(crate) is_read: bool,
    /// Looks up a variable.
    pub(crate) environment: &'a Environment,
    /// Tells where this program lies.
    pub(crate) program: &'a dyn Fn() -> io::Result<PathBuf>,
    /// Where this user's files lie.
    pub(crate) directories: &'a Directories,
}

/// What was found in one tool's files.
pub(crate) trait Wiring {
    /// True if the tool looks for its link on `PATH`.
    fn needs_link(&self) -> bool {
        false
    }

    /// True if the tool asks us for every host.
    fn is_for_all(&self) -> bool {
        false
    }

    /// True if the tool's server reads the token itself, so that it must be a JWT.
    fn needs_jwt(&self) -> bool {
        false
    }

    /// True if the tool asks us for this host without a host rule.
    fn needs_no_rule(&self, origin: &Origin) -> bool {
        let _ = origin;
        false
    }

    /// Returns the hosts that the tool asks us for.
    fn origins(&self, config: &Config<'_>) -> Vec<Origin> {
        let _ = config;
        Vec::new()
    }

    /// Adds what is right and wrong with it.
    fn check(&self, checks: &mut Checks, look: &Look<'_>);
}

/// Describes whose token a rule gives.
pub(crate) fn whose(config: &Config<'_>, rule: &HostRule) -> String {
    match config.profile_for(&Asker::of(rule)) {
        Some(name) => format!("profile {}", quoted(&name)),
        None => "no profile".to_owned(),
    }
}

/// A tool's file; none where it is not there.
pub(crate) fn text(path: &Path, deadline: &Deadline) -> Result<Option<String>, String> {
    match input::read_file(path, LIMIT, deadline) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a program that a file names is not there. What is looked for on `PATH`
/// by a name of ours, the check `program` tells.
pub(crate) fn is_missing(program: &str, environment: &Environment) -> bool {
    if program.starts_with('/') {
        return !process::is_program(program.as_ref());
    }
    program == NAME && process::find(NAME, environment).is_none()
}

/// What a tool's setting for a host comes to: the rule that it hits.
pub(crate) fn hit(
    name: &'static str,
    place: &str,
    origin: &Origin,
    username: Option<&str>,
    config: &Config<'_>,
    is_read: bool,
) -> Check {
    if !is_read {
        return skipped(name, format!("{place}: names us; the rules cannot be read"));
    }
    match config.rules().find(origin, username) {
        Ok(rule) => {
            let whose = whose(config, rule);
            ok(name, format!("{place}: rule {}, {whose}", rule.pattern))
        }
        Err(miss) => {
            let report = miss.told(origin);
            let setup = format!("zitadel-credential setup {name} {}", origin.authority());
            let advice = match miss {
                Miss::Unknown | Miss::Port(_) => setup,
                _ => report.advice().unwrap_or_default(),
            };
            failed(name, format!("{place}: {}", report.headline()), advice)
        }
    }
}

/// A program that cannot be asked, or a file that cannot be read.
pub(crate) fn unread(name: &'static str, error: &Error) -> Check {
    about(name, error)
}

/// True if a program's path or name is one of ours.
pub(crate) fn is_ours(program: &str) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name == NAME || name.ends_with("-credential-zitadel"))
}
