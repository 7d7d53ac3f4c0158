//! docker, podman, skopeo: a host rule, and our helper in `credHelpers`.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::args::SetupDocker;
use crate::cli::options::Options;
use crate::edit::desk::{After, Desk, edit_of};
use crate::edit::hosts::{Host, pattern};
use crate::edit::journal::Edit;
use crate::edit::json;
use crate::edit::setup::{Mode, Setup, names};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote;
use crate::text::quote::quoted;

/// What stands in `credHelpers`: `docker-credential-` comes before it.
const HELPER: &str = "zitadel";

impl Setup for SetupDocker {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn names(&self) -> Vec<(&'static str, &OsStr)> {
        let username = self.username.as_deref().map(|name| ("--username", name));
        username
            .into_iter()
            .chain(names("HOST", &self.hosts))
            .collect()
    }

    fn apply<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        put_in(desk, self)
    }

    fn undo<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        take_out(desk, self)
    }
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

/// Adds the rules and the helper.
///
/// # Errors
/// A host is none, a rule stands in the way, or the file is not docker's.
fn put_in<'d>(desk: &mut Desk<'d>, asked: &SetupDocker) -> Result<Option<After<'d>>, Error> {
    let path = file(desk, asked)?;
    let mut file = desk.open_file(&path)?;
    file.words = vec![HELPER.to_owned()];
    let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
    let username = asked.username.as_ref();
    for Host { pattern, setup } in desk.let_in("docker", &asked.hosts, username, &file.name())? {
        let Some(registry) = pattern.single_host() else {
            let what = format!("{pattern} is more than one registry");
            return Err(Error::Usage(
                Report::new(what).hint("credHelpers names each by itself: give them one by one"),
            ));
        };
        file.words.push(registry.clone());
        let former = json::helper(file.text(), &registry).map_err(refused)?;
        if former.as_deref() != Some(HELPER) {
            let list = json::list(file.text()).map_err(refused)?;
            let is_ours = desk
                .journal
                .edit_at(&file.name(), &["credHelpers"])
                .is_some();
            if is_ours || list != json::List::There {
                // So that the object goes with the last of its members.
                let former = (list == json::List::Null).then(|| "null".to_owned());
                let edit = edit_of(&file, &["credHelpers"], "{}", former);
                desk.journal.record(&setup, edit);
            }
            let text = json::set_helper(file.text(), &registry, HELPER).map_err(refused)?;
            file.set(text);
            let edit = edit_of(&file, &["credHelpers", &registry], HELPER, former);
            desk.journal.record(&setup, edit);
        }
        desk.says(format!(
            "next: docker pull {registry}/IMAGE, or skopeo inspect docker://{registry}/IMAGE"
        ));
    }
    desk.add(file);
    // It finds its helpers by their name alone, and passes them no options.
    desk.warn_of_path("docker", &format!("docker-credential-{HELPER}"));
    desk.warn_of_config("docker");
    Ok(None)
}

/// Takes the rules and the helper out.
///
/// # Errors
/// A host is none, or the file is no longer docker's.
fn take_out<'d>(desk: &mut Desk<'d>, asked: &SetupDocker) -> Result<Option<After<'d>>, Error> {
    let path = file(desk, asked)?;
    let mut file = desk.open_file(&path)?;
    file.words = vec![HELPER.to_owned()];
    let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
    for host in &asked.hosts {
        file.words.push(pattern(host)?.to_string());
    }
    let name = file.name();
    desk.turn_out("docker", &asked.hosts, &name, |desk, edit| {
        match edit.key().as_slice() {
            ["credHelpers", registry] if edit.file == name => {
                let now = json::helper(file.text(), registry).map_err(refused)?;
                if now.as_ref() != Some(&edit.ours) {
                    let how = match now {
                        Some(_) => "changed since, and stays",
                        None => "gone already",
                    };
                    desk.says(format!("credHelpers.{registry} was {how}"));
                    return Ok(());
                }
                let text = if let Some(former) = &edit.former {
                    desk.says(format!(
                        "puts back credHelpers.{registry}: {}",
                        quoted(former)
                    ));
                    json::set_helper(file.text(), registry, former)
                } else {
                    desk.says(format!("takes out credHelpers.{registry}"));
                    json::remove_helper(file.text(), registry)
                };
                file.set(text.map_err(refused)?);
            }
            ["credHelpers"] if edit.file == name => {
                let text =
                    json::remove_empty(file.text(), edit.former.as_deref()).map_err(refused)?;
                file.set(text);
            }
            _ => {}
        }
        Ok(())
    })?;
    desk.add(file);
    Ok(None)
}

fn file(desk: &Desk<'_>, asked: &SetupDocker) -> Result<PathBuf, Error> {
    if let Some(file) = &asked.authfile {
        return Ok(file.clone());
    }
    let set = (desk.environment)("DOCKER_CONFIG").filter(|value| !value.is_empty());
    let dir = match (set, &desk.directories.home) {
        (Some(dir), _) => PathBuf::from(dir),
        (None, Some(home)) => home.join(".docker"),
        (None, None) => {
            return Err(Error::Usage(
                Report::new("docker's configuration: no home directory is known")
                    .hint("set HOME or DOCKER_CONFIG, or name the file by --authfile"),
            ));
        }
    };
    Ok(dir.join("config.json"))
}
