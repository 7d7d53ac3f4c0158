//! Bazel: host rules. `.bazelrc` belongs to a workspace, and is left to a person.

use crate::cli::options::Options;
use crate::edit::desk::{After, Desk};
use crate::edit::journal::Edit;
use crate::edit::setup::{HostsArgs, Mode, Setup, names};
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

    fn apply<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        put_in(desk, &self.asked)
    }

    fn undo<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        take_out(desk, &self.asked)
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let _ = of;
    edit.is_host_rule()
}

/// Adds the rules, and tells the lines that Bazel needs.
///
/// # Errors
/// A host is none, or a rule stands in the way.
pub(crate) fn put_in<'d>(
    desk: &mut Desk<'d>,
    asked: &HostsArgs,
) -> Result<Option<After<'d>>, Error> {
    let file = desk.config.name();
    let hosts = desk.let_in("bazel", &asked.hosts, None, &file)?;
    // Bazel goes by the host, whatever the port.
    let mut scopes: Vec<_> = hosts
        .iter()
        .map(|host| host.pattern.without_port())
        .collect();
    scopes.sort();
    scopes.dedup();
    desk.says("next, in .bazelrc:");
    for scope in scopes {
        desk.says(format!("common --credential_helper={scope}={HELPER}"));
    }
    desk.warn_of_path("Bazel", HELPER);
    desk.warn_of_config("Bazel");
    Ok(None)
}

/// Takes the rules out.
///
/// # Errors
/// A host is none.
pub(crate) fn take_out<'d>(
    desk: &mut Desk<'d>,
    asked: &HostsArgs,
) -> Result<Option<After<'d>>, Error> {
    let file = desk.config.name();
    desk.turn_out("bazel", &asked.hosts, &file, |_, _| Ok(()))?;
    if !desk.journal.has("bazel") {
        desk.says(format!("what names {HELPER} in .bazelrc stays"));
    }
    Ok(None)
}
