//! `doctor`: tests each step on the way to a token and reports it separately, so that the
//! user sees which step fails first. It changes nothing and shows no secret.
//!
//! Each check comes after the checks that it needs, and is skipped if one of them failed.

mod cache;
mod host;
mod issuer;
mod netrc;
mod programs;
mod shared;
mod source;
mod token;
mod wiring;

use std::time::Duration;

use clap::Args;
use log::LevelFilter;
use wiring::Wirings;

use crate::call::{Answer, World};
use crate::cli::options::{EVERY, ListOutput, Options};
use crate::config::{Asker, Config, Directories};
use crate::error::Error;
use crate::findings::wiring::Context;
use crate::findings::{Checks, config as config_file, failed_with, rule};
use crate::host::Ask;
use crate::text::clock::Deadline;

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Host or URL to check: does it get a token, and if not, why; the other
    /// checks use its profile
    #[arg(value_name = "HOST")]
    pub host_asked: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// Timeout of each program of a tool; `--timeout` may shorten it.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn doctor(
    world: &World<'_>,
    config: Result<Config<'_>, Error>,
    options: &Options,
    directories: &Directories,
    args: &Doctor,
) -> Answer {
    if log::max_level() <= LevelFilter::Warn {
        // Findings replace the warnings.
        log::set_max_level(LevelFilter::Off);
    }
    let mut checks = Checks::default();
    let nothing = Options::default();
    let config = match config {
        Ok(config) => {
            checks.push(config_file::file(&config));
            Some(config)
        }
        Err(error) => {
            checks.push(failed_with("config", &error));
            None
        }
    };
    let is_read = config.is_some();
    // After an error, the config file is left out; then flags and environment too, in
    // case the error is there.
    let config = config
        .or_else(|| Config::without_file(options, world.environment, directories).ok())
        .or_else(|| Config::without_file(&nothing, &|_| None, directories).ok());
    let Some(config) = config else {
        return answer(world, &checks, args);
    };
    let ask = args.host_asked.as_deref().map(Ask::typed);
    let asked_rule = match &ask {
        Some(Some(ask)) => config
            .rules()
            .find(&ask.origin, ask.username.as_deref())
            .ok(),
        _ => None,
    };
    let asker = || Asker {
        rule: asked_rule,
        ..Asker::default()
    };
    let mut request = config.request(asker());
    if let Ok(request) = &mut request {
        // The findings report both.
        request.source.leave_end_to_caller();
        request.source.leave_exposure_to_caller();
    }
    let profile = config.profile_for(&asker());
    let broker = source::check(
        &mut checks,
        &request,
        profile.as_deref(),
        is_read,
        world.clock,
    );
    let broker = broker.as_ref();
    // Programs of tools get a part of the time, so that they cannot use it up.
    let program_deadline =
        || Deadline::after((config.deadline().remaining() / 4).min(PROGRAM_TIMEOUT));
    let wiring = Wirings::read(world, directories, &program_deadline);
    programs::check(&mut checks, world, &wiring, &program_deadline());
    let endpoints = issuer::check(&mut checks, &request, world);
    let context = Context {
        config: &config,
        is_read,
        environment: world.environment,
        program: world.program,
        directories,
    };
    let profile = profile.as_deref();
    let clock = world.clock;
    // A host's token is not judged as the server of a tool would: that finding is in the
    // tool's row.
    let is_for_host =
        matches!(&ask, Some(Some(ask)) if wiring.needs_no_rule(&ask.origin).is_none());
    let has_token = token::check(
        &mut checks,
        broker,
        endpoints.as_ref(),
        profile,
        &wiring,
        &context,
        clock,
        is_for_host,
    );
    cache::check(&mut checks, &config, broker, world);
    shared::check(&mut checks, broker);
    rule::check(&mut checks, &config);
    wiring.check(&mut checks, &context);
    let of_token = broker.filter(|_| !is_for_host);
    token::check_others(&mut checks, of_token, &wiring, &context, clock);
    netrc::check(&mut checks, &context, &wiring, &program_deadline());
    if let (Some(ask), Some(text)) = (ask, &args.host_asked) {
        let config = is_read.then_some(&config);
        host::check(&mut checks, config, &wiring, has_token, text, ask);
    }
    answer(world, &checks, args)
}

fn answer(world: &World<'_>, checks: &Checks, args: &Doctor) -> Answer {
    let text = match args.output {
        ListOutput::Json => checks.json(),
        ListOutput::Text => {
            let terminal = (world.terminal)();
            checks.text(terminal.has_colour(world.environment), terminal.stdout)
        }
    };
    Answer::new(text).with_code(u8::from(checks.any_failed()))
}
