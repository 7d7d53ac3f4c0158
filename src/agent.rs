//! `agent`: keeps a fresh token in files until a signal ends it.
//!
//! 1. Each token comes from the broker and the cache, as in every other command,
//!    and each time the agent reads the configuration and the key again. Many agents
//!    on one cache mint once.
//! 2. Before the first file is written, a permanent error ends the agent: the person
//!    who starts it is there to read the error. A temporary error is retried.
//! 3. After that, only a signal ends it. When somebody restores a deleted key, the
//!    programs that read the files work again without a restart. The agent leaves
//!    an expired token in the files: the server's refusal explains more than an
//!    empty file.
//! 4. The log reports each problem once, and its end.

mod keeper;
pub mod kubernetes;
mod pace;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use keeper::{Fetched, Keeper, in_a_line};
use kubernetes::Secrets;

use crate::broker::Broker;
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, Options};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::source::Source;
use crate::sys::handle::{ProcessHandle, reap_orphans};
use crate::sys::notify::Manager;
use crate::sys::signals;
use crate::sys::signals::Ending;
use crate::sys::status::Status;
use crate::text::logger;
use crate::text::quote::system;
use crate::token_file;

#[derive(Args, Debug)]
pub(crate) struct Agent {
    /// File to keep fresh, with mode 0600 and replaced in one step; may be
    /// repeated
    #[arg(long, required_unless_present = "kubernetes_secret",
          value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Vec<PathBuf>,
    #[command(flatten)]
    secrets: kubernetes::Args,
    /// Process that gets SIGHUP after each replacement, to read the file again
    #[arg(long, value_name = "PID",
          value_parser = clap::value_parser!(i32).range(1..))]
    pub signal: Option<i32>,
    /// Write the files once, then exit
    #[arg(long)]
    pub once: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// Runs the agent. `load` reads the configuration; its argument is true until there
/// is a token, and `--refresh` applies only then.
pub(crate) fn agent<'c>(
    world: &World<'_>,
    load: &dyn Fn(bool) -> Result<Config<'c>, Error>,
    args: &Agent,
) -> Result<Answer, Error> {
    let ending = if args.once {
        Ending::CutOff
    } else {
        Ending::Done
    };
    ending.on_signals().map_err(|error| {
        let what = format!("cannot install signal handlers: {}", system(&error));
        Error::Final(Report::new(what))
    })?;
    let reader = args.signal.map(reader_of).transpose()?;
    let socket = (world.environment)("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
    let manager = socket.as_deref().and_then(Manager::at);
    let files = args.write.iter();
    let files = files.map(|path| world.directories.located("--write", path));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let mut keeper = Keeper::new(&files);
    let mut secrets = Secrets::new(world.environment, &args.secrets)?;
    let mut reported = String::new();
    logger::each_once();
    loop {
        let is_first = !keeper.has_token();
        let mut outcome = keeper.round(
            world.clock,
            &mut fastrand::f64,
            &mut || fetch(world, &load(is_first)?, args, &files, &secrets),
            &mut |path, text| signals::whole(|| token_file::write(path, text)),
        );
        if outcome.has_replaced
            && let Some(reader) = &reader
            && let Err(error) = reader.hang_up()
        {
            log::warn!("--signal: {}", system(&error));
        }
        let failed = secrets.apply(keeper.token());
        let is_last = |error| !secrets.has_applied() && !keeper.continues_after(error);
        if args.once
            || outcome.errors.iter().any(is_last)
            || (secrets.has_given_up() && failed.iter().any(is_last))
        {
            let mut errors = outcome.errors.drain(..).chain(failed);
            if let Some(first) = errors.next() {
                for other in errors {
                    log::warn!("{}", in_a_line(&other));
                }
                return Err(first);
            }
        }
        if !args.once {
            keeper.report(&outcome, (world.clock)());
            secrets.report();
        }
        let status = secrets.status(&keeper.status());
        // Sent again until it arrives: without READY=1, the service manager would
        // wait for ever.
        if status != reported
            && manager
                .as_ref()
                .is_some_and(|manager| manager.tell(&status))
        {
            reported = status;
        }
        if args.once || signals::asked() {
            return Ok(Answer::new(""));
        }
        reap_orphans();
        secrets.sleep(outcome.sleep, &keeper)?;
    }
}

fn reader_of(pid: i32) -> Result<ProcessHandle, Error> {
    if pid.cast_unsigned() == std::process::id() {
        let what = format!("--signal {pid}: this is the agent's own process");
        return Err(Error::Usage(
            Report::new(what).hint("give the PID of the process that reads the file"),
        ));
    }
    ProcessHandle::open(pid).map_err(|error| {
        let what = format!("--signal {pid}: {}", system(&error));
        Error::Usage(Report::new(what).hint("give the PID of a running process"))
    })
}

fn fetch(
    world: &World<'_>,
    config: &Config<'_>,
    args: &Agent,
    files: &[PathBuf],
    secrets: &Secrets<'_>,
) -> Result<Fetched, Error> {
    let request = config.request(Asker::default())?;
    for path in files {
        token_file::refuse_ours(path, config)?;
    }
    if !args.once && is_pipe(&request.source) {
        let what = format!("{}: a pipe can be read only once", request.source);
        return Err(Error::Usage(Report::new(what).hint(
            "name a regular file, or set a command in the profile: the agent reads it for each token",
        )));
    }
    let broker = Broker::new(&request, world.clock)?;
    secrets.configure(config, &broker.grant().user_id)?;
    let token = broker.token()?;
    Ok(Fetched {
        token,
        failed_renewal: broker.failed_renewal(),
    })
}

/// True if the source's file is a pipe, as with `<(…)`.
fn is_pipe(source: &Source) -> bool {
    let file = source.file();
    file.is_some_and(|path| Status::of(path).is_ok_and(|status| status.is_pipe()))
}
