//! Bazel: host rules. `.bazelrc` belongs to a workspace, and the user edits it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::wiring::LINK;
use crate::edit::entry::Edit;
use crate::edit::hosts::HostsArgs;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::trial::Trial;
use crate::error::Error;

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
        self.args.names()
    }

    /// Adds the rules, and prints the lines that Bazel needs.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        let hosts = plan.add_rules("bazel", &self.args, None, &file)?;
        // Bazel's scopes are hosts without a port.
        let scopes = hosts.iter().map(|host| host.pattern.without_port());
        plan.say_next("next, in .bazelrc:");
        for scope in scopes.collect::<BTreeSet<_>>() {
            plan.say_next(format!("common --credential_helper={scope}={LINK}"));
        }
        for host in hosts.iter().filter_map(|host| host.pattern.single_host()) {
            if let Some(mut command) = plan.helper(LINK) {
                command.arg("get");
                plan.try_out(Trial {
                    tool: "bazel",
                    undo: vec![host.clone()],
                    call: "bazel-credential-zitadel get",
                    command,
                    input: json!({ "uri": format!("https://{host}/") }).to_string(),
                    host,
                    only_warns: false,
                    read: |answer| {
                        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
                        let header = answer["headers"]["Authorization"][0].as_str();
                        header.map(|_| String::new()).ok_or(None)
                    },
                });
            }
        }
        plan.warn_of_path("Bazel", LINK);
        plan.warn_of_config("Bazel");
        Ok(())
    }

    /// Undoes the rules.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        plan.undo_hosts("bazel", &self.args.hosts, &file, |_, _| Ok(()))?;
        if !plan.journal.has("bazel") {
            plan.say(format!("if you added {LINK} to .bazelrc, remove its entry"));
        }
        Ok(())
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(_: &str, edit: &Edit) -> bool {
    edit.is_host_rule()
}
