//! Bazel: host rules. `.bazelrc` belongs to a workspace, and is left to a person.

use std::collections::BTreeSet;

use crate::edit::entry::Edit;
use crate::edit::hosts::HostsArgs;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup, named};
use crate::error::Error;

/// The name by which we answer Bazel.
const HELPER: &str = "bazel-credential-zitadel";

// The arguments of `setup bazel`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupBazel {
    #[command(flatten)]
    args: HostsArgs,
}

impl Setup for SetupBazel {
    fn of_name(name: &str) -> Self {
        Self {
            args: HostsArgs::of(name),
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        named("HOST", &self.args.hosts)
    }

    /// Adds the rules, and prints the lines that Bazel needs.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        let hosts = plan.add_rules("bazel", &self.args.hosts, self.args.force, None, &file)?;
        // Bazel goes by the host, whatever the port.
        let scopes = hosts.iter().map(|host| host.pattern.without_port());
        plan.say("next, in .bazelrc:");
        for scope in scopes.collect::<BTreeSet<_>>() {
            plan.say(format!("common --credential_helper={scope}={HELPER}"));
        }
        plan.warn_of_path("Bazel", HELPER);
        plan.warn_of_config("Bazel");
        Ok(())
    }

    /// Undoes the rules.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        plan.undo_hosts("bazel", &self.args.hosts, &file, |_, _| Ok(()))?;
        if !plan.journal.has("bazel") {
            plan.say(format!("what names {HELPER} in .bazelrc stays"));
        }
        Ok(())
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(_: &str, edit: &Edit) -> bool {
    edit.is_host_rule()
}
