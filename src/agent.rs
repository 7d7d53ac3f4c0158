//! `agent`: keeps a fresh token in files until a signal ends it.
//!
//! 1. Each token comes from the broker and the cache, as in every other command, and each
//!    time the agent reads the configuration and the key again. Many agents with one
//!    cache mint once.
//! 2. Before the first file is written, a permanent error ends the agent: the user who
//!    starts it can read the error. A temporary error is retried.
//! 3. After that, only a signal ends it. If a deleted key is restored, the programs that
//!    read the files work again without a restart. The agent leaves an expired token in
//!    the files: the server's refusal explains more than an empty file.
//! 4. The log reports the start and the end of each problem once.

mod check;
mod keeper;
mod key_end;
pub mod kubernetes;
mod metrics;
mod pace;

use std::path::PathBuf;

pub(crate) use check::check;
use clap::{Args, ValueHint};
use keeper::{Fetched, Keeper, in_a_line};
use key_end::KeyEnd;
use kubernetes::Secrets;
use metrics::Metrics;

use crate::broker::Broker;
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, Options};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::sys::handle::{ProcessHandle, reap_orphans};
use crate::sys::notify::Manager;
use crate::sys::signals;
use crate::sys::signals::Ending;
use crate::text::logger;
use crate::text::quote::{self, system};
use crate::token_file;
use crate::token_file::access::AccessArgs;

#[derive(Args, Debug)]
pub(crate) struct Agent {
    /// File to keep fresh, replaced atomically; may be repeated
    #[arg(long, required_unless_present_any = ["check", "kubernetes_secret"], value_name = "FILE",
          value_hint = ValueHint::FilePath)]
    pub write: Vec<PathBuf>,
    #[command(flatten)]
    secrets: kubernetes::Args,
    #[command(flatten)]
    pub access: AccessArgs,
    /// File for metrics in Prometheus' text format (NAME.prom for the textfile
    /// collector), without a secret and of mode 0644
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub metrics_file: Option<PathBuf>,
    /// Process that gets SIGHUP after each replacement, to read the file again
    #[arg(long, value_name = "PID",
          value_parser = clap::value_parser!(i32).range(1..))]
    pub signal: Option<i32>,
    /// Write the files once, then exit
    #[arg(long)]
    pub once: bool,
    /// Exit with 0 if this file's token has not expired, by the agent's note beside
    /// it, instead of writing files; needs no network; may be repeated
    #[arg(long, conflicts_with_all = ["write", "kubernetes_secret", "mode", "metrics_file", "signal", "once"], value_name = "FILE",
          value_hint = ValueHint::FilePath)]
    pub check: Vec<PathBuf>,
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
    let access = args.access.access()?;
    let mut metrics = metrics_of(world, args, &files)?;
    let key_end = KeyEnd::default();
    let mut keeper = Keeper::new(&files, access);
    let mut secrets = Secrets::new(world.environment, &args.secrets)?;
    let mut reported = String::new();
    logger::each_once();
    loop {
        let is_first = !keeper.has_token();
        let mut outcome = keeper.round(
            world.clock,
            &mut fastrand::f64,
            &mut || {
                fetch(
                    world,
                    &load(is_first)?,
                    args,
                    &files,
                    metrics.as_ref(),
                    &key_end,
                    &secrets,
                )
            },
            &mut |path, token| {
                let now = (world.clock)();
                signals::whole(|| token_file::write_noted(path, token, &access, now))
            },
        );
        key_end.look_again(load, world.environment);
        // Precedes the metrics, so that their readers find the warning in the log.
        key_end.tell((world.clock)());
        if outcome.has_replaced
            && let Some(reader) = &reader
            && let Err(error) = reader.hang_up()
        {
            log::warn!("--signal: {}", system(&error));
        }
        let failed = secrets.apply(keeper.token());
        if let Some(metrics) = &mut metrics {
            let (now, token) = ((world.clock)(), keeper.token());
            let applied = secrets.applied(token);
            metrics.count(&outcome, &applied, token, key_end.expires_at(), now);
            metrics.write(now);
        }
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
        // Sent again until it arrives: without READY=1, the service manager would wait
        // for ever.
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

/// Returns the metrics of `--metrics-file`.
fn metrics_of(
    world: &World<'_>,
    args: &Agent,
    files: &[PathBuf],
) -> Result<Option<Metrics>, Error> {
    let Some(path) = &args.metrics_file else {
        return Ok(None);
    };
    let path = world.directories.located("--metrics-file", path)?;
    if files.iter().any(|file| token_file::is_same(file, &path)) {
        let what = format!(
            "{}: both a token's and the metrics' file",
            quote::path(&path)
        );
        let hint = "choose another file for --metrics-file";
        return Err(Error::Usage(Report::new(what).hint(hint)));
    }
    let secrets = &args.secrets.kubernetes_secret;
    Ok(Some(Metrics::new(path, files, secrets)))
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
    metrics: Option<&Metrics>,
    key_end: &KeyEnd,
    secrets: &Secrets<'_>,
) -> Result<Fetched, Error> {
    if let Some(metrics) = metrics {
        metrics.allow(config)?;
    }
    let mut request = config.request(Asker::default())?;
    request.source.leave_end_to_caller();
    for path in files {
        token_file::refuse_ours(path, config, "the token")?;
    }
    if !args.once && request.source.is_pipe() {
        let what = format!("{}: a pipe can be read only once", request.source);
        return Err(Error::Usage(Report::new(what).hint(
            "name a regular file, or set a command in the profile: the agent reads it for each token",
        )));
    }
    let broker = Broker::new(&request, world.clock)?;
    secrets.configure(config)?;
    let token = broker.token();
    if let Some(metrics) = metrics.filter(|_| broker.is_shared()) {
        metrics.count_shared(broker.shared_use());
    }
    key_end.note(&request, &broker);
    let token = token?;
    secrets.set_user(broker.username(&token));
    Ok(Fetched {
        token,
        failed_renewal: broker.failed_renewal(),
    })
}
