//! Logins that docker and podman use before this program, or keep beside it.
//!
//! Source: containers-auth.json(5), and its order in containers/image; `docker login`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::{HELPER, docker_file, origin, podman_files, read_file};
use super::podman::{FILES, Podman};
use crate::config::Directories;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

/// The variable with logins in the file's format, used before docker's file.
const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// A login for a registry from another source. The login itself is not stored.
pub(super) struct Login {
    /// The message: the tool's use of the login.
    pub(super) line: String,
    /// The remedy.
    pub(super) remedy: String,
}

/// The registries of this program.
pub(super) struct Ours<'a> {
    /// True for the host of such a registry.
    pub(super) has: &'a dyn Fn(&Origin) -> bool,
    /// The file in which a setup will name this program for all these registries.
    pub(super) file: Option<&'a Path>,
}

/// Returns the logins for this program's registries.
pub(super) fn logins(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
    ours: &Ours<'_>,
) -> Vec<Login> {
    let mut paths = podman_files(environment, directories);
    paths.extend(docker_file(environment, directories));
    let files: Vec<_> = paths
        .into_iter()
        .filter_map(|path| {
            let is_target = ours.file == Some(&path);
            let file = read_file(&path, deadline).ok()?;
            // The setup is about to create this file.
            let file = file.or_else(|| is_target.then_some(Value::Null));
            Some(AuthFile {
                value: file?,
                path,
                is_target,
            })
        })
        .collect();
    let podman = Podman::read(environment, directories, deadline);
    let files_are_first = podman.before(HELPER).iter().any(|name| name == FILES);
    let mut found: Vec<_> = in_variable(environment, ours).collect();
    for (at, file) in files.iter().enumerate() {
        for registry in registries(&file.value, ours) {
            let names_us = |file: &AuthFile| file.names_us(&registry);
            if names_us(file) {
                found.push(file.left(&registry));
            } else if files_are_first
                || (files[at..].iter().any(names_us) && !files[..at].iter().any(names_us))
            {
                found.push(file.first(&registry));
            }
        }
    }
    found
}

/// Returns the logins in docker's variable.
fn in_variable(environment: &Environment, ours: &Ours<'_>) -> impl Iterator<Item = Login> {
    let text = environment(VARIABLE).unwrap_or_default();
    let file = serde_json::from_str(&text.to_string_lossy()).unwrap_or_default();
    registries(&file, ours).into_iter().map(|registry| Login {
        line: format!(
            "the variable {VARIABLE} has a login for {}, which docker uses before this program",
            quoted(&registry)
        ),
        remedy: format!("unset {VARIABLE}, or remove that login from it"),
    })
}

/// A file with logins.
struct AuthFile {
    path: PathBuf,
    value: Value,
    is_target: bool,
}

impl AuthFile {
    /// True if the helper for a login's registry is this program.
    fn names_us(&self, registry: &str) -> bool {
        let asked = origin(registry);
        let helpers = self.value["credHelpers"].as_object().into_iter().flatten();
        let mut ours = helpers.filter(|(_, helper)| *helper == HELPER);
        self.is_target || ours.any(|(known, _)| origin(known) == asked)
    }

    /// Returns a login that podman finds first.
    fn first(&self, registry: &str) -> Login {
        let file = quote::path(&self.path);
        let shown = quoted(registry);
        let words = [&self.path.to_string_lossy(), registry].map(quote::word);
        Login {
            line: format!(
                "{file} has a login for {shown}, which podman, skopeo and buildah use before this program"
            ),
            remedy: format!("podman logout --authfile {}", words.join(" ")),
        }
    }

    /// Returns a login that the helper replaces.
    fn left(&self, registry: &str) -> Login {
        let file = quote::path(&self.path);
        let shown = quoted(registry);
        Login {
            line: format!(
                "{file} still has a login for {shown} under auths, which no tool uses before this program"
            ),
            remedy: "remove it there: the file contains it in clear text".to_owned(),
        }
    }
}

/// Returns this program's registries for which a file has a login.
fn registries(file: &Value, ours: &Ours<'_>) -> Vec<String> {
    let logins = file["auths"].as_object().into_iter().flatten();
    // With a store, docker writes an empty object for each login.
    let is_login = |login: &Value| {
        let mut parts = login.as_object().into_iter().flatten();
        parts.any(|(key, value)| {
            key != "email" && value.as_str().is_some_and(|text| !text.is_empty())
        })
    };
    let logins = logins.filter(|(registry, login)| {
        is_login(login) && origin(registry).is_some_and(|origin| (ours.has)(&origin))
    });
    logins.map(|(registry, _)| registry.clone()).collect()
}
