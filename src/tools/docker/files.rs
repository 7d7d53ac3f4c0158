//! The files of docker and podman that name credential helpers.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::podman::Podman;
use super::protocol;
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::host::HostRule;
use crate::sys::status::user_id;
use crate::sys::{Environment, named};
use crate::text::clock::Deadline;
use crate::text::input::encoding::{self, NotText};
use crate::text::input::{ReadError, TOOL_FILE_LIMIT};
use crate::text::{input, quote};
use crate::url::Origin;

/// The name of this program's helper in the files: without `docker-credential-`.
pub(super) const HELPER: &str = "zitadel";

/// The name by which docker finds it on `PATH`.
pub(super) const LINK: &str = "docker-credential-zitadel";

/// podman's file, relative to the runtime and the configuration directory.
const PODMAN: &str = "containers/auth.json";

/// The settings of the files about this program.
#[derive(Default)]
pub(super) struct Files {
    /// Files, each with a registry whose helper is this program; `None` for all
    /// registries.
    pub(super) places: Vec<(PathBuf, Option<String>)>,
    /// The registries of the logins of files whose only store is this program.
    logins: Vec<String>,
    /// The order in which podman asks for logins.
    pub(super) podman: Podman,
    /// Files that cannot be read.
    pub(super) errors: Vec<Error>,
}

impl Files {
    /// Reads the files.
    pub(super) fn read(
        environment: &Environment,
        directories: &Directories,
        deadline: &Deadline,
    ) -> Self {
        let mut found = Self::default();
        for path in paths(environment, directories) {
            match read_file(&path, deadline) {
                Ok(Some(file)) => found.add(&path, &file),
                Ok(None) => {}
                Err(error) => found.errors.push(error),
            }
        }
        found.podman = Podman::read(environment, directories, deadline);
        if let Some(file) = found.podman.file_with(HELPER) {
            found.places.push((file.to_owned(), None));
        }
        found
    }

    /// Adds the helpers in a file.
    fn add(&mut self, path: &Path, file: &Value) {
        let registries = file["credHelpers"].as_object().into_iter().flatten();
        for (registry, helper) in registries {
            if helper == HELPER {
                self.places.push((path.to_owned(), Some(registry.clone())));
            }
        }
        if file["credsStore"] == HELPER {
            self.places.push((path.to_owned(), None));
            let logins = file["auths"].as_object().into_iter().flatten();
            self.logins
                .extend(logins.map(|(registry, _)| registry.clone()));
        }
    }

    /// Returns the registries that name this program as their helper.
    pub(super) fn registries(&self) -> impl Iterator<Item = &str> {
        self.places
            .iter()
            .filter_map(|(_, registry)| registry.as_deref())
    }

    /// True if a file gives a rule's host to this program: as a registry with this
    /// helper, or as a login with this store.
    pub(super) fn assign(&self, rule: &HostRule) -> bool {
        let logins = self.logins.iter().map(String::as_str);
        let mut origins = self.registries().chain(logins).filter_map(origin);
        origins.any(|origin| rule.pattern.matches(&origin))
    }
}

/// Returns the host of a registry in a file.
pub(super) fn origin(registry: &str) -> Option<Origin> {
    Some(protocol::parse(registry)?.ask?.origin)
}

/// Returns the files of docker (`docker help`) and podman (containers-auth.json(5)).
fn paths(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    let docker = docker_file(environment, directories);
    let podman = podman_files(environment, directories);
    docker.into_iter().chain(podman).collect()
}

/// Returns docker's own file.
pub(super) fn docker_file(environment: &Environment, directories: &Directories) -> Option<PathBuf> {
    let default = || Some(directories.home.as_ref()?.join(".docker"));
    let dir = named(environment, "DOCKER_CONFIG").or_else(default)?;
    Some(dir.join("config.json"))
}

/// Returns podman's own files, in its order.
pub(super) fn podman_files(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    if let Some(file) = named(environment, "REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let runtime = match named(environment, "XDG_RUNTIME_DIR") {
        Some(dir) => dir.join(PODMAN),
        None => format!("/run/containers/{}/auth.json", user_id()).into(),
    };
    let own = directories.config.as_ref().map(|dir| dir.join(PODMAN));
    std::iter::once(runtime).chain(own).collect()
}

pub(super) fn read_file(path: &Path, deadline: &Deadline) -> Result<Option<Value>, Error> {
    let failed = |what: String| {
        let report = Report::new(format!("{}: {what}", quote::path(path)));
        Error::Final(report.hint("fix the file: docker cannot read it either"))
    };
    match input::read_file(path, TOOL_FILE_LIMIT, deadline) {
        Ok(bytes) if encoding::is_utf16(&bytes) => Err(failed(NotText::Utf16.to_string())),
        Ok(bytes) => serde_json::from_slice(encoding::without_mark(&bytes))
            .map(Some)
            .map_err(|error| failed(format!("invalid JSON (line {})", error.line()))),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}
