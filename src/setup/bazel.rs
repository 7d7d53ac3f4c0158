//! Bazel: host rules. `.bazelrc` belongs to a workspace, and is left to a person.

use super::desk::{After, Desk};
use crate::cli::SetupHosts;
use crate::error::Error;

/// The name by which we answer Bazel.
const HELPER: &str = "bazel-credential-zitadel";

/// Adds the rules, and tells the lines that Bazel needs.
///
/// # Errors
/// A host is none, or a rule stands in the way.
pub(super) fn put_in<'d>(
    desk: &mut Desk<'d>,
    asked: &SetupHosts,
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
pub(super) fn take_out<'d>(
    desk: &mut Desk<'d>,
    asked: &SetupHosts,
) -> Result<Option<After<'d>>, Error> {
    let file = desk.config.name();
    desk.turn_out("bazel", &asked.hosts, &file, |_, _| Ok(()))?;
    if !desk.journal.has("bazel") {
        desk.says(format!("what names {HELPER} in .bazelrc stays"));
    }
    Ok(None)
}
