//! docker, podman, skopeo: a host rule, and our helper in `credHelpers`.

use std::path::PathBuf;

use super::desk::{After, Desk, edit_of};
use super::git::{pattern, setup_name, username};
use super::{json, tool};
use crate::cli::SetupDocker;
use crate::error::{Error, Report};
use crate::quote::{self, quoted};

/// What stands in `credHelpers`: `docker-credential-` comes before it.
const HELPER: &str = "zitadel";

/// Adds the rules and the helper.
///
/// # Errors
/// A host is none, a rule stands in the way, or the file is not docker's.
pub(super) fn put_in<'d>(
    desk: &mut Desk<'d>,
    asked: &SetupDocker,
) -> Result<Option<After<'d>>, Error> {
    desk.refuse_profiles_options()?;
    let profile = desk.profile()?;
    let username = username(asked.username.as_ref())?;
    let path = file(desk, asked)?;
    let mut file = desk.open_file(&path)?;
    file.words = vec![HELPER.to_owned()];
    let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
    for host in &asked.hosts {
        let pattern = pattern(host)?;
        let Some(registry) = pattern.single_host() else {
            let what = format!("{pattern} is more than one registry");
            return Err(Error::Usage(
                Report::new(what).hint("credHelpers names each by itself: give them one by one"),
            ));
        };
        let setup = setup_name("docker", &pattern, &file);
        desk.allow(&setup, &pattern, profile.as_deref(), username.as_deref())?;
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
    warn_of_path(desk);
    Ok(None)
}

/// Takes the rules and the helper out.
///
/// # Errors
/// A host is none, or the file is no longer docker's.
pub(super) fn take_out<'d>(
    desk: &mut Desk<'d>,
    asked: &SetupDocker,
) -> Result<Option<After<'d>>, Error> {
    let path = file(desk, asked)?;
    let mut file = desk.open_file(&path)?;
    file.words = vec![HELPER.to_owned()];
    let refused = |report: Report| Error::Usage(report.about(&quote::path(&path)));
    for host in &asked.hosts {
        let pattern = pattern(host)?;
        file.words.push(pattern.to_string());
        let setup = setup_name("docker", &pattern, &file);
        let Some(edits) = desk.journal.take(&setup) else {
            desk.says(format!("docker was not set up for {pattern}"));
            continue;
        };
        for edit in edits {
            match edit.key().as_slice() {
                ["credHelpers", registry] if edit.file == file.name() => {
                    let now = json::helper(file.text(), registry).map_err(refused)?;
                    if now.as_ref() != Some(&edit.ours) {
                        desk.says(format!(
                            "credHelpers.{registry} was changed since, and stays"
                        ));
                        continue;
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
                ["credHelpers"] if edit.file == file.name() => {
                    let text =
                        json::remove_empty(file.text(), edit.former.as_deref()).map_err(refused)?;
                    file.set(text);
                }
                _ => desk.take_out_of_config(&edit)?,
            }
        }
    }
    desk.add(file);
    Ok(None)
}

/// docker finds its helpers by their name alone, and passes them no options.
fn warn_of_path(desk: &mut Desk<'_>) {
    let program = format!("docker-credential-{HELPER}");
    let found = tool::find(&program, desk.environment);
    let is_us = |path: &PathBuf| path.canonicalize().ok() == desk.program.canonicalize().ok();
    let line = match found {
        Some(path) if is_us(&path) => None,
        Some(path) => Some(format!(
            "{} is another program than this: docker would call that",
            quote::path(&path)
        )),
        None => Some(format!(
            "docker does not find {program} on PATH: ln -s {} DIRECTORY-ON-PATH/{program}",
            quote::path(&desk.program)
        )),
    };
    if let Some(line) = line {
        desk.says(format!("warning: {line}"));
    }
    if desk.options.config.is_some() {
        let path = quoted(&desk.config.path().to_string_lossy());
        desk.says(format!(
            "warning: docker passes no --config: set ZITADEL_CREDENTIAL_CONFIG={path} where it runs"
        ));
    }
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
