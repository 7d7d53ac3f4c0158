//! Terraform: host rules, and the link by which it finds us. The block in its CLI
//! configuration is HCL, and the user adds it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::files;
use super::files::{BLOCK, HELPER};
use super::logins;
use super::logins::Login;
use crate::edit::check::is_path;
use crate::edit::entry::Edit;
use crate::edit::file::read;
use crate::edit::hosts::HostsArgs;
use crate::edit::hosts::{known, pattern};
use crate::edit::links::AT_LINK;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::toml::list;
use crate::edit::trial::Trial;
use crate::error::{Error, Report};
use crate::text::quote;

// The arguments of `setup terraform`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupTerraform {
    #[command(flatten)]
    args: HostsArgs,
}

impl Setup for SetupTerraform {
    fn of_name(name: &str) -> Self {
        Self {
            args: HostsArgs::of(name),
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules and the link, and prints the block.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut hosts = Vec::new();
        for host in &self.args.hosts {
            let file = file_of(plan, host)?;
            let one = self.args.with_only(host);
            hosts.extend(plan.add_rules("terraform", &one, None, &file)?);
        }
        let block = block(plan)?;
        let path = files::plugin(&plan.directories);
        let link = known(path, "Terraform", "HOME")?;
        plan.link_here(&link, &hosts)?;
        for line in block {
            plan.say_next(line);
        }
        let logins = logins::in_files(plan.environment, &plan.directories, &plan.deadline);
        for host in &hosts {
            let variable = logins::in_variable(&host.pattern, plan.environment);
            let of_host = |login: &&Login| host.pattern.matches_host(&login.ask.origin);
            for login in logins.iter().filter(of_host).chain(&variable) {
                plan.say(format!("warning: {}: {}", login.line(), login.remedy()));
            }
            if let Some(host) = host.pattern.single_host() {
                let mut command = Command::new(&link);
                command.args(plan.config_words()).args(["get", &host]);
                plan.try_out(Trial {
                    tool: "terraform",
                    undo: vec![host.clone()],
                    host,
                    call: "terraform-credentials-zitadel get",
                    command,
                    input: String::new(),
                    only_warns: false,
                    read: |answer| {
                        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
                        let token = answer["token"].as_str();
                        token.map(|_| String::new()).ok_or(None)
                    },
                });
            }
            let next = match host.pattern.single_host() {
                Some(host) => format!("next: terraform init, where a source is {host}/…"),
                None => format!(
                    "next: terraform init, where a source is at a host of {}",
                    host.pattern
                ),
            };
            plan.say_next_at(&host.pattern, next);
        }
        Ok(())
    }

    /// Undoes the rules and the link.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut links = Vec::new();
        for host in &self.args.hosts {
            let file = file_of(plan, host)?;
            let one = std::slice::from_ref(host);
            plan.undo_hosts("terraform", one, &file, |_, edit| {
                // The first edition wrote the block too, which stays, as a user's does.
                links.extend((edit.key() == AT_LINK).then(|| edit.clone()));
                Ok(())
            })?;
        }
        for edit in links {
            plan.undo_link(&edit);
        }
        if !plan.journal.has("terraform") {
            for file in files(plan) {
                let names = read(&file).map(|text| files::helpers(&text));
                if matches!(names, Ok(Ok(names)) if names.iter().any(|name| name == HELPER)) {
                    let file = quote::path(&file);
                    plan.say(format!(
                        "{BLOCK} \"{HELPER}\" in {file} stays: remove it by hand"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// True if this setup makes such an edit. Only the first edition wrote the block.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let former = edit.former.as_deref();
    match edit.key().as_slice() {
        ["link"] => {
            edit.file.ends_with("/terraform-credentials-zitadel")
                && is_path(&edit.ours)
                && former.is_none()
        }
        [BLOCK, HELPER] => edit.is_in_file_of(of) && former.is_none(),
        _ => edit.is_host_rule(),
    }
}

/// Returns the file in a setup's name: the config file, as for Bazel and Go. The first
/// edition used Terraform's file.
fn file_of(plan: &Plan<'_>, host: &OsString) -> Result<String, Error> {
    let setup = format!("terraform {} ", pattern(host)?);
    let known = plan.journal.elsewhere(&setup).map(ToOwned::to_owned);
    Ok(known.unwrap_or_else(|| plan.config.name()))
}

/// Returns the files that Terraform reads.
fn files(plan: &Plan<'_>) -> Vec<PathBuf> {
    let file = files::file(plan.environment, &plan.directories).into_iter();
    let beside = files::beside(plan.environment, &plan.directories);
    file.chain(beside).filter(|file| file.exists()).collect()
}

/// Returns the lines to paste, or a note if a file has the block already.
///
/// # Errors
/// A file names another helper, or ours with another config file.
fn block(plan: &Plan<'_>) -> Result<Vec<String>, Error> {
    for file in files(plan) {
        // The user must check a file that cannot be read.
        let Ok(text) = read(&file) else { continue };
        let path = quote::path(&file);
        match files::helpers(&text).as_deref() {
            Ok([name]) if name == HELPER => {
                plan.check_config(&path, &args(&text))?;
                return Ok(vec![format!("{path} names this program already")]);
            }
            Ok([other, ..]) => {
                let what = format!(
                    "{path}: it has the credentials helper {} already",
                    quote::path(other)
                );
                return Err(Error::Usage(
                    Report::new(what).hint("remove that block first: Terraform allows one helper"),
                ));
            }
            _ => {}
        }
    }
    let args = list(&plan.config_words());
    let block = format!("{BLOCK} \"{HELPER}\" {{\n  args = {args}\n}}\n");
    // A path may contain HCL syntax.
    if files::helpers(&block).as_deref() != Ok(&[HELPER.to_owned()]) {
        let what = format!(
            "{}: HCL cannot contain this path",
            quote::path(plan.config.path())
        );
        return Err(Error::Usage(Report::new(what).hint(
            "leave --config out, and set ZITADEL_CREDENTIAL_CONFIG where Terraform runs",
        )));
    }
    let file = files::file(plan.environment, &plan.directories);
    let file = known(file, "Terraform", "TF_CLI_CONFIG_FILE")?;
    let mut lines = vec![format!("next, in {}:", quote::path(&file))];
    lines.extend(block.lines().map(quote::printable));
    Ok(lines)
}

/// Returns the strings in our block, which are its arguments.
fn args(text: &str) -> Vec<String> {
    let name = format!("\"{HELPER}\"");
    let block = text.rsplit_once(&name).map_or("", |(_, block)| block);
    let block = block.split('}').next().unwrap_or_default();
    let texts = block.split('"').skip(1).step_by(2);
    texts.map(ToOwned::to_owned).collect()
}
