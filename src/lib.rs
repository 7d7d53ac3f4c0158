//! Access tokens of ZITADEL service users for every tool that can call a
//! credential helper.
//!
//! One way through the house: arguments → request → broker → token → answer.
//! [`run`] is its door; `main.rs` brings the world in and the exit code out.

#[cfg(not(unix))]
compile_error!("owners, modes, locks and exec are those of Unix; there is no port yet");

mod agent;
pub mod assertion;
pub mod broker;
pub mod cache;
pub mod cli;
mod clients;
pub mod clock;
mod completions;
pub mod config;
mod direct;
mod doctor;
pub mod error;
pub mod helper;
pub mod host;
pub mod input;
pub mod issuer;
pub mod key;
pub mod limit;
mod logger;
mod manage;
pub mod object;
pub mod process;
pub mod quote;
pub mod scope;
pub mod secret;
mod serve;
mod setup;
pub mod stderr;
pub mod terminal;
pub mod token;
mod token_file;
pub mod url;
pub mod version;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use cache::parents::Parent;
use cli::{Cli, Command};
use clock::Clock;
use config::{Config, Directories};
use error::{Error, Report};
use input::Bounded;
use issuer::Environment;
use quote::system;
use terminal::Terminal;

/// Everything that a call takes from outside.
pub struct World<'a> {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// Looks up a variable.
    pub environment: &'a Environment,
    /// Where this user's files lie.
    pub directories: Directories,
    /// Tells the time.
    pub clock: &'a Clock,
    /// Tells which process runs this one.
    pub parent: &'a dyn Fn() -> Parent,
    /// Tells where this program lies.
    pub program: &'a dyn Fn() -> io::Result<PathBuf>,
    /// Tells which streams are a terminal.
    pub terminal: &'a dyn Fn() -> Terminal,
    /// Asks the person at the terminal a question: one line.
    pub ask: &'a dyn Fn(&str) -> io::Result<String>,
    /// What the tool says.
    pub stdin: &'a mut dyn Bounded,
    /// What it gets: once, whole, when all is known.
    pub stdout: &'a mut dyn Write,
    /// What a person gets.
    pub stderr: &'a mut dyn Write,
}

/// What a command comes to.
struct Answer {
    /// For stdout.
    text: Zeroizing<String>,
    /// The exit code.
    code: u8,
}

impl Answer {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            code: 0,
        }
    }

    fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Runs one call to its end and returns the exit code.
pub fn run(mut world: World<'_>) -> u8 {
    let outcome = answer(&mut world).and_then(|answer| {
        let is_taken = hand_over(&mut world, &answer)?;
        Ok(if is_taken { answer.code } else { 1 })
    });
    outcome.unwrap_or_else(|error| {
        report(&mut world, &error);
        error.exit_code()
    })
}

/// Writes an answer, whole; returns whether anybody took it.
fn hand_over(world: &mut World<'_>, answer: &Answer) -> Result<bool, Error> {
    let stdout = &mut world.stdout;
    let written = stdout
        .write_all(answer.text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        // Whoever asked has gone, and knows.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let what = format!("the answer could not be written: {}", system(&error));
            Err(Error::Final(Report::new(what)))
        }
    }
}

fn answer(world: &mut World<'_>) -> Result<Answer, Error> {
    let (options, command) = match Cli::read(std::mem::take(&mut world.args)) {
        Ok(parts) => parts,
        Err(error) => return Ok(usage(world, &error)),
    };
    if logs_at_once(world, &command) {
        logger::start(config::log_level(&options, world.environment)?);
    }
    // What needs no configuration does not fail for it.
    if let Some(answer) = serve::without_config(world, &options, &command) {
        return Ok(answer);
    }
    let environment = world.environment;
    let directories = world.directories.clone();
    let load = || Config::load(&options, environment, &directories);
    match command {
        Command::Kubectl(_) => serve::kubectl::answer(world, &load()?),
        Command::Git(git) => serve::git::answer(world, &load()?, &git.operation),
        Command::Docker(docker) => serve::docker::answer(world, load(), &docker.operation),
        Command::Bazel(asked) => serve::bazel::answer(world, &load()?, &asked),
        Command::Cargo(_) => serve::cargo::answer(world, &options),
        Command::Go(asked) => serve::go::answer(world, &load()?, &asked),
        Command::Terraform(asked) => serve::terraform::answer(world, &load()?, &asked),
        Command::Kubelet(_) => serve::kubelet::answer(world, &load()?),
        Command::Gcp(_) => serve::gcp::answer(world, load()),
        Command::Keyring(asked) => serve::keyring::answer(world, &load()?, &asked),
        Command::Token(token) => direct::token(world, &load()?, token),
        Command::Exec(exec) => direct::exec(world, &load()?, &exec),
        Command::Agent(asked) => {
            let load = |is_first| {
                let mut options = options.clone();
                options.refresh &= is_first;
                Config::load(&options, environment, &directories)
            };
            agent::agent(world, &load, &asked)
        }
        Command::Assertion(assertion) => direct::assertion(world, &load()?, assertion),
        Command::Whoami(_) => direct::whoami(world, &load()?),
        Command::Cache(cache) => manage::cache(world, &load()?, &cache),
        Command::Setup(asked) => setup::setup(world, &options, &asked.action),
        Command::Doctor(asked) => {
            let config = load();
            Ok(doctor::doctor(
                world,
                config,
                &options,
                &directories,
                &asked,
            ))
        }
        Command::Completions(asked) => Ok(manage::completions(world, &asked)),
    }
}

/// Whether what is logged from the start on is read by a person.
fn logs_at_once(world: &World<'_>, command: &Command) -> bool {
    match command {
        // At a shell's cursor nothing is an error; cargo is greeted first, and its
        // questions have words for it.
        Command::Completions(_) | Command::Cargo(_) => false,
        // Its client may take stderr for a part of the answer.
        Command::Gcp(_) => (world.terminal)().stderr,
        _ => true,
    }
}

/// clap's own text: help and version are answers, the rest is told to a person.
fn usage(world: &mut World<'_>, error: &clap::Error) -> Answer {
    let text = error.render().to_string();
    if error.use_stderr() {
        // It quotes arguments, and one of them may be a key: `--key-file "$KEY"`.
        let text = quote::redacted(&text);
        let lines: Vec<_> = text.lines().map(quote::printable).collect();
        // Nobody is left to tell that stderr is closed.
        let _ = writeln!(world.stderr, "{}", lines.join("\n"));
        Answer::new("").with_code(2)
    } else {
        Answer::new(text)
    }
}

/// Tells a person what went wrong.
fn report(world: &mut World<'_>, error: &Error) {
    // Nobody is left to tell that stderr is closed.
    let _ = writeln!(world.stderr, "zitadel-credential: error: {error}");
}
