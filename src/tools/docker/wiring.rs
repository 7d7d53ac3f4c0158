//! Wiring of docker and podman: the registries whose helper is this program.

use super::files::{Files, origin};
use crate::config::Config;
use crate::findings::wiring::{Context, Machine, Wiring, check_rule};
use crate::findings::{Checks, failed, failed_with, ok};
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

struct DockerWiring(Files);

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(DockerWiring(Files::read(
        machine.environment,
        machine.directories,
        &machine.deadline,
    )))
}

impl Wiring for DockerWiring {
    fn needs_link(&self) -> bool {
        !self.0.places.is_empty()
    }

    fn is_for_all(&self) -> bool {
        self.0.places.iter().any(|(_, registry)| registry.is_none())
    }

    fn origins(&self, _config: &Config<'_>) -> Vec<Origin> {
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
    }
}
