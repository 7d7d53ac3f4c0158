//! Wiring: the places in tools' own files that name this program, and their checks.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Check, Checks, failed, in_a_line, ok, skipped};
use crate::broker::Request;
use crate::cli::options::Options;
use crate::config::{Asker, Config, Directories};
use crate::error::Error;
use crate::host::{Auth, HostRule, Miss};
use crate::sys::paths::{called, canonicalize, is_same_program};
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::input::{self, ReadError, TOOL_FILE_LIMIT};
use crate::text::quote;
use crate::url::Origin;

/// The name of this program.
pub(crate) const NAME: &str = "zitadel-credential";

/// The inputs for finding and reading a tool's files.
pub(crate) struct Machine<'a> {
    /// Looks up an environment variable.
    pub(crate) environment: &'a Environment<'a>,
    /// This user's directories.
    pub(crate) directories: &'a Directories,
    /// The deadline for the tool's own executable.
    pub(crate) deadline: Deadline,
}

/// The inputs for checking a tool's files.
pub(crate) struct Context<'a> {
    /// The configuration, as far as it could be loaded.
    pub(crate) config: &'a Config<'a>,
    /// False if the configuration could not be loaded.
    pub(crate) is_read: bool,
    /// Looks up an environment variable.
    pub(crate) environment: &'a Environment<'a>,
    /// Returns the path of this program.
    pub(crate) program: &'a dyn Fn() -> io::Result<PathBuf>,
    /// This user's directories.
    pub(crate) directories: &'a Directories,
}

/// A tool that reads `.netrc` before it asks this program.
pub(crate) struct NetrcReader {
    /// The tool's name in a sentence.
    pub(crate) name: &'static str,
    /// True if the variable `NETRC` names its file.
    pub(crate) knows_variable: bool,
    /// True if the tool uses the entry `default`.
    pub(crate) knows_default: bool,
}

/// Called with a tool, the place in its files, the profile and the request.
pub(crate) type VisitJwt<'v> = dyn FnMut(&'static str, &str, Option<&str>, &Request<'_>) + 'v;

/// The wiring of one tool.
pub(crate) trait Wiring {
    /// True if the tool finds its link on `PATH`.
    fn needs_link(&self) -> bool {
        false
    }

    /// True if the tool requests tokens for every host, with this config file.
    fn is_for_all(&self, context: &Context<'_>) -> bool {
        let _ = context;
        false
    }

    /// Visits the requests whose tokens must be JWTs, because the tool's server reads
    /// them itself.
    fn visit_jwts(&self, context: &Context<'_>, visit: &mut VisitJwt<'_>) {
        let _ = (context, visit);
    }

    /// True if this call's token must be a JWT, because the tool's requests are unknown.
    fn may_need_jwt(&self) -> bool {
        false
    }

    /// Returns the role of this host, if the tool requests tokens for it without a host
    /// rule.
    fn needs_no_rule(&self, origin: &Origin) -> Option<&'static str> {
        let _ = origin;
        None
    }

    /// Describes the form of the tool's login by a rule's `auth`; `None` if it has only one.
    fn form(&self, auth: Auth) -> Option<&'static str> {
        let _ = auth;
        None
    }

    /// Returns how the tool reads `.netrc` before it requests a token for this host;
    /// `None` if it does not. Without a host, for some host.
    fn netrc(
        &self,
        origin: Option<&Origin>,
        context: &Context<'_>,
    ) -> Option<&'static NetrcReader> {
        let _ = (origin, context);
        None
    }

    /// Returns the missing step if setup was run and the tool's files do not name this
    /// program: setup prints lines for the user to add. `None` if setup writes
    /// everything.
    fn by_hand(&self) -> Option<&'static str> {
        None
    }

    /// True if no file of the tool can be found from here: only setup's journal has its
    /// hosts.
    fn is_unseen(&self) -> bool {
        false
    }

    /// Returns the reason why the tool does not request a token for a host, though it is
    /// set up for a wildcard that seems to cover the host.
    fn misses(&self, origin: &Origin) -> Option<String> {
        let _ = origin;
        None
    }

    /// Returns the hosts for which the tool requests tokens, with this config file.
    fn origins(&self, context: &Context<'_>) -> Vec<Origin> {
        let _ = context;
        Vec::new()
    }

    /// Adds the findings about this tool.
    fn check(&self, checks: &mut Checks, context: &Context<'_>);
}

