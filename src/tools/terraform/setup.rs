//! Terraform: host rules, and the link by which it finds us. The block in its CLI
//! configuration is HCL, and is left to the person.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
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
use crate::edit::link::LinkChange;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup, named};
use crate::edit::toml::list;
use crate::edit::trial::Trial;
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::quoted;

/// Where `setup.json` says that our link is.
const AT_LINK: [&str; 1] = ["link"];

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
        named("HOST", &self.args.hosts)
    }

    /// Adds the rules and the link, and prints the block.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut hosts = Vec::new();
        for host in &self.args.hosts {
            let file = file_of(plan, host)?;
            let one = std::slice::from_ref(host);
            hosts.extend(plan.add_rules("terraform", one, self.args.force, None, &file)?);
        }
        let block = block(plan)?;
        let path = files::plugin(&plan.directories);
        let mut link = LinkChange::open(&known(path, "Terraform", "HOME")?)?;
        let link_edit = lead_here(plan, &mut link)?;
        if let Some(edit) = &link_edit {
            plan.journal.renew(edit);
        }
        for host in &hosts {
            if let Some(edit) = &link_edit {
                plan.journal.record(&host.setup, edit.clone());
            }
        }
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
                let mut command = Command::new(link.path());
                command.args(plan.config_words()).args(["get", &host]);
                plan.try_out(Trial {
                    tool: "terraform",
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
            plan.say_next(match host.pattern.single_host() {
                Some(host) => format!("next: terraform init, where a source is {host}/…"),
                None => format!(
                    "next: terraform init, where a source is at a host of {}",
                    host.pattern
                ),
            });
        }
        plan.add_link(link);
        Ok(())
    }

    /// Undoes the rules and the link.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut links = Vec::new();
        for host in &self.args.hosts {
            let file = file_of(plan, host)?;
            let one = std::slice::from_ref(host);
            plan.undo_hosts("terraform", one, &file, |_, edit| {
                // The first edition wrote the block too; it stays, as a person's does.
                links.extend((edit.key() == AT_LINK).then(|| edit.clone()));
                Ok(())
            })?;
        }
        for edit in links {
            undo_link(plan, &edit);
        }
        if !plan.journal.has("terraform") {
            for file in files(plan) {
                let names = read(&file).map(|text| files::helpers(&text));
                if matches!(names, Ok(Ok(names)) if names.iter().any(|name| name == HELPER)) {
                    let file = quote::path(&file);
                    plan.say(format!(
                        "{BLOCK} \"{HELPER}\" in {file} stays: take it out by hand"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// True if this setup makes such an edit. The block is of the first edition.
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
/// edition put Terraform's there.
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

/// Removes the link if it still leads where a setup made it lead.
fn undo_link(plan: &mut Plan<'_>, edit: &Edit) {
    let path = quote::path(&edit.file);
    match LinkChange::open(Path::new(&edit.file)) {
        Ok(link) if link.before.is_none() => {
            plan.say_drift(format!("the link {path} was removed already"));
        }
        Ok(mut link) if is_ours(edit, link.before.as_deref()) => {
            link.after = None;
            plan.add_link(link);
        }
        _ => plan.say_drift(format!("kept the link {path}, which was changed since")),
    }
}

fn is_ours(edit: &Edit, leads: Option<&Path>) -> bool {
    let put_there = [Some(&edit.ours), edit.earlier.as_ref()];
    let is = |put: &String| leads.is_some_and(|leads| leads.as_os_str() == put.as_str());
    put_there.into_iter().flatten().any(is)
}

/// Returns the lines to paste; none if a file has the block already.
///
/// # Errors
/// Another helper is named there, or ours by another config file.
fn block(plan: &Plan<'_>) -> Result<Vec<String>, Error> {
    for file in files(plan) {
        // One that is not plainly read is the person's to look into.
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
                    quoted(other)
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
    // A path may hold what HCL reads otherwise.
    if files::helpers(&block).as_deref() != Ok(&[HELPER.to_owned()]) {
        let what = format!(
            "{}: HCL cannot hold this path",
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

/// Returns the texts in our block: its arguments.
fn args(text: &str) -> Vec<String> {
    let name = format!("\"{HELPER}\"");
    let block = text.rsplit_once(&name).map_or("", |(_, block)| block);
    let block = block.split('}').next().unwrap_or_default();
    let texts = block.split('"').skip(1).step_by(2);
    texts.map(ToOwned::to_owned).collect()
}

/// Makes the link lead to this program. Returns what `setup.json` is to say of it;
/// `None` if it is a person's own.
///
/// # Errors
/// It leads to another program.
fn lead_here(plan: &Plan<'_>, link: &mut LinkChange) -> Result<Option<Edit>, Error> {
    let known = plan.journal.edit_at(&link.name(), &AT_LINK);
    // Ours leads nowhere, or to what it was, if this program has moved.
    let may_change = |leads: &PathBuf| {
        known.is_some_and(|known| is_ours(known, Some(leads)) || !link.path().exists())
    };
    match &link.before {
        Some(_) if plan.is_this_program(link.path()) => return Ok(known.cloned()),
        Some(leads) if !may_change(leads) => {
            let what = format!(
                "{}: symbolic link to another program",
                quote::path(link.path())
            );
            return Err(Error::Usage(Report::new(what).hint("move it away first")));
        }
        _ => link.after = Some(plan.program.clone()),
    }
    let program = plan.program.to_string_lossy();
    Ok(Some(Edit::new(link.name(), &AT_LINK, &program, None)))
}
