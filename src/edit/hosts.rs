//! The shared part of all tools' setups: host rules for the named hosts, and warnings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::entry::Edit;
use super::plan::Plan;
use super::setup::{Name, named};
use super::tool;
use crate::config::{Config, option_for};
use crate::error::{Error, Report};
use crate::findings::netrc::Netrc;
use crate::findings::rule::{api_token, no_match};
use crate::findings::wiring::NetrcReader;
use crate::host::{HostPattern, no_use};
use crate::sys::paths::{file_of, is_same_program, link_command};
use crate::text::quote;

// The hosts that a tool is set up for.
#[derive(Args, Debug)]
pub struct HostsArgs {
    /// Hosts: host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// Add rules even for a wildcard over other people's hosts (*.com), or for a
    /// service that accepts no ZITADEL tokens (github.com)
    #[arg(long)]
    pub force: bool,
}

impl HostsArgs {
    /// Returns the arguments for one host.
    pub(crate) fn of(host: &str) -> Self {
        Self {
            hosts: vec![host.into()],
            force: false,
        }
    }

    /// Returns these arguments with only this host.
    pub(crate) fn with_only(&self, host: &OsString) -> Self {
        Self {
            hosts: vec![host.clone()],
            force: self.force,
        }
    }

    /// Returns the names among them.
    pub(crate) fn names(&self) -> Vec<Name<'_>> {
        named("HOST", &self.hosts)
    }
}

// The hosts of a tool whose answer has a username.
#[derive(Args, Debug)]
pub struct LoginArgs {
    #[command(flatten)]
    pub hosts: HostsArgs,
    /// Username in the answer [default: the user ID]
    #[arg(long, value_name = "NAME")]
    pub username: Option<OsString>,
}

impl LoginArgs {
    /// Returns the arguments for one host.
    pub(crate) fn of(host: &str) -> Self {
        Self {
            hosts: HostsArgs::of(host),
            username: None,
        }
    }

    /// Returns the names among them.
    pub(crate) fn names(&self) -> Vec<Name<'_>> {
        [named("--username", &self.username), self.hosts.names()].concat()
    }
}

/// A host that a tool is set up for.
pub(crate) struct Host {
    pub(crate) pattern: HostPattern,
    /// Name of the setup in `setup.json`.
    pub(crate) setup: String,
}

