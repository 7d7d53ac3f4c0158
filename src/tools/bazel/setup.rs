//! Bazel: host rules. `.bazelrc` belongs to a workspace, and is left to a person.

use crate::cli::options::Options;
use crate::edit::entry::Edit;
use crate::edit::plan::{After, Mode, Plan};
use crate::edit::setup::{HostsArgs, Setup, names};
use crate::error::Error;

/// The name by which we answer Bazel.
const HELPER: &str = "bazel-credential-zitadel";

// The arguments of `setup bazel`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupBazel {
    #[command(flatten)]
    asked: HostsArgs,
}

impl Setup for SetupBazel {
    fn options(&mut self) -> &mut Options {
        &mut self.asked.options
    }

    fn mode(&self) -> Mode {
        self.asked.mode
    }

    fn names(&self) -> Vec<(&'static str, &std::ffi::OsStr)> {
        names("HOST", &self.asked.hosts).collect()
    }

    fn apply<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error> {
        apply(plan, &self.asked)
    }

    fn undo<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error> {
        undo(plan, &self.asked)
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let _ = of;
    edit.is_host_rule()
}

/// Adds the rules, and prints the lines that Bazel needs.
///
/// # Errors
/// A host is invalid, or a rule stands in the way.
pub(crate) fn apply<'d>(
    plan: &mut Plan<'d>,
    asked: &HostsArgs,
) -> Result<Option<After<'d>>, Error> {
    let file = plan.config.name();
    let hosts = plan.add_rules("bazel", &asked.hosts, None, &file)?;
    // Bazel goes by the host, whatever the port.
    let mut scopes: Vec<_> = hosts
        .iter()
        .map(|host| host.pattern.without_port())
        .collect();
    scopes.sort();
    scopes.dedup();
    plan.say("next, in .bazelrc:");
    for scope in scopes {
        plan.say(format!("common --credential_helper={scope}={HELPER}"));
    }
    plan.warn_of_path("Bazel", HELPER);
    plan.warn_of_config("Bazel");
    Ok(None)
}

/// Undoes the rules.
///
/// # Errors
/// A host is invalid.
pub(crate) fn undo<'d>(plan: &mut Plan<'d>, asked: &HostsArgs) -> Result<Option<After<'d>>, Error> {
    let file = plan.config.name();
    plan.undo_hosts("bazel", &asked.hosts, &file, |_, _| Ok(()))?;
    if !plan.journal.has("bazel") {
        plan.say(format!("what names {HELPER} in .bazelrc stays"));
    }
    Ok(None)
}
