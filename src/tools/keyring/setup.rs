//! pip and uv: host rules, and the link by which both find this program as their keyring.
//! The link has a separate directory, because other programs have their own keyring.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::wiring::NETRC;
use crate::edit::check::is_path;
use crate::edit::entry::Edit;
use crate::edit::hosts::{LoginArgs, known};
use crate::edit::links::AT_LINK;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::trial::Trial;
use crate::error::Error;
use crate::text::quote;
use crate::text::quote::printable;

/// The link, below the home directory.
const LINK: &str = ".local/lib/zitadel-keyring/keyring";

// The arguments of `setup keyring`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupKeyring {
    #[command(flatten)]
    args: LoginArgs,
}

impl Setup for SetupKeyring {
    fn of_name(name: &str) -> Self {
        Self {
            args: LoginArgs::of(name),
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules and the link, and prints the calls.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        let username = self.args.username.as_ref();
        let hosts = plan.add_rules("keyring", &self.args.hosts, username, &file)?;
        let home = plan.directories.home.as_ref();
        let link = known(home.map(|home| home.join(LINK)), "pip", "HOME")?;
        plan.link_here(&link, &hosts)?;
        for host in &hosts {
            plan.warn_of_netrc(&NETRC, &host.pattern);
        }
        plan.warn_of_config("pip");
        for host in hosts.iter().filter_map(|host| host.pattern.single_host()) {
            plan.try_out(trial(plan, &link, host));
        }
        let mut useful = hosts.iter().filter(|host| host.pattern.service().is_none());
        let is_useful = useful.clone().next().is_some();
        let first = useful.find_map(|host| host.pattern.single_host());
        let username = username.map_or("__token__".into(), |name| name.to_string_lossy());
        let host = first.as_deref().unwrap_or("HOST");
        if is_useful {
            tell(plan, &link, &username, host);
        }
        Ok(())
    }

    /// Undoes the rules and the link.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let file = plan.config.name();
        plan.undo_hosts("keyring", &self.args.hosts.hosts, &file, |plan, edit| {
            plan.undo_link(edit);
            Ok(())
        })
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(_: &str, edit: &Edit) -> bool {
    if edit.key() != AT_LINK {
        return edit.is_host_rule();
    }
    edit.file.ends_with("/zitadel-keyring/keyring") && is_path(&edit.ours) && edit.former.is_none()
}

/// Returns the call that pip makes for an index at a host.
fn trial(plan: &Plan<'_>, link: &Path, host: String) -> Trial {
    let mut command = Command::new(link);
    command.args(["--mode=creds", "--output=json", "get"]);
    command.arg(format!("https://{host}/simple/"));
    if plan.options.config.is_some() {
        command.env("ZITADEL_CREDENTIAL_CONFIG", plan.config.path());
    }
    Trial {
        tool: "keyring",
        undo: vec![host.clone()],
        host,
        call: "keyring get",
        command,
        input: String::new(),
        only_warns: false,
        read: |answer| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let text = |key: &str| answer[key].as_str().map(ToOwned::to_owned);
            text("password").and(text("username")).ok_or(None)
        },
    }
}

/// Prints the calls of pip and uv.
fn tell(plan: &mut Plan<'_>, link: &Path, username: &str, host: &str) {
    let dir = link.parent().map(PathBuf::from).unwrap_or_default();
    plan.say_next("next, with pip 23 or later, and the same with uv pip install:");
    plan.say_next(format!("PATH={}:$PATH \\", printable(&quote::word(&dir))));
    plan.say_next("  pip install PACKAGE --keyring-provider subprocess \\");
    plan.say_next(format!(
        "  --index-url https://{}@{}/simple/",
        quote::path(username),
        quote::path(host)
    ));
}
