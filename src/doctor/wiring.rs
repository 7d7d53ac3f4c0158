//! Where other tools' files name us: who would run us, and which rule they hit.

mod bazel;
mod cargo;
mod docker;
mod git;
mod go;
mod kubectl;
mod terraform;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use super::check::{Check, Checks, failed, ok, skipped, warning};
use super::host;
use crate::World;
use crate::clock::Deadline;
use crate::config::{Config, Directories};
use crate::error::Error;
use crate::input::{self, ReadError};
use crate::issuer::Environment;
use crate::process;
use crate::quote;
use crate::url::Origin;

/// The program's own name, and those that tools look for on `PATH`.
pub(super) const NAME: &str = "zitadel-credential";
pub(super) const GIT_NAME: &str = "git-credential-zitadel";
pub(super) const DOCKER_NAME: &str = "docker-credential-zitadel";
pub(super) const BAZEL_NAME: &str = "bazel-credential-zitadel";
pub(super) const CARGO_NAME: &str = "cargo-credential-zitadel";

/// A file may hold the logins of many registries: as much as setup reads.
const LIMIT: usize = 4 * 1024 * 1024;

/// What was found in each tool's files.
pub(super) struct Wiring {
    kubectl: kubectl::Found,
    git: git::Found,
    docker: docker::Found,
    bazel: bazel::Found,
    cargo: cargo::Found,
    go: go::Found,
    terraform: terraform::Found,
}

impl Wiring {
    /// Reads all of them; each program that is asked has until `soon`.
    pub(super) fn read(
        world: &World<'_>,
        directories: &Directories,
        soon: &dyn Fn() -> Deadline,
    ) -> Self {
        Self {
            kubectl: kubectl::read(world.environment, directories, &soon()),
            git: git::read(world.environment, &soon()),
            docker: docker::read(world.environment, directories, &soon()),
            bazel: bazel::read(directories, &soon()),
            cargo: cargo::read(world.environment, directories, &soon()),
            go: go::read(world.environment, directories, &soon()),
            terraform: terraform::read(world.environment, directories, &soon()),
        }
    }

    /// Whether a kubeconfig names us.
    pub(super) fn has_kubectl(&self) -> bool {
        self.kubectl.names_us()
    }

    /// Whether a kubeconfig has us answer a cluster at this host.
    pub(super) fn is_cluster(&self, origin: &Origin) -> bool {
        self.kubectl.is_at(origin)
    }

    /// Whether a tool looks for us under this name.
    pub(super) fn needs(&self, name: &str) -> bool {
        match name {
            GIT_NAME => self.git.needs_link(),
            DOCKER_NAME => self.docker.needs_link(),
            BAZEL_NAME => self.bazel.needs_link(),
            CARGO_NAME => self.cargo.needs_link(),
            _ => false,
        }
    }

    pub(super) fn check(
        &self,
        checks: &mut Checks,
        config: &Config<'_>,
        is_read: bool,
        world: &World<'_>,
        directories: &Directories,
    ) {
        self.kubectl.check(checks, is_read, world, directories);
        self.git.check(checks, config, is_read, world.environment);
        self.docker.check(checks, config, is_read);
        let environment = world.environment;
        self.bazel.check(checks, config, is_read, environment);
        self.cargo.check(checks, config, is_read, environment);
        self.go.check(checks, environment);
        self.terraform.check(checks, world);
        // pip and uv need no more than a keyring on PATH.
        let is_keyring = super::programs::is_keyring(world);
        if !is_read || is_keyring || self.is_for_all() {
            return;
        }
        let wired = self.git.origins().chain(self.docker.origins());
        let wired = wired.chain(self.bazel.origins(config));
        let wired: Vec<_> = wired.chain(self.cargo.origins()).collect();
        let is_wired = |pattern: &str| {
            wired.iter().any(|origin| {
                let rule = config.rules().find(origin, None);
                rule.is_ok_and(|rule| rule.pattern.to_string() == pattern)
            })
        };
        for rule in config.rules().iter() {
            let pattern = rule.pattern.to_string();
            if !is_wired(&pattern) {
                let host = quote::word(&pattern);
                checks.push(warning(
                    "rule",
                    format!("{pattern}: no tool is found that is set up to ask us for it"),
                    format!(
                        "zitadel-credential setup git {host}, or setup docker, bazel, cargo, go or terraform"
                    ),
                ));
            }
        }
    }

    /// Whether a tool asks us for whatever host.
    fn is_for_all(&self) -> bool {
        self.git.is_for_all()
            || self.docker.is_for_all()
            || self.bazel.is_for_all()
            || self.cargo.is_for_all()
            || self.go.names_us()
            || self.terraform.names_us()
    }
}

/// A tool's file; none where it is not there.
fn text(path: &Path, deadline: &Deadline) -> Result<Option<String>, String> {
    match input::read_file(path, LIMIT, deadline) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a program that a file names is not there. What is looked for on `PATH`
/// by a name of ours, the check `program` tells.
fn is_missing(program: &str, environment: &Environment) -> bool {
    if program.starts_with('/') {
        return !process::is_program(program.as_ref());
    }
    program == NAME && process::find(NAME, environment).is_none()
}

/// What a tool's setting for a host comes to: the rule that it hits.
fn hit(
    name: &'static str,
    place: &str,
    origin: &Origin,
    username: Option<&str>,
    config: &Config<'_>,
    is_read: bool,
) -> Check {
    if !is_read {
        return skipped(name, format!("{place}: names us; the rules cannot be read"));
    }
    match config.rules().find(origin, username) {
        Ok(rule) => {
            let whose = host::whose(config, rule);
            ok(name, format!("{place}: rule {}, {whose}", rule.pattern))
        }
        Err(miss) => {
            let report = miss.told(origin);
            let setup = format!("zitadel-credential setup {name} {}", origin.authority());
            let advice = match miss {
                crate::host::Miss::Unknown | crate::host::Miss::Port(_) => setup,
                _ => report.advice().unwrap_or_default(),
            };
            failed(name, format!("{place}: {}", report.headline()), advice)
        }
    }
}

/// A program that cannot be asked, or a file that cannot be read.
fn unread(name: &'static str, error: &Error) -> Check {
    super::check::about(name, error)
}

/// Whether a program's path or name is one of ours.
fn is_ours(program: &str) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| [NAME, GIT_NAME, DOCKER_NAME, BAZEL_NAME, CARGO_NAME].contains(&name))
}
