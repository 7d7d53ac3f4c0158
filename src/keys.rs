//! `key`: a service user's own keys at ZITADEL's user API.
//!
//! 1. Each call gets its own token for ZITADEL's own APIs: the token is not cached, and
//!    no other command sees it (`session.rs`).
//! 2. A new key pair is made here, and only its public half is uploaded
//!    (`source/key/pair.rs`).
//! 3. A key file is written in one step, after the key got a token; the started rotation
//!    is noted beside it (`renewal.rs`, `note.rs`).

mod advice;
mod args;
mod list;
mod note;
mod place;
mod remove;
mod renewal;
mod rotate;
mod session;

use std::time::Duration;

pub(crate) use args::{KeyAction, Keys};
use session::Session;

use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::Error;
use crate::text::clock::Deadline;

/// The default time limit of a call that waits for a new key to work.
const WAIT: Duration = Duration::from_secs(90);

/// Runs a subcommand.
///
/// # Errors
/// The subcommand failed; no key in use was removed.
pub(crate) fn keys(
    world: &World<'_>,
    config: &Config<'_>,
    options: &Options,
    args: &Keys,
) -> Result<Answer, Error> {
    let deadline = match args.action {
        KeyAction::Add(_) | KeyAction::Rotate(_) if !config.has_timeout() => Deadline::after(WAIT),
        _ => *config.deadline(),
    };
    let request = || session::request(config, deadline);
    match &args.action {
        KeyAction::List(list) => {
            let request = request()?;
            list::list(&Session::open(&request, world.clock, None)?, list.output)
        }
        KeyAction::Add(add) => rotate::add(world, &request()?, add),
        KeyAction::Rotate(args) => rotate::rotate(world, config, options, request()?, args),
        KeyAction::Remove(remove) => {
            let id = remove::wanted(world, &remove.id, remove.yes)?;
            let request = request()?;
            let session = Session::open(&request, world.clock, None)?;
            remove::remove(world, &session, &id, remove.yes)
        }
    }
}
