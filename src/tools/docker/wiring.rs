//! Wiring of docker and podman: the registries whose helper is this program.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::protocol;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, LIMIT, Machine, Wiring, check_rule};
use crate::findings::{Checks, failed, failed_with, ok};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::ReadError;
use crate::text::quote::quoted;
use crate::text::{input, quote};
use crate::url::Origin;

/// The name of this program's helper in the files.
const HELPER: &str = "zitadel";

/// podman's file, relative to the runtime and the configuration directory.
const PODMAN: &str = "containers/auth.json";

#[derive(Default)]
struct DockerWiring {
    /// Files, each with a registry; `None` for all registries.
    places: Vec<(PathBuf, Option<String>)>,
    errors: Vec<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn read_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> DockerWiring {
    let mut found = DockerWiring::default();
    for path in files(environment, directories) {
        match read_file(&path, deadline) {
            Ok(Some(file)) => found.add(&path, &file),
            Ok(None) => {}
            Err(error) => found.errors.push(error),
        }
    }
    found
}

/// Returns the files of docker (`docker help`) and podman (containers-auth.json(5)).
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
        Error::Final(report.hint("fix the file: docker cannot read it either"))
    };
    match input::read_file(path, LIMIT, deadline) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| failed(format!("invalid JSON (line {})", error.line()))),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

impl DockerWiring {
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
        }
    }
}

impl Wiring for DockerWiring {
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

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        for error in &self.errors {
            checks.push(failed_with("docker", error));
        }
        for (path, registry) in &self.places {
            let file = quote::path(path);
            let Some(registry) = registry else {
                let what = format!("{file}: all registries: those with a host rule get a token");
                checks.push(ok("docker", what));
                continue;
            };
            let place = format!("{file}: {}", quoted(registry));
            checks.push(
                match protocol::parse(registry).and_then(|request| request.ask) {
                    Some(ask) => check_rule(
                        "docker",
                        &place,
                        &ask.origin,
                        None,
                        context.config,
                        context.is_read,
                    ),
                    None => failed(
                        "docker",
                        format!("{place}: invalid host"),
                        "write registries in credHelpers as host or host:port",
                    ),
                },
            );
        }
    }
}
