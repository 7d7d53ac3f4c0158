//! Access tokens of ZITADEL service users for every tool that can call a
//! credential helper.
//!
//! The order of a call: arguments → request → broker → token → answer.
//! [`run`] is the entry point; `main.rs` supplies the surroundings and exits.

pub mod agent;
pub mod broker;
pub mod cache;
pub mod call;
pub mod cli;
mod completions;
pub mod config;
mod direct;
mod doctor;
mod edit;
pub mod error;
mod findings;
pub mod grant;
pub mod host;
mod keys;
mod look;
mod manage;
pub mod net;
pub mod scope;
pub mod secret;
mod setup;
pub mod source;
pub mod sys;
pub mod text;
pub mod token;
mod token_file;
pub mod tools;
pub mod url;

pub use call::World;
use call::{Answer, Settings, hand_over, report, usual_level};
use clap::CommandFactory;
use cli::{Called, Cli, Command, Refusal};
use config::Config;
use error::{Error, Report};
use log::LevelFilter;
use look::{ConfigAction, ProfileAction};
use text::logger::{self, Format};

/// Runs one call and returns the exit code.
pub fn run(mut world: World<'_>) -> u8 {
    let outcome = answer(&mut world).and_then(|answer| {
        let is_taken = hand_over(&mut world, &answer)?;
        if let Some(error) = &answer.error {
            report(&mut world, error);
        }
        Ok(if is_taken { answer.code } else { 1 })
    });
    outcome.unwrap_or_else(|error| {
        report(&mut world, &error);
        error.exit_code()
    })
}

fn answer(world: &mut World<'_>) -> Result<Answer, Error> {
    if let Some(shell) = completions::asking_shell(world) {
        return Ok(completions::at_cursor(world, shell, Cli::command()));
    }
    let names_json = cli::names_json(&world.args);
    let (options, command) = match Cli::read(std::mem::take(&mut world.args)) {
        Ok(parts) => parts,
        Err(refusal) => {
            let variable = || (world.environment)(config::LOG_FORMAT);
            if names_json || variable().is_some_and(|format| format == "json") {
                logger::set_format(Format::Json);
            }
            return usage(world, refusal);
        }
    };
    if logs_at_once(world, &command) {
        let usual = match &command {
            Command::Tool(_) => usual_level(world),
            _ => LevelFilter::Warn,
        };
        config::start_log(&options, world.environment, usual)?;
    } else if let Ok(format) = config::log_format(&options, world.environment) {
        // Errors use it; the log starts later, if at all.
        logger::set_format(format);
    }
    // Done before the configuration is loaded: these calls work even if it is broken.
    if let Command::Tool(Called(helper)) = &command
        && let Some(answer) = helper.answer_without_config(world, &options)
    {
        return Ok(answer);
    }
    let environment = world.environment;
    let directories = world.directories.clone();
    let settings = Settings {
        options: &options,
        environment,
        directories: &directories,
    };
    let load = || settings.config();
    match command {
        Command::Tool(Called(helper)) => helper.answer(world, &settings),
        Command::Token(token) => direct::token(world, &load()?, token),
        Command::Exec(exec) => direct::exec(world, &load()?, &exec),
        Command::Agent(args) if !args.check.is_empty() => agent::check(world, &args.check),
        Command::Agent(args) => {
            let load = |is_first| {
                let mut options = options.clone();
                options.refresh &= is_first;
                Config::load(&options, environment, &directories)
            };
            agent::agent(world, &load, &args)
        }
        Command::Key(args) => keys::keys(world, &load()?, &options, &args),
        Command::Assertion(assertion) => direct::assertion(world, &load()?, assertion),
        Command::Whoami(_) => direct::whoami(world, &load()?),
        Command::Cache(cache) => {
            // The hosts only select entries here; they allow nothing.
            let mut options = options.clone();
            let hosts = std::mem::take(&mut options.host);
            let config = Config::load(&options, environment, &directories)?;
            let selection = manage::Selection::of(world, &config, &hosts, &options)?;
            manage::cache(world, &config, &selection, &cache)
        }
        Command::Setup(args) if args.is_bare && (args.common.mode.undo || !world.can_ask()) => {
            usage(world, Refusal::of_setup(args.common.mode.undo))
        }
        Command::Setup(args) => setup::answer(world, &options, args.common.mode, &args.asked),
        Command::Doctor(args) => {
            let config = load();
            Ok(doctor::doctor(world, config, &options, &directories, &args))
        }
        Command::Profile(args) => match args.action {
            ProfileAction::List(look) => Ok(look::profiles(&load()?, look.output)),
        },
        Command::Config(args) => match args.action {
            ConfigAction::Show(look) => look::settings(&load()?, &options, look.output),
            ConfigAction::Check(look) => look::check(world, &options, look.output),
        },
        Command::Completions(args) => Ok(completions::script(&args)),
    }
}

/// Returns true if logging may start before the configuration is read.
fn logs_at_once(world: &World<'_>, command: &Command) -> bool {
    match command {
        // A shell's start files run it, and a warning would appear in every session.
        Command::Completions(_) => false,
        Command::Tool(Called(helper)) => helper.logs_at_once(world),
        _ => true,
    }
}

/// Shows help and version on stdout, and help in place of a missing command on stderr,
/// with exit code 2.
///
/// # Errors
/// The error of the command line.
fn usage(world: &mut World<'_>, refusal: Refusal) -> Result<Answer, Error> {
    match refusal {
        Refusal::Text(text) => Ok(Answer::new(text)),
        Refusal::Guide(_) if logger::is_json() => {
            let report = Report::new("missing command");
            let report = report.hint("run zitadel-credential -h for the commands");
            Err(Error::Usage(report))
        }
        Refusal::Guide(text) => {
            // A closed stderr cannot be reported anywhere.
            let _ = world.stderr.write_all(text.as_bytes());
            Ok(Answer::new("").with_code(2))
        }
        Refusal::Error(report) => Err(Error::Usage(report)),
    }
}
