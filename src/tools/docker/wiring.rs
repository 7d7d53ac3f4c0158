//! docker's and podman's files: the registries for which they ask us.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::protocol;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::findings::wiring::{LIMIT, Look, Machine, Wiring, hit, unread};
use crate::findings::{Checks, failed, ok};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::ReadError;
use crate::text::quote::quoted;
use crate::text::{input, quote};
use crate::url::Origin;

/// How the files name us.
const HELPER: &str = "zitadel";

/// podman's file, below the runtime and the configuration directory.
const PODMAN: &str = "containers/auth.json";

#[derive(Default)]
struct Found {
    /// Files and the registry each names us for; none for all.
    places: Vec<(PathBuf, Option<String>)>,
    errors: Vec<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(look(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn look(environment: &Environment, directories: &Directories, deadline: &Deadline) -> Found {
    let mut found = Found::default();
    for path in files(environment, directories) {
        match read_file(&path, deadline) {
            Ok(Some(file)) => found.take(&path, &file),
            Ok(None) => {}
            Err(error) => found.errors.push(error),
        }
    }
    found
}

/// Where docker (`docker help`) and podman (containers-auth.json(5)) look.
fn files(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    let set = |name| {
        environment(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = directories.home.as_deref();
    let docker = set("DOCKER_CONFIG").or_else(|| Some(home?.join(".docker")));
    let docker = docker.map(|dir| dir.join("config.json"));
    let podman = match set("REGISTRY_AUTH_FILE") {
        Some(file) => vec![file],
        None => [set("XDG_RUNTIME_DIR"), directories.config.clone()]
            .into_iter()
            .flatten()
            .map(|dir| dir.join(PODMAN))
            .collect(),
    };
    docker.into_iter().chain(podman).collect()
}

fn read_file(path: &Path, deadline: &Deadline) -> Result<Option<Value>, Error> {
    let failed = |what: String| {
        let report = Report::new(format!("{}: {what}", quote::path(path)));
        Error::Final(report.hint("docker cannot read it either: mend it by hand"))
    };
    match input::read_file(path, LIMIT, deadline) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            failed(format!(
                "it is not as docker writes it (line {})",
                error.line()
            ))
        }),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

impl Found {
    /// Of all that such a file holds, the helpers.
    fn take(&mut self, path: &Path, file: &Value) {
        let registries = file["credHelpers"].as_object().into_iter().flatten();
        for (registry, helper) in registries {
            if helper == HELPER {
                self.places.push((path.to_owned(), Some(registry.clone())));
            }
        }
        if file["credsStore"] == HELPER {
            self.places.push((path.to_owned(), None));
        }
    }
}

impl Wiring for Found {
    fn needs_link(&self) -> bool {
        !self.places.is_empty()
    }

    fn is_for_all(&self) -> bool {
        self.places.iter().any(|(_, registry)| registry.is_none())
    }

    fn origins(&self, _config: &Config<'_>) -> Vec<Origin> {
        let registries = self
            .places
            .iter()
            .filter_map(|(_, registry)| registry.as_deref());
        registries
            .filter_map(|registry| Some(protocol::parse(registry)?.ask?.origin))
            .collect()
    }

    fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        for error in &self.errors {
            checks.push(unread("docker", error));
        }
        for (path, registry) in &self.places {
            let file = quote::path(path);
            let Some(registry) = registry else {
                let what = format!("{file}: every registry: those that a rule names are answered");
                checks.push(ok("docker", what));
                continue;
            };
            let place = format!("{file}: {}", quoted(registry));
            checks.push(
                match protocol::parse(registry).and_then(|question| question.ask) {
                    Some(ask) => hit(
                        "docker",
                        &place,
                        &ask.origin,
                        None,
                        look.config,
                        look.is_read,
                    ),
                    None => failed(
                        "docker",
                        format!("{place}: it names no host that could have a rule"),
                        "credHelpers names registries as host or host:port",
                    ),
                },
            );
        }
    }
}
