//! The wiring of all tools: the places in their files that name this program.

use crate::call::World;
use crate::config::Directories;
use crate::edit::file;
use crate::edit::journal::Journal;
use crate::findings::wiring::{Context, Machine, NetrcReader, VisitJwt, Wiring};
use crate::findings::{Checks, warning};
use crate::host::Auth;
use crate::setup::owns;
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

    /// Visits the requests of all tools whose tokens must be JWTs.
    pub(super) fn visit_jwts(&self, context: &Context<'_>, visit: &mut VisitJwt<'_>) {
        for wiring in self.all() {
            wiring.visit_jwts(context, visit);
        }
    }

    /// True if this call's token must be a JWT, as far as the files show.
    pub(super) fn may_need_jwt(&self) -> bool {
        self.all().any(Wiring::may_need_jwt)
    }

    /// Returns the tool that requests tokens for this host without a host rule, and the
    /// role of the host.
    pub(super) fn needs_no_rule(&self, origin: &Origin) -> Option<(&'static str, &'static str)> {
        let mut wired = self.0.iter();
        wired.find_map(|(tool, wiring)| Some((tool.name, wiring.needs_no_rule(origin)?)))
    }

    /// Returns the tools whose login depends on a rule's `auth`, each with its form.
    pub(super) fn forms(&self, auth: Auth) -> impl Iterator<Item = (&'static str, &'static str)> {
        let wired = self.0.iter();
        wired.filter_map(move |(tool, wiring)| Some((tool.name, wiring.form(auth)?)))
    }

    /// Returns the tools, each with the reason why it does not request a token for a host
    /// that its wildcard seems to cover.
    pub(super) fn misses(&self, origin: &Origin) -> impl Iterator<Item = (&'static str, String)> {
        let wired = self.0.iter();
        wired.filter_map(|(tool, wiring)| Some((tool.name, wiring.misses(origin)?)))
    }

    /// Returns how each tool reads `.netrc` before it requests a token for this host.
    pub(super) fn netrc(
        &self,
        origin: Option<&Origin>,
        context: &Context<'_>,
    ) -> impl Iterator<Item = &'static NetrcReader> {
        self.all()
            .filter_map(move |wiring| wiring.netrc(origin, context))
    }

    /// True if a tool runs this program by this name.
    pub(super) fn needs(&self, name: &str) -> bool {
        let mut wired = self.0.iter();
        wired.any(|(tool, wiring)| {
            wiring.needs_link() && tool.links.iter().any(|link| link.name == name)
        })
    }

    /// True if a tool without findable files was set up for a rule.
    fn is_done_unseen(&self, pattern: &str, journal: Option<&Journal>) -> bool {
        self.0.iter().any(|(tool, wiring)| {
            let setup = format!("{} {pattern} ", tool.name);
            wiring.is_unseen() && journal.is_some_and(|it| it.elsewhere(&setup).is_some())
        })
    }

    /// Returns a tool that was set up for a rule, and the step that is left to the user.
    fn half_done(
        &self,
        pattern: &str,
        journal: Option<&Journal>,
    ) -> Option<(&'static str, &'static str)> {
        let journal = journal?;
        self.0.iter().find_map(|(tool, wiring)| {
            let setup = format!("{} {pattern} ", tool.name);
            journal.elsewhere(&setup)?;
            Some((tool.name, wiring.by_hand()?))
        })
    }

    /// Checks each tool's wiring, and that each rule has a tool.
    pub(super) fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        for wiring in self.all() {
            wiring.check(checks, context);
        }
        // A tool that finds this program by a shared name needs only the link, and no
        // file.
        let is_shared = has_link(context, Place::Person);
        if !context.is_read || is_shared || self.all().any(|wiring| wiring.is_for_all(context)) {
            return;
        }
        let rules = context.config.rules();
        let wired: Vec<_> = self
            .all()
            .flat_map(|wiring| wiring.origins(context))
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
        let journal = journal(context);
        for rule in rules.iter() {
            let pattern = rule.pattern.to_string();
            if is_wired(&pattern) || self.is_done_unseen(&pattern, journal.as_ref()) {
                continue;
            }
            let host = quote::word(&pattern);
            if let Some((tool, place)) = self.half_done(&pattern, journal.as_ref()) {
                checks.push(warning(
                    "rule",
                    format!("{pattern}: setup {tool} added this host rule, but {place}"),
                    format!("add what zitadel-credential setup {tool} {host} --dry-run prints"),
                ));
            } else {
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

/// Returns the journal of the setups with this config file.
fn journal(context: &Context<'_>) -> Option<Journal> {
    let config = context.config.path()?;
    let text = file::read(&config.with_file_name("setup.json")).ok()?;
    let config = std::path::absolute(config).ok()?;
    Journal::parse(&text, &config.to_string_lossy(), owns).ok()
}

/// True if a link of this kind on `PATH` resolves to this program.
fn has_link(context: &Context<'_>, place: Place) -> bool {
    links().any(|(link, _)| link.place == place && context.leads_here(link.name))
}