impl Plan<'_> {
    /// Adds a rule for each host; `file` is the other file that the tool's setup writes.
    ///
    /// # Errors
    /// A host is invalid, a rule conflicts, or there is no profile.
    pub(crate) fn add_rules(
        &mut self,
        tool: &str,
        args: &HostsArgs,
        username: Option<&OsString>,
        file: &str,
    ) -> Result<Vec<Host>, Error> {
        self.refuse_profiles_options()?;
        let profile = self.profile()?;
        let username = text(username)?;
        let add = |host| {
            let pattern = pattern(host)?;
            refuse_useless(&pattern)?;
            if !args.force {
                refuse_strangers(&pattern).map_err(|report| {
                    Error::Usage(report.hint("add --force to write the rule anyway"))
                })?;
            }
            let setup = setup_name(tool, &pattern, file);
            self.add_rule(&setup, &pattern, profile.as_deref(), username.as_deref())?;
            self.warn_of_rule(&pattern)?;
            Ok(Host { pattern, setup })
        };
        args.hosts.iter().map(add).collect()
    }

    /// Undoes the setups of hosts; `elsewhere` undoes the edits outside of the config
    /// file.
    ///
    /// # Errors
    /// A host is invalid, or a file can no longer be edited.
    pub(crate) fn undo_hosts(
        &mut self,
        tool: &str,
        hosts: &[OsString],
        file: &str,
        mut elsewhere: impl FnMut(&mut Self, &Edit) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for host in hosts {
            let pattern = pattern(host)?;
            let setup = setup_name(tool, &pattern, file);
            let rules = self.journal.rules_of(&setup);
            let Some(edits) = self.journal.take(&setup) else {
                match self.journal.elsewhere(&setup_name(tool, &pattern, "")) {
                    Some(there) => self.say(format!(
                        "{tool} was set up for {pattern} in {}, and not in {}: all of it stays",
                        quote::path(there),
                        quote::path(file)
                    )),
                    None => self.say(format!("{tool} was not set up for {pattern}")),
                }
                continue;
            };
            let kept = rules.into_iter().filter(|_| !self.all_go);
            for (rule, other) in kept.collect::<Vec<_>>() {
                self.say(format!("hosts.{rule} stays: the setup of {other} needs it"));
            }
            for edit in edits {
                match edit.key().as_slice() {
                    ["hosts", _] => self.undo_in_config(&edit)?,
                    _ => elsewhere(self, &edit)?,
                }
            }
        }
        Ok(())
    }

    /// Warns of a host that takes no ZITADEL tokens, or should not get this one.
    pub(crate) fn warn_of_rule(&mut self, pattern: &HostPattern) -> Result<(), Error> {
        let service = pattern.service().map(|service| no_use(&pattern, service));
        let config = self.config()?;
        let rule = config.rules().named(pattern);
        let api = rule.and_then(|rule| api_token(&config, rule));
        drop(config);
        for line in service.into_iter().chain(api) {
            self.say(format!("warning: {line}"));
        }
        Ok(())
    }

    /// Warns of logins in `.netrc` that a tool sends instead of a token.
    pub(crate) fn warn_of_netrc(&mut self, reader: &NetrcReader, pattern: &HostPattern) {
        let netrc = Netrc::read(self.environment, &self.directories, &self.deadline);
        for line in netrc.warnings(reader, pattern) {
            self.say(format!("warning: {line}"));
        }
    }

    /// True if a name on `PATH` resolves to this program.
    pub(crate) fn is_found_as(&self, name: &str) -> bool {
        tool::find(name, self.environment).is_some_and(|path| self.is_this_program(&path))
    }

    /// True if a path resolves to this program.
    pub(crate) fn is_this_program(&self, path: &Path) -> bool {
        is_same_program(path, &self.program)
    }

    /// Returns the call of a helper that a tool finds on `PATH` and runs without options;
    /// `None` if that name does not resolve to this program.
    pub(crate) fn helper(&self, name: &str) -> Option<Command> {
        let program = tool::find(name, self.environment).filter(|_| self.is_found_as(name))?;
        let mut command = Command::new(program);
        if self.options.config.is_some() {
            command.env("ZITADEL_CREDENTIAL_CONFIG", self.config.path());
        }
        Some(command)
    }

    /// Warns of a name that a tool would not find on `PATH`.
    pub(crate) fn warn_of_path(&mut self, tool: &str, name: &str) {
        let line = match tool::find(name, self.environment) {
            Some(_) if self.is_found_as(name) => return,
            Some(path) => format!(
                "{} is a different program, which {tool} would run",
                quote::path(&path)
            ),
            None => {
                let place = Path::new("DIRECTORY-ON-PATH").join(&*file_of(name));
                let command = link_command(&quote::word(&self.program), &quote::word(&place));
                format!("{tool} does not find {name} on PATH: {command}")
            }
        };
        self.say(format!("warning: {line}"));
    }

    /// Refuses words that run this program with a different config file: it would not
    /// have this setup's rules.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the place of the words.
    pub(crate) fn check_config(&self, place: &str, words: &[String]) -> Result<(), Error> {
        let named = words.iter().enumerate().find_map(|(at, word)| {
            let next = || words.get(at + 1).map(String::as_str);
            let given = || word.strip_prefix("--config=");
            if word == "--config" { next() } else { given() }
        });
        let is_this = match named {
            // As in a call: no shell expands a tool's own words.
            Some(file) => {
                let file = self.directories.located("--config", Path::new(file));
                file.is_ok_and(|file| self.config.is_at(&file))
            }
            None => self.options.config.is_none(),
        };
        if is_this {
            return Ok(());
        }
        let what = format!("{place} runs this program with another config file");
        Err(Error::Usage(Report::new(what).hint(
            "use the same config file here: that program would not see this setup's rule",
        )))
    }

    /// Returns the arguments by which a tool names this setup's config file; none for the
    /// default one.
    pub(crate) fn config_words(&self) -> Vec<String> {
        let path = || self.config.path().to_string_lossy().into_owned();
        let given = self.options.config.as_ref();
        given.map_or_else(Vec::new, |_| vec!["--config".to_owned(), path()])
    }

    /// Returns the option by which another call names this setup's config file, with a
    /// space before it; empty for the default file.
    pub(crate) fn config_option(&self) -> String {
        let given = self.options.config.as_ref();
        option_for(given.map(|_| self.config.path()))
    }

    /// Warns of a config file that a tool cannot name.
    pub(crate) fn warn_of_config(&mut self, tool: &str) {
        if self.options.config.is_some() {
            let path = quote::word(self.config.path());
            self.say(format!(
                "warning: {tool} passes no --config: set ZITADEL_CREDENTIAL_CONFIG={path} where it runs"
            ));
        }
    }
}

