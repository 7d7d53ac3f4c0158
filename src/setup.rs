//! `setup`: writes a profile, and configures tools to use it.
//!
//! Each setup puts its changes into a [`plan`](crate::edit::plan), which shows them
//! (`--dry-run`) or applies them if no file has changed since it was read: a backup of
//! each file before the first change, then `setup.json`, then the files. git and kubectl
//! write their own files. `--undo` removes the edits in `setup.json`. A second run
//! changes nothing.

pub(crate) mod all;
mod answers;
mod ending;
mod key_place;
mod names;
mod needs;
mod profile;
mod proof;
mod row;
mod values;
mod wizard;

pub(crate) use row::{owns, rows};

use crate::call::{Answer, World};
use crate::cli::options::{ListOutput, Options};
use crate::edit::plan::{Mode, Plan};
use crate::edit::setup::Setup;
use crate::error::Error;
use crate::sys::{process, signals, temporary};

/// A request to `setup`.
#[derive(Debug)]
pub(crate) enum Asked {
    /// One setup, or its undo.
    One(Box<dyn Setup>),
    /// A list of the current setups.
    List(ListOutput),
    /// The undo of all setups.
    Undo,
}

/// Answers a call of `setup`.
pub(crate) fn answer(
    world: &mut World<'_>,
    options: &Options,
    mode: Mode,
    asked: &Asked,
) -> Result<Answer, Error> {
    match asked {
        Asked::One(setup) => one(world, options, mode, &**setup),
        Asked::List(output) => all::list(world, options, *output),
        Asked::Undo => {
            clean_up_on_signals();
            all::undo(world, options, mode)
        }
    }
}

/// Stops the running tool, which could write its copy again, and removes copies and empty
/// directories.
fn clean_up() {
    process::end_running();
    temporary::remove_created();
}

fn clean_up_on_signals() {
    if let Err(error) = signals::clean_up_first(clean_up) {
        log::debug!("signals end a setup without cleaning up: {error}");
    }
}

/// Returns the setup that asks the user for a profile.
pub(crate) fn wizard() -> Box<dyn Setup> {
    Box::new(profile::SetupProfile::default())
}

/// Sets up a profile or a tool, or undoes its setup.
fn one(
    world: &World<'_>,
    options: &Options,
    mode: Mode,
    asked: &dyn Setup,
) -> Result<Answer, Error> {
    clean_up_on_signals();
    if mode.undo {
        let mut plan = Plan::open(world, options, mode, owns)?;
        asked.undo(&mut plan)?;
        return plan.finish();
    }
    names::check(options, asked)?;
    let mut options = options.clone();
    // The user may take long to answer: no lock is taken yet.
    let look = Mode {
        dry_run: true,
        ..Mode::default()
    };
    let unlocked = Plan::open(world, &options, look, owns)?;
    asked.complete(world, &unlocked.config()?, &mut options)?;
    drop(unlocked);
    loop {
        let mut plan = Plan::open(world, &options, mode, owns)?;
        asked.apply(&mut plan)?;
        let proof = if mode.no_try {
            Ok(Vec::new())
        } else if mode.dry_run {
            Ok(asked.preview(world, &plan))
        } else {
            asked.prove(world, &plan)
        };
        let error = match proof {
            Ok(lines) => {
                plan.say_first(lines);
                return plan.finish();
            }
            Err(error) => error,
        };
        // No file is written yet, and the user may take long: no lock is held.
        drop(plan);
        asked.ask_again(world, error, &mut options)?;
    }
}
