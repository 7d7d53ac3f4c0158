//! `setup`: writes a profile, and wires tools up to it.
//!
//! Each setup reads the files that it changes, says what they are to be, and
//! hands them to the [`desk`], which shows the difference (`--dry-run`) or makes
//! it, if they are still what was read: a copy of each file before the first
//! change, then `setup.json`, then the files, each in one step. `--undo` takes out what
//! `setup.json` says was put in. Doing it twice changes nothing.

mod acl;
mod bazel;
mod cargo;
mod carry;
mod copy;
mod desk;
mod diff;
mod docker;
mod fresh;
mod git;
mod go;
mod guard;
mod hosts;
mod journal;
mod json;
mod kubeconfig;
mod kubectl;
mod link;
mod names;
mod profile;
mod rules;
mod target;
mod terraform;
mod toml;
mod tool;

use crate::cli::{Options, SetupAction, SetupMode};
use crate::error::Error;
use crate::{Answer, World};
use desk::Desk;

/// Sets a profile or a tool up, or undoes that.
pub(crate) fn setup(
    world: &mut World<'_>,
    options: &Options,
    action: &SetupAction,
) -> Result<Answer, Error> {
    let mode = action.mode();
    // What was once put in can be taken out.
    if !mode.undo {
        names::check(options, action)?;
    }
    let mut options = options.clone();
    let told = beforehand(world, &mut options, action)?;
    let mut desk = Desk::open(world, &options, mode)?;
    for line in told {
        desk.says(line);
    }
    let after = match (action, mode.undo) {
        (SetupAction::Profile(asked), false) => profile::put_in(&mut desk, asked),
        (SetupAction::Profile(asked), true) => profile::take_out(&mut desk, asked),
        (SetupAction::Kubectl(asked), false) => kubectl::put_in(&mut desk, asked),
        (SetupAction::Kubectl(asked), true) => kubectl::take_out(&mut desk, asked),
        (SetupAction::Git(asked), false) => git::put_in(&mut desk, asked),
        (SetupAction::Git(asked), true) => git::take_out(&mut desk, asked),
        (SetupAction::Docker(asked), false) => docker::put_in(&mut desk, asked),
        (SetupAction::Docker(asked), true) => docker::take_out(&mut desk, asked),
        (SetupAction::Bazel(asked), false) => bazel::put_in(&mut desk, asked),
        (SetupAction::Bazel(asked), true) => bazel::take_out(&mut desk, asked),
        (SetupAction::Cargo(asked), false) => cargo::put_in(&mut desk, asked),
        (SetupAction::Cargo(asked), true) => cargo::take_out(&mut desk, asked),
        (SetupAction::Go(asked), false) => go::put_in(&mut desk, asked),
        (SetupAction::Go(asked), true) => go::take_out(&mut desk, asked),
        (SetupAction::Terraform(asked), false) => terraform::put_in(&mut desk, asked),
        (SetupAction::Terraform(asked), true) => terraform::take_out(&mut desk, asked),
    }?;
    desk.finish(after)
}

/// What takes its time, while no file is held yet: a person's answers, a token.
/// Whoever breaks off there leaves no lock behind.
fn beforehand(
    world: &World<'_>,
    options: &mut Options,
    action: &SetupAction,
) -> Result<Vec<String>, Error> {
    let mode = action.mode();
    if mode.undo {
        return Ok(Vec::new());
    }
    let look = SetupMode {
        dry_run: true,
        ..mode
    };
    let mut desk = Desk::open(world, options, look)?;
    match action {
        SetupAction::Profile(asked) => {
            profile::complete(&desk, world, asked, options)?;
            if mode.dry_run {
                return Ok(Vec::new());
            }
            let mut desk = Desk::open(world, options, look)?;
            profile::put_in(&mut desk, asked)?;
            Ok(vec![profile::prove(&desk, world, asked)?])
        }
        SetupAction::Kubectl(asked) if !mode.dry_run => {
            // What it would be refused for costs no request.
            kubectl::put_in(&mut desk, asked)?;
            Ok(kubectl::look_at_the_token(&desk, world))
        }
        _ => Ok(Vec::new()),
    }
}
