//! `setup`: writes a profile, and wires tools up to it.
//!
//! Each setup puts what it changes into a [`plan`](crate::edit::plan), which shows it
//! (`--dry-run`) or applies it, if the files are still what was read: a backup of each
//! file before the first change, then `setup.json`, then the files. git and kubectl
//! write theirs themselves. `--undo` removes what `setup.json` says was put in.
//! Doing it twice changes nothing.

mod names;
mod profile;

use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::edit::entry::Edit;
use crate::edit::plan::{Mode, Plan};
use crate::edit::setup::Setup;
use crate::error::Error;
use crate::sys::{process, signals, temporary};
use crate::tools::row::SetupRow;
use crate::tools::{self, TOOLS};

/// Returns all setups, each with its name.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static SetupRow)> {
    let tools = TOOLS
        .iter()
        .filter_map(|tool| Some((tool.name, tool.setup.as_ref()?)));
    std::iter::once((profile::NAME, &profile::ROW)).chain(tools)
}

/// True if a setup, by its name in `setup.json`, makes such an edit.
pub(crate) fn owns(setup: &str, edit: &Edit) -> bool {
    match setup.split_once(' ') {
        Some((profile::NAME, of)) => (profile::ROW.owns)(of, edit),
        _ => tools::owns(setup, edit),
    }
}

/// Ends the tool that runs, which could write its copy again, and removes copies and
/// empty directories.
fn clean_up() {
    process::end_running();
    temporary::remove_created();
}

/// Sets a profile or a tool up, or undoes that.
pub(crate) fn setup(
    world: &World<'_>,
    options: &Options,
    mode: Mode,
    asked: &dyn Setup,
) -> Result<Answer, Error> {
    if let Err(error) = signals::clean_up_first(clean_up) {
        log::debug!("signals end a setup without cleaning up: {error}");
    }
    if mode.undo {
        let mut plan = Plan::open(world, options, mode, owns)?;
        asked.undo(&mut plan)?;
        return plan.finish();
    }
    names::check(options, asked)?;
    let mut options = options.clone();
    // A person may take long to answer: nothing is locked yet.
    let look = Mode {
        dry_run: true,
        undo: false,
    };
    let unlocked = Plan::open(world, &options, look, owns)?;
    asked.complete(world, &unlocked.config()?, &mut options)?;
    drop(unlocked);
    let mut plan = Plan::open(world, &options, mode, owns)?;
    asked.apply(&mut plan)?;
    let lines = if mode.dry_run {
        asked.preview(world, &plan)
    } else {
        asked.prove(world, &plan)?
    };
    plan.say_first(lines);
    plan.finish()
}
