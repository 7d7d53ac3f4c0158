//! `setup`: writes a profile, and wires tools up to it.
//!
//! Each setup reads the files that it changes, says what they are to be, and
//! hands them to the [`desk`](crate::edit::desk), which shows the difference
//! (`--dry-run`) or makes it, if they are still what was read: a copy of each file
//! before the first change, then `setup.json`, then the files, each in one step.
//! `--undo` takes out what `setup.json` says was put in. Doing it twice changes
//! nothing.

mod names;
mod profile;

use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::edit::desk::Desk;
use crate::edit::journal::Edit;
use crate::edit::setup::{Mode, Setup};
use crate::error::Error;
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

/// Sets a profile or a tool up, or undoes that.
pub(crate) fn setup(
    world: &mut World<'_>,
    options: &Options,
    asked: &dyn Setup,
) -> Result<Answer, Error> {
    let mode = asked.mode();
    if mode.undo {
        let mut desk = Desk::open(world, options, mode, owns)?;
        let after = asked.undo(&mut desk)?;
        return desk.finish(after);
    }
    names::check(options, asked)?;
    let mut options = options.clone();
    let told = look_ahead(world, &mut options, asked)?;
    let mut desk = Desk::open(world, &options, mode, owns)?;
    for line in told {
        desk.says(line);
    }
    let after = asked.apply(&mut desk)?;
    desk.finish(after)
}

/// What takes its time, while no file is locked yet: a person's answers, a token.
/// Breaking off there leaves no lock behind.
fn look_ahead(
    world: &World<'_>,
    options: &mut Options,
    asked: &dyn Setup,
) -> Result<Vec<String>, Error> {
    let look = Mode {
        dry_run: true,
        undo: false,
    };
    let desk = Desk::open(world, options, look, owns)?;
    asked.complete(world, &desk, options)?;
    if asked.mode().dry_run {
        return Ok(Vec::new());
    }
    let mut desk = Desk::open(world, options, look, owns)?;
    asked.look_ahead(world, &mut desk)
}
