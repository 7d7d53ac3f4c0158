//! `doctor`: every step on the way to a token, each tried and told on its own,
//! so that the first one that fails is seen for what it is. It changes nothing
//! and shows no secret.
//!
//! A check stands after those that it needs; where one of them failed it is
//! skipped, and says so.

mod cache;
mod host;
mod issuer;
mod jwt;
mod key;
mod programs;
mod token;
mod wiring;

use std::time::Duration;

use clap::Args;
use log::LevelFilter;
use wiring::Wirings;

use crate::broker::Broker;
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, ListOutput, Options};
use crate::config::{Asker, Config, Directories};
use crate::error::Error;
use crate::findings as check;
use crate::findings::wiring::Look;
use crate::findings::{Checks, about};
use crate::host::Ask;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::quote;

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// A host or URL: whether it gets a token, and why not; its profile is the
    /// one that is checked
    #[arg(value_name = "HOST")]
    pub host_asked: Option<String>,
    /// How the findings are shown
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// The most that one program of others may take; less where `--timeout` is less.
const PROGRAM: Duration = Duration::from_secs(5);

pub(crate) fn doctor(
    world: &World<'_>,
    config: Result<Config<'_>, Error>,
    options: &Options,
    directories: &Directories,
    asked: &Doctor,
) -> Answer {
    if log::max_level() <= LevelFilter::Warn {
        // What would be warned of is a finding here.
        log::set_max_level(LevelFilter::Off);
    }
    let mut checks = Checks::default();
    let nothing = Options::default();
    let config = match config {
        Ok(config) => {
            checks.push(file(&config));
            Some(config)
        }
        Err(error) => {
            checks.push(about("config", &error));
            None
        }
    };
    let is_read = config.is_some();
    // Flags and environment alone; without them where they are what is wrong.
    let config = config
        .or_else(|| Config::without_file(options, world.environment, directories).ok())
        .or_else(|| Config::without_file(&nothing, &|_| None, directories).ok());
    let Some(config) = config else {
        return answer(world, &checks, asked);
    };
    let ask = asked.host_asked.as_deref().map(Ask::typed);
    let rule = match &ask {
        Some(Some(ask)) => config
            .rules()
            .find(&ask.origin, ask.username.as_deref())
            .ok(),
        _ => None,
    };
    let whose = || Asker {
        rule,
        ..Asker::default()
    };
    let request = config.request(whose());
    let profile = config.profile_for(&whose());
    let key = key::check(&mut checks, &request, profile.as_deref(), is_read, world);
    let broker = request.as_ref().ok().zip(key).map(|(request, key)| {
        let (id, user) = (key.id.clone(), key.user.clone());
        // Read again to sign, so that none lies in memory while others are
        // waited for; but from a pipe there is nothing more to read.
        let kept = request.key.source.is_read_once().then_some(key);
        Broker::of(request, world.clock, id, user, kept)
    });
    let broker = broker.as_ref();
    // Others' programs are given a part of the time, whatever they do.
    let soon = || Deadline::after((config.deadline().remaining() / 4).min(PROGRAM));
    let wiring = Wirings::read(world, directories, &soon);
    programs::check(&mut checks, world, &wiring, &soon());
    let endpoints = issuer::check(&mut checks, &request, world);
    let has_token = token::check(&mut checks, broker, endpoints, &wiring);
    cache::check(&mut checks, &config, broker, world);
    let look = Look {
        config: &config,
        is_read,
        environment: world.environment,
        program: world.program,
        directories,
    };
    wiring.check(&mut checks, &look);
    if let (Some(ask), Some(text)) = (ask, &asked.host_asked) {
        let config = is_read.then_some(&config);
        host::check(&mut checks, config, &wiring, has_token, text, ask);
    }
    answer(world, &checks, asked)
}

/// `config`: the file was read.
fn file(config: &Config<'_>) -> check::Check {
    let Some(path) = config.path() else {
        return check::ok(
            "config",
            "no home directory is known: flags and environment alone",
        );
    };
    let shown = quote::path(path);
    let Ok(status) = Status::of(path) else {
        return check::ok(
            "config",
            format!("there is no {shown}: flags and environment alone"),
        );
    };
    if status.is_writable_by_others() {
        return check::warning(
            "config",
            format!("{shown}: others can write to it ({})", status.shown_mode()),
            format!("chmod go-w {}", quote::word(path)),
        );
    }
    let rules = config.rules().iter().count();
    check::ok(
        "config",
        format!(
            "{shown}: profiles: {}, host rules: {rules}",
            config.profile_names().count()
        ),
    )
}

fn answer(world: &World<'_>, checks: &Checks, asked: &Doctor) -> Answer {
    let text = match asked.output {
        ListOutput::Json => checks.json(),
        ListOutput::Text => checks.text((world.terminal)().has_colour(world.environment)),
    };
    Answer::new(text).with_code(u8::from(checks.any_failed()))
}
