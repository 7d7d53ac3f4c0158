//! Wiring of docker and podman: the registries whose helper is this program.

use super::files::{Files, HELPER, origin};
use super::logins::{Login, Ours, logins};
use super::podman::FILES;
use crate::findings::wiring::{Context, Machine, Wiring, check_rule};
use crate::findings::{Checks, failed, failed_with, ok, warning};
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

struct DockerWiring(Files);

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    let files = Files::read(machine.environment, machine.directories, &machine.deadline);
    Box::new(DockerWiring(files))
}

impl Wiring for DockerWiring {
    fn needs_link(&self) -> bool {
        !self.0.places.is_empty()
    }

    fn is_for_all(&self, _context: &Context<'_>) -> bool {
        self.0.places.iter().any(|(_, registry)| registry.is_none())
    }

    fn origins(&self, _context: &Context<'_>) -> Vec<Origin> {
        self.0.registries().filter_map(origin).collect()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        for error in &self.0.errors {
            checks.push(failed_with("docker", error));
        }
        for (path, registry) in &self.0.places {
            let file = quote::path(path);
            let Some(registry) = registry else {
                let what = format!("{file}: all registries: those with a host rule get a token");
                checks.push(ok("docker", what));
                continue;
            };
            let place = format!("{file}: {}", quoted(registry));
            checks.push(match origin(registry) {
                Some(origin) => check_rule(
                    "docker",
                    &place,
                    &origin,
                    None,
                    context.config,
                    context.is_read,
                ),
                None => failed(
                    "docker",
                    format!("{place}: invalid host"),
                    "write registries in credHelpers as host or host:port",
                ),
            });
        }
        self.check_podman(checks);
        self.check_logins(checks, context);
    }
}

impl DockerWiring {
    /// Warns if podman's order omits this program, or asks another helper first.
    fn check_podman(&self, checks: &mut Checks) {
        let podman = &self.0.podman;
        let others = podman.before(HELPER).iter().filter(|name| *name != FILES);
        for other in others {
            let what = format!(
                "podman asks the helper {} before this program",
                quote::path(other)
            );
            checks.push(warning(
                "docker",
                what,
                "put zitadel first in credential-helpers of registries.conf",
            ));
        }
        let helpers = self.0.registries().next();
        if let (Some(_), Some(file)) = (helpers, podman.ignores_files()) {
            let what = format!(
                "{}: podman, skopeo and buildah ignore credHelpers, because credential-helpers lacks {FILES}",
                quote::path(file)
            );
            checks.push(warning(
                "docker",
                what,
                format!("add \"{FILES}\" to credential-helpers"),
            ));
        }
    }

    /// Warns about logins that docker or podman uses before this program, or keeps.
    fn check_logins(&self, checks: &mut Checks, context: &Context<'_>) {
        let registries: Vec<_> = self.0.registries().filter_map(origin).collect();
        let is_for_all = self.is_for_all(context);
        let ours = Ours {
            has: &|origin| context.has_rule(origin) && (is_for_all || registries.contains(origin)),
            file: None,
        };
        let found = logins(
            context.environment,
            context.directories,
            context.config.deadline(),
            &ours,
        );
        for Login { line, remedy } in found {
            checks.push(warning("docker", line, remedy));
        }
    }
}
