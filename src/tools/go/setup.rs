//! Go: host rules. GOAUTH is one value for all hosts: the user sets it with `go env`.

use std::path::Path;
use std::process::Command;

use super::files::{Goauth, NETRC};
use crate::edit::entry::Edit;
use crate::edit::hosts::HostsArgs;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::trial::Trial;
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::{is_unprintable, shell_quoted};

/// Go's default if GOAUTH is not set (`go help goauth`).
const DEFAULT: &str = "netrc";

// The arguments of `setup go`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupGo {
    #[command(flatten)]
    args: HostsArgs,
}

impl Setup for SetupGo {
    fn of_name(name: &str) -> Self {
        Self {
            args: HostsArgs::of(name),
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules, and prints the call that Go needs.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        let hosts = plan.add_rules("go", &self.args, None, &file)?;
        let goauth = goauth(plan)?;
        for host in &hosts {
            // The value proposed below puts this program first.
            let is_named = host.pattern.single_host().is_some();
            let ours = goauth.as_ref().filter(|goauth| goauth.ours().is_some());
            if ours.map_or(!is_named, |goauth| goauth.reads_netrc_first(is_named)) {
                plan.warn_of_netrc(&NETRC, &host.pattern);
            }
        }
        for host in hosts.iter().filter_map(|host| host.pattern.single_host()) {
            let mut command = Command::new(&plan.program);
            command.arg("go").args(plan.config_words());
            command.arg(format!("https://{host}"));
            plan.try_out(Trial {
                tool: "go",
                undo: vec![host.clone()],
                host,
                call: "zitadel-credential go",
                command,
                input: String::new(),
                only_warns: false,
                read: |answer| {
                    let mut lines = answer.lines();
                    let header = lines.find(|line| line.starts_with("Authorization: "));
                    header.map(|_| String::new()).ok_or(None)
                },
            });
        }
        let runs_us = |goauth: &&Goauth| {
            let fault = goauth.fault(plan.environment, &plan.directories);
            goauth.ours().is_some() && fault.is_none()
        };
        if let Some(goauth) = goauth.as_ref().filter(runs_us) {
            plan.check_config(&goauth.place(), &goauth.ours().unwrap_or_default())?;
            plan.say_next(format!("{} names this program already", goauth.place()));
            return Ok(());
        }
        let mut value = command(plan)?;
        let others = goauth.as_ref().map_or(DEFAULT.to_owned(), Goauth::others);
        // Go refuses other commands beside `off`.
        if !others.is_empty() && others != "off" {
            value = format!("{value}; {others}");
        }
        let is_variable = goauth.as_ref().is_some_and(|goauth| goauth.file.is_none());
        let next = set(is_variable, &value)?;
        plan.say_next(format!("next: {next}"));
        Ok(())
    }

    /// Undoes the rules.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        plan.undo_hosts("go", &self.args.hosts, &file, |_, _| Ok(()))?;
        let goauth = goauth(plan)?.filter(|goauth| goauth.ours().is_some());
        if let Some(goauth) = goauth.filter(|_| !plan.journal.has("go")) {
            plan.say(format!("{} still names this program", goauth.place()));
            let others = goauth.others();
            // Go's default does not need to be set.
            let is_needless = others.is_empty() || others == DEFAULT;
            let how = match (&goauth.file, is_needless) {
                (Some(_), true) => Ok("go env -u GOAUTH".to_owned()),
                (None, true) => Ok("unset GOAUTH".to_owned()),
                (file, false) => set(file.is_none(), &others),
            };
            // If the value cannot be printed, the rule is still removed.
            plan.say(how.map_or("next: remove it there".to_owned(), |how| {
                format!("next: {how}")
            }));
        }
        Ok(())
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let _ = of;
    edit.is_host_rule()
}

/// Returns the call that sets GOAUTH.
///
/// # Errors
/// The value contains control characters, so no call can be printed for copying.
fn set(is_variable: bool, value: &str) -> Result<String, Error> {
    if value.contains(is_unprintable) {
        let what = "GOAUTH contains control characters";
        return Err(Error::Usage(
            Report::new(what).hint("find the program that set GOAUTH, and set it again"),
        ));
    }
    // The variable would override the value from `go env -w`.
    let how = if is_variable { "export" } else { "go env -w" };
    Ok(format!("{how} GOAUTH={}", shell_quoted(value)))
}

fn goauth(plan: &Plan<'_>) -> Result<Option<Goauth>, Error> {
    Goauth::read(plan.environment, &plan.directories, &plan.deadline).map_err(|what| {
        Error::Usage(Report::new(what).hint("Go cannot read it either: correct it by hand"))
    })
}

/// Returns the command by which Go runs this program: its name if PATH resolves it to
/// this program, else its path.
///
/// # Errors
/// Go could not parse our path.
fn command(plan: &Plan<'_>) -> Result<String, Error> {
    let name = "zitadel-credential";
    let program = if plan.is_found_as(name) {
        name.to_owned()
    } else {
        word(&plan.program, "link this program from a directory on PATH")?
    };
    let mut command = format!("{program} go");
    if plan.options.config.is_some() {
        command = format!(
            "{command} --config {}",
            word(
                plan.config.path(),
                "leave --config out, and set ZITADEL_CREDENTIAL_CONFIG where Go runs"
            )?
        );
    }
    Ok(command)
}

/// Returns a path as one word of GOAUTH: in quotes if it has spaces, as Go knows no
/// escapes.
///
/// # Errors
/// Go would split it: at a `;`, even in quotes, it runs the rest.
fn word(path: &Path, hint: &str) -> Result<String, Error> {
    let text = path.to_str().unwrap_or("\u{fffd}");
    let is_quoted = text.contains([' ', '\'', '"']);
    let quote = ['"', '\''].into_iter().find(|&quote| !text.contains(quote));
    match quote {
        _ if text.contains(|c| c == ';' || c == '\u{fffd}' || is_unprintable(c)) => {}
        _ if !is_quoted && !text.contains(char::is_whitespace) => return Ok(text.to_owned()),
        Some(quote) => return Ok(format!("{quote}{text}{quote}")),
        None => {}
    }
    let what = format!("{}: GOAUTH cannot contain this path", quote::path(path));
    Err(Error::Usage(Report::new(what).hint(hint)))
}
