//! What was found in the files of all tools.

use crate::call::World;
use crate::config::Directories;
use crate::findings::wiring::{Look, Machine, Wiring};
use crate::findings::{Checks, warning};
use crate::sys::process;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::tools::row::{Place, Tool};
use crate::tools::{TOOLS, links};
use crate::url::Origin;

/// The findings of each tool.
pub(super) struct Wirings(Vec<(&'static Tool, Box<dyn Wiring>)>);

impl Wirings {
    /// Reads all tools' files; each program that is asked has until `soon`.
    pub(super) fn read(
        world: &World<'_>,
        directories: &Directories,
        soon: &dyn Fn() -> Deadline,
    ) -> Self {
        let read = |tool: &'static Tool| {
            let machine = Machine {
                environment: world.environment,
                directories,
                deadline: soon(),
            };
            Some((tool, tool.wiring?(&machine)))
        };
        Self(TOOLS.iter().filter_map(read).collect())
    }

    fn all(&self) -> impl Iterator<Item = &dyn Wiring> {
        self.0.iter().map(|(_, wiring)| &**wiring)
    }

    /// True if some server reads the token itself, so that it must be a JWT.
    pub(super) fn needs_jwt(&self) -> bool {
        self.all().any(Wiring::needs_jwt)
    }

    /// True if a tool asks us for this host without a host rule.
    pub(super) fn needs_no_rule(&self, origin: &Origin) -> bool {
        self.all().any(|wiring| wiring.needs_no_rule(origin))
    }

    /// True if a tool looks for us under this name.
    pub(super) fn needs(&self, name: &str) -> bool {
        let mut wired = self.0.iter();
        wired.any(|(tool, wiring)| {
            wiring.needs_link() && tool.links.iter().any(|link| link.name == name)
        })
    }

    /// Checks all that was found, and whether each rule has a tool that asks.
    pub(super) fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        for wiring in self.all() {
            wiring.check(checks, look);
        }
        // A link is all that a shared name needs.
        let is_shared = has_link(look, Place::Person);
        if !look.is_read || is_shared || self.all().any(Wiring::is_for_all) {
            return;
        }
        let rules = look.config.rules();
        let wired: Vec<_> = self
            .all()
            .flat_map(|wiring| wiring.origins(look.config))
            .collect();
        let is_wired = |pattern: &str| {
            wired.iter().any(|origin| {
                let rule = rules.find(origin, None);
                rule.is_ok_and(|rule| rule.pattern.to_string() == pattern)
            })
        };
        for rule in rules.iter() {
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
}

/// True if a link of this kind on `PATH` leads to this program.
fn has_link(look: &Look<'_>, place: Place) -> bool {
    let own = (look.program)().and_then(|path| path.canonicalize()).ok();
    let leads_here = |name| {
        let found = process::find(name, look.environment);
        own.is_some() && found.and_then(|path| path.canonicalize().ok()) == own
    };
    links().any(|(link, _)| link.place == place && leads_here(link.name))
}