/// Returns the path of a tool's file: in the home directory, unless a variable sets it.
///
/// # Errors
/// [`Error::Usage`]: neither is known.
pub(crate) fn known(file: Option<PathBuf>, tool: &str, variable: &str) -> Result<PathBuf, Error> {
    let file = file.ok_or_else(|| {
        Error::Usage(
            Report::new(format!("{tool}'s configuration: unknown home directory"))
                .hint(format!("set HOME or {variable}")),
        )
    })?;
    as_it_is(file, tool, variable)
}

/// Returns the path in a tool's own variable.
///
/// # Errors
/// [`Error::Usage`]: the path begins with `~`, which the tool does not expand. It would
/// use a directory of that name.
pub(crate) fn as_it_is(path: PathBuf, tool: &str, variable: &str) -> Result<PathBuf, Error> {
    if path.starts_with("~") {
        let what = format!("{variable} begins with ~, which {tool} does not expand");
        return Err(Error::Usage(Report::new(what).hint(format!(
            "set {variable} to the whole path, for example with $HOME"
        ))));
    }
    Ok(path)
}

/// Returns the pattern of a host.
///
/// # Errors
/// [`Error::Usage`]: the host is invalid.
pub(crate) fn pattern(host: &OsString) -> Result<HostPattern, Error> {
    Config::pattern(&host.to_string_lossy())
}

/// Returns the pattern of a host that may get a rule.
///
/// # Errors
/// [`Error::Usage`]: the host is invalid, or belongs to others.
pub(crate) fn pattern_for_rule(host: &str) -> Result<HostPattern, Error> {
    let pattern = Config::pattern(host)?;
    refuse_useless(&pattern)?;
    refuse_strangers(&pattern).map_err(Error::Usage)?;
    Ok(pattern)
}

/// Refuses a wildcard that matches no host.
fn refuse_useless(pattern: &HostPattern) -> Result<(), Error> {
    if pattern.matches_nothing() {
        return Err(Error::Usage(
            Report::new(no_match(pattern)).hint("name each address"),
        ));
    }
    Ok(())
}

/// Refuses hosts of unknown owners, and services that take no ZITADEL tokens.
fn refuse_strangers(pattern: &HostPattern) -> Result<(), Report> {
    Err(if pattern.covers_strangers() {
        let what = format!("{pattern} covers hosts of other people, who would get the token");
        Report::new(what).hint("name your own host or domain, for example *.acme.dev")
    } else if let Some(service) = pattern.service() {
        Report::new(no_use(&pattern, service)).hint(format!(
            "use an account of {service} there, or name a server of your own"
        ))
    } else {
        return Ok(());
    })
}

/// Returns a username as text.
fn text(given: Option<&OsString>) -> Result<Option<String>, Error> {
    let text = |given: &OsString| given.to_str().map(ToOwned::to_owned);
    match given.map(text) {
        Some(None) => Err(Error::Usage(
            Report::new("--username is not UTF-8").hint("write it in UTF-8"),
        )),
        other => Ok(other.flatten()),
    }
}

fn setup_name(tool: &str, pattern: &HostPattern, file: &str) -> String {
    format!("{tool} {pattern} {file}")
}