impl<'a> Context<'a> {
    /// Returns the configuration of a call with these options; `None` if it has the same
    /// config file.
    pub(crate) fn config_of(&self, options: &Options) -> Option<Result<Config<'a>, Error>> {
        options.config.as_ref()?;
        let own = Config::load(options, self.environment, self.directories);
        let real = |config: &Config<'_>| canonicalize(config.path()?).ok();
        let is_this = |own: &Config<'_>| self.is_read && real(own) == real(self.config);
        match own {
            Ok(own) if is_this(&own) => None,
            own => Some(own),
        }
    }

    /// True if a call with these options uses this config file.
    pub(crate) fn is_by_this(&self, options: &Options) -> bool {
        self.config_of(options).is_none()
    }

    /// Returns the failed check of a call with these options, if the config file or the
    /// profile that they name is at fault.
    pub(crate) fn fault_of(
        &self,
        name: &'static str,
        place: &str,
        options: &Options,
    ) -> Option<Check> {
        let own = self.config_of(options);
        let can_tell = self.is_read || own.is_some();
        let error = match own {
            Some(Err(error)) => error,
            _ if can_tell && options.profile.is_some() => {
                let config = Config::load(options, self.environment, self.directories);
                let request = config.and_then(|config| config.request(Asker::default()));
                request.err()?
            }
            _ => return None,
        };
        let what = format!("{place}: {}", in_a_line(error.report()));
        Some(failed(
            name,
            what,
            error.report().advice().unwrap_or_default(),
        ))
    }

    /// Checks as [`check_rule`], with the config file that the tool's call names.
    pub(crate) fn check_rule(
        &self,
        name: &'static str,
        place: &str,
        origin: &Origin,
        username: Option<&str>,
        options: &Options,
    ) -> Check {
        if let Some(fault) = self.fault_of(name, place, options) {
            return fault;
        }
        match self.config_of(options) {
            Some(Ok(config)) => check_rule(name, place, origin, username, &config, true),
            _ => check_rule(name, place, origin, username, self.config, self.is_read),
        }
    }

    /// True if a name on `PATH` resolves to this program.
    pub(crate) fn leads_here(&self, name: &str) -> bool {
        let found = process::find(name, self.environment);
        found.is_some_and(|found| (self.program)().is_ok_and(|own| is_same_program(&found, &own)))
    }

    /// True if a rule gives tokens to a host, at any port.
    pub(crate) fn has_rule(&self, origin: &Origin) -> bool {
        let mut rules = self.config.rules().iter();
        rules.any(|rule| rule.pattern.matches_host(origin))
    }
}

/// Describes the profile of a host rule.
pub(crate) fn profile_of(config: &Config<'_>, rule: &HostRule) -> String {
    match config.profile_for(&Asker::of(rule)) {
        Some(name) => format!("profile {}", quote::path(&name)),
        None => "no profile".to_owned(),
    }
}

/// Reads a tool's file; `None` if it does not exist.
pub(crate) fn text(path: &Path, deadline: &Deadline) -> Result<Option<String>, String> {
    match input::read_file(path, TOOL_FILE_LIMIT, deadline) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// True if a program that a file names does not exist. The check `program` reports
/// links that are missing on `PATH`.
pub(crate) fn is_missing(program: &str, environment: &Environment) -> bool {
    if Path::new(program).is_absolute() {
        return !process::is_program(program.as_ref());
    }
    program == NAME && process::find(NAME, environment).is_none()
}

/// Checks that a host in a tool's file has a host rule.
pub(crate) fn check_rule(
    name: &'static str,
    place: &str,
    origin: &Origin,
    username: Option<&str>,
    config: &Config<'_>,
    is_read: bool,
) -> Check {
    if !is_read {
        return skipped(
            name,
            format!("{place}: names this program; the host rules could not be loaded"),
        );
    }
    match config.rules().find(origin, username) {
        Ok(rule) => {
            let profile = profile_of(config, rule);
            ok(
                name,
                format!("{place}: host rule {}, {profile}", rule.pattern),
            )
        }
        Err(miss) => {
            let report = miss.report(origin);
            let (host, own) = (origin.authority(), config.option());
            let setup = format!("zitadel-credential setup {name} {host}{own}");
            let advice = match miss {
                Miss::Unknown | Miss::Port(_) => setup,
                _ => report.advice().unwrap_or_default(),
            };
            failed(name, format!("{place}: {}", report.headline()), advice)
        }
    }
}

/// True if a program's path or name belongs to this program.
pub(crate) fn is_ours(program: &str) -> bool {
    let name = called(Path::new(program));
    name.is_some_and(|name| name == NAME || name.ends_with("-credential-zitadel"))
}
