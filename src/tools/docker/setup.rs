//! docker, podman, skopeo: a host rule, and our helper in `credHelpers`.

use std::path::PathBuf;

use serde_json::Value;

use super::args::SetupDocker;
use super::document::Document;
use super::files::{HELPER, LINK, docker_file};
use super::logins::{Ours, logins};
use crate::edit::diff::Format;
use crate::edit::entry::Edit;
use crate::edit::hosts::{Host, LoginArgs, as_it_is, pattern};
use crate::edit::plan::Plan;
use crate::edit::rules::Undone;
use crate::edit::setup::{Name, Setup};
use crate::edit::trial::{Trial, file_words};
use crate::edit::verbs::Verbs;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote;

/// The list of helpers by registry.
const LIST: &str = "credHelpers";

/// The names that a diff of docker's file shows.
const FORMAT: Format = Format {
    keys: &["auth", "auths", LIST, "credsStore"],
    headers: &[],
};

impl Setup for SetupDocker {
    fn of_name(name: &str) -> Self {
        Self {
            args: LoginArgs::of(name),
            authfile: None,
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules and the helper.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let path = file(plan, self)?;
        let mut file = plan.open_file(&path)?;
        file.format = FORMAT;
        file.words = vec![HELPER.to_owned()];
        let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
        let file_words = file_words("--authfile", self.authfile.as_ref(), file.name());
        let username = self.args.username.as_ref();
        for Host { pattern, setup } in
            plan.add_rules("docker", &self.args.hosts, username, &file.name())?
        {
            let Some(registry) = pattern.single_host() else {
                let what = format!("{pattern} is a wildcard");
                return Err(Error::Usage(
                    Report::new(what).hint("name each registry: credHelpers has no wildcards"),
                ));
            };
            file.words.push(registry.clone());
            let mut document = Document::parse(file.text()).map_err(refused)?;
            let former = document.inside(LIST, &registry).map_err(refused)?;
            if former.as_deref() == Some(HELPER) {
                // The setup of another config file may have written the helper.
                for at in [&[LIST][..], &[LIST, &registry]] {
                    if let Some(edit) = plan.journal.edit_at(&file.name(), at).cloned() {
                        plan.journal.record(&setup, edit);
                    }
                }
            } else {
                let list = document.at(LIST).map_err(refused)?;
                let is_ours = plan.journal.edit_at(&file.name(), &[LIST]).is_some();
                if is_ours || !list.as_ref().is_some_and(Value::is_object) {
                    // The undo then removes the object with its last member.
                    let former = list.map(|_| "null".to_owned());
                    let edit = Edit::new(file.name(), &[LIST], "{}", former);
                    plan.journal.record(&setup, edit);
                }
                document.set(LIST, &registry, HELPER).map_err(refused)?;
                file.set(document.text());
                let edit = Edit::new(file.name(), &[LIST, &registry], HELPER, former);
                plan.journal.record(&setup, edit);
            }
            let ours = Ours {
                has: &|origin| pattern.matches(origin),
                file: Some(&path),
            };
            for login in logins(plan.environment, &plan.directories, &plan.deadline, &ours) {
                plan.say(format!("warning: {}: {}", login.line, login.remedy));
            }
            if let Some(mut command) = plan.helper(LINK) {
                command.arg("get");
                plan.try_out(Trial {
                    tool: "docker",
                    undo: [vec![registry.clone()], file_words.clone()].concat(),
                    host: registry.clone(),
                    call: "docker-credential-zitadel get",
                    command,
                    input: format!("{registry}\n"),
                    only_warns: false,
                    read: username_of,
                });
            }
            let next = format!(
                "next: docker pull {registry}/IMAGE, or skopeo inspect docker://{registry}/IMAGE"
            );
            plan.say_next_at(&pattern, next);
        }
        plan.add(file);
        // docker finds its helpers only by name, and passes them no options.
        plan.warn_of_path("docker", LINK);
        plan.warn_of_config("docker");
        Ok(())
    }

    /// Undoes the rules and the helper.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let path = file(plan, self)?;
        let mut file = plan.open_file(&path)?;
        file.format = FORMAT;
        file.words.push(HELPER.to_owned());
        let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
        for host in &self.args.hosts.hosts {
            file.words.push(pattern(host)?.to_string());
        }
        let name = file.name();
        plan.undo_hosts("docker", &self.args.hosts.hosts, &name, |plan, edit| {
            if edit.file == name {
                let mut document = Document::parse(file.text()).map_err(refused)?;
                let undone = undo(&mut document, edit, plan.verbs()).map_err(refused)?;
                file.set(document.text());
                plan.say_undone(undone);
            }
            Ok(())
        })?;
        plan.add(file);
        Ok(())
    }
}

/// Returns the username of an answer with a secret.
fn username_of(answer: &str) -> Result<String, Option<String>> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |key: &str| answer[key].as_str().filter(|text| !text.is_empty());
    let username = text("Secret").and(text("Username"));
    username.map(ToOwned::to_owned).ok_or(None)
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let former = edit.former.as_deref();
    match edit.key().as_slice() {
        ["credHelpers"] => {
            edit.is_in_file_of(of) && edit.ours == "{}" && former.is_none_or(|was| was == "null")
        }
        ["credHelpers", registry] => {
            edit.is_in_file_of(of) && HostPattern::parse(registry).is_some() && edit.ours == HELPER
        }
        _ => edit.is_host_rule(),
    }
}

/// Undoes an edit of docker's file.
fn undo(document: &mut Document, edit: &Edit, verbs: Verbs) -> Result<Undone, Report> {
    let key = edit.key();
    let [LIST, registry] = key[..] else {
        document.remove_empty(LIST, edit.former.is_some())?;
        return Ok(Ok(Vec::new()));
    };
    let name = format!("{LIST}.{registry}");
    let now = document.inside(LIST, registry)?;
    let standing = edit.standing(now.as_deref(), |one, other| one == other);
    if let Some(line) = standing.left(&name) {
        return Ok(Err(line));
    }
    Ok(Ok(vec![if let Some(former) = &edit.former {
        document.set(LIST, registry, former)?;
        format!("{} {name}: {}", verbs.restores, quote::path(former))
    } else {
        document.remove(LIST, registry)?;
        format!("{} {name}", verbs.removes)
    }]))
}

fn file(plan: &Plan<'_>, asked: &SetupDocker) -> Result<PathBuf, Error> {
    if let Some(file) = &plan.tool_file {
        return Ok(file.clone());
    }
    if let Some(file) = &asked.authfile {
        return plan.directories.located("--authfile", file);
    }
    let file = docker_file(plan.environment, &plan.directories).ok_or_else(|| {
        Error::Usage(
            Report::new("docker's configuration: unknown home directory")
                .hint("set HOME or DOCKER_CONFIG, or name the file by --authfile"),
        )
    })?;
    as_it_is(file, "docker", "DOCKER_CONFIG")
}
