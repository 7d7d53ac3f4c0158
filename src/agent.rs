//! `agent`: stays, and keeps files with a fresh token in them.
//!
//! 1. Each token is got as every call gets one: through the broker and the cache,
//!    by the configuration and the key as they are then. Many agents on one cache
//!    mint once.
//! 2. Before the first file is written, what fails and will fail again ends it:
//!    whoever set it up is there to see it. What may pass is waited for.
//! 3. From then on nothing ends it but a signal. A key that was deleted is put
//!    right by somebody, and programs that read the files shall find it so without
//!    a restart. The files keep what they hold, also a token that has run out: to
//!    take it away would tell a reader less than the server does.
//! 4. A spell of trouble is told once, and its end.

mod keeper;
mod pace;

use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueHint};
use keeper::{Fetched, Keeper, in_a_line};

use crate::broker::Broker;
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, Options};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::source::key::spec::{KeySource, KeySpec};
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
    /// A file to keep fresh, of mode 0600 and replaced in one step; may be
    /// repeated
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Vec<PathBuf>,
    /// A process that gets SIGHUP after each replacement, so that it reads anew
    #[arg(long, value_name = "PID",
          value_parser = clap::value_parser!(i32).range(1..))]
    pub signal: Option<i32>,
    /// Write the files once, and end
    #[arg(long)]
    pub once: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// Keeps the files. `load` reads the configuration, and heeds `--refresh` where it
/// is told that there is no token yet.
pub(crate) fn agent<'c>(
    world: &World<'_>,
    load: &dyn Fn(bool) -> Result<Config<'c>, Error>,
    asked: &Agent,
) -> Result<Answer, Error> {
    let ending = if asked.once {
        Ending::CutOff
    } else {
        Ending::Done
    };
    ending.on_signals().map_err(|error| {
        let what = format!("signals cannot be waited for: {}", system(&error));
        Error::Final(Report::new(what))
    })?;
    let reader = asked.signal.map(reader_of).transpose()?;
    let socket = (world.environment)("NOTIFY_SOCKET").filter(|socket| !socket.is_empty());
    let manager = socket.as_deref().and_then(Manager::at);
    let mut keeper = Keeper::new(&asked.write);
    let mut told = String::new();
    logger::each_once();
    loop {
        let is_first = !keeper.holds_any();
        let mut round = keeper.round(
            world.clock,
            &mut fastrand::f64,
            &mut || fetch(world, &load(is_first)?, asked),
            &mut |path, text| signals::whole(|| token_file::write(path, text)),
        );
        if round.has_replaced
            && let Some(reader) = &reader
            && let Err(error) = reader.hang_up()
        {
            log::warn!("--signal: {}", system(&error));
        }
        let is_last = |error| !keeper.goes_on_after(error);
        let ends = asked.once || round.trouble.iter().any(is_last);
        if ends && !round.trouble.is_empty() {
            let first = round.trouble.remove(0);
            for other in &round.trouble {
                log::warn!("{}", in_a_line(other));
            }
            return Err(first);
        }
        if !asked.once {
            keeper.tell(&round, (world.clock)());
        }
        let status = keeper.status();
        // A manager that was not heard by, at boot, say, would wait for ever.
        if status != told
            && manager
                .as_ref()
                .is_some_and(|manager| manager.tell(&status))
        {
            told = status;
        }
        if asked.once || signals::asked() {
            return Ok(Answer::new(""));
        }
        reap_orphans();
        thread::sleep(round.sleep);
    }
}

fn reader_of(pid: i32) -> Result<ProcessHandle, Error> {
    if pid.cast_unsigned() == std::process::id() {
        let what = format!("--signal {pid}: that is this process itself");
        return Err(Error::Usage(
            Report::new(what).hint("it names the process that reads the file"),
        ));
    }
    ProcessHandle::open(pid).map_err(|error| {
        let what = format!("--signal {pid}: {}", system(&error));
        Error::Usage(Report::new(what).hint("it names a process that runs"))
    })
}

fn fetch(world: &World<'_>, config: &Config<'_>, asked: &Agent) -> Result<Fetched, Error> {
    let request = config.request(Asker::default())?;
    for path in &asked.write {
        token_file::refuse_ours(path, config)?;
    }
    if !asked.once && is_pipe(&request.key) {
        let what = format!("{}: it can be read only once", request.key.source);
        return Err(Error::Usage(Report::new(what).hint(
            "the agent reads the key for each token: name a file, or key-command in a profile",
        )));
    }
    let broker = Broker::new(&request, world.clock)?;
    let token = broker.token()?;
    Ok(Fetched {
        token,
        put_off: broker.put_off(),
    })
}

/// Whether the key is on a pipe, as `<(…)` is.
fn is_pipe(key: &KeySpec) -> bool {
    let KeySource::File(path) = &key.source else {
        return false;
    };
    Status::of(path).is_ok_and(|status| status.is_pipe())
}
