//! The wiring of all tools: where their files name this program.

use crate::call::World;
use crate::config::Directories;
use crate::findings::wiring::{Context, Machine, Wiring};
use crate::findings::{Checks, warning};
use crate::sys::process;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::tools::row::{Place, SetupRow, Tool};
use crate::tools::{TOOLS, links};
use crate::url::Origin;

/// Each tool's wiring.
pub(super) struct Wirings(Vec<(&'static Tool, Box<dyn Wiring>)>);

impl Wirings {
    /// Reads all tools' files. `deadline` returns a deadline for each tool's program.
    pub(super) fn read(
        world: &World<'_>,
        directories: &Directories,
        deadline: &dyn Fn() -> Deadline,
    ) -> Self {
        let read = |tool: &'static Tool| {
            let machine = Machine {
                environment: world.environment,
                directories,
                deadline: deadline(),
            };
            Some((tool, tool.wiring?(&machine)))
        };
        Self(TOOLS.iter().filter_map(read).collect())
    }

    fn all(&self) -> impl Iterator<Item = &dyn Wiring> {
        self.0.iter().map(|(_, wiring)| &**wiring)
    }

    /// True if the token must be a JWT, because some server reads the token itself.
    pub(super) fn needs_jwt(&self) -> bool {
        self.all().any(Wiring::needs_jwt)
    }

    /// True if a tool requests tokens for this host without a host rule.
    pub(super) fn needs_no_rule(&self, origin: &Origin) -> bool {
        self.all().any(|wiring| wiring.needs_no_rule(origin))
    }

    /// True if a tool runs this program by this name.
    pub(super) fn needs(&self, name: &str) -> bool {
        let mut wired = self.0.iter();
        wired.any(|(tool, wiring)| {
            wiring.needs_link() && tool.links.iter().any(|link| link.name == name)
        })
    }

    /// Checks each tool's wiring, and that each rule has a tool.
    pub(super) fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        for wiring in self.all() {
            wiring.check(checks, context);
        }
        // A tool that finds us by a shared name needs no file, only the link.
        let is_shared = has_link(context, Place::Person);
        if !context.is_read || is_shared || self.all().any(Wiring::is_for_all) {
            return;
        }
        let rules = context.config.rules();
        let wired: Vec<_> = self
            .all()
            .flat_map(|wiring| wiring.origins(context.config))
            .collect();
        let is_wired = |pattern: &str| {
            wired.iter().any(|origin| {
                let rule = rules.find(origin, None);
                rule.is_ok_and(|rule| rule.pattern.to_string() == pattern)
            })
        };
        let takes_hosts = |tool: &&Tool| tool.setup.as_ref().is_some_and(SetupRow::takes_hosts);
        let of_hosts: Vec<_> = TOOLS
            .iter()
            .filter(takes_hosts)
            .map(|tool| tool.name)
            .collect();
        for rule in rules.iter() {
            let pattern = rule.pattern.to_string();
            if !is_wired(&pattern) {
                let host = quote::word(&pattern);
                checks.push(warning(
                    "rule",
                    format!("{pattern}: no tool is set up for this host rule"),
                    format!(
                        "zitadel-credential setup TOOL {host}, where TOOL is one of {}",
                        of_hosts.join(", ")
                    ),
                ));
            }
        }
    }
}

/// True if a link of this kind on `PATH` resolves to this program.
fn has_link(context: &Context<'_>, place: Place) -> bool {
    let own = (context.program)()
        .and_then(|path| path.canonicalize())
        .ok();
    let leads_here = |name| {
        let found = process::find(name, context.environment);
        own.is_some() && found.and_then(|path| path.canonicalize().ok()) == own
    };
    links().any(|(link, _)| link.place == place && leads_here(link.name))
}
