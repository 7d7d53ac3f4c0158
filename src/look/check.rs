//! `config check`: everything that is wrong with the configuration, without network.

use crate::broker::Request;
use crate::call::{Answer, World};
use crate::cli::options::{ListOutput, Options};
use crate::config::Config;
use crate::config::audit::{Audit, Fault};
use crate::error::{Error, Report};
use crate::findings::{Checks, config, failed_with, key, ok, rule, skipped, source};
use crate::source::Source;
use crate::source::client::{Client, SecretSource};
use crate::source::issuer::Issuer;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::source::supplier::Supplier;
use crate::text::quote::quoted;

/// Checks the config file and the files that it names. A command that prints a key does
/// not run: it may ask a person, or a server.
///
/// # Errors
/// The config file cannot be read, or an option or a variable is invalid.
pub(crate) fn check(
    world: &World<'_>,
    options: &Options,
    output: ListOutput,
) -> Result<Answer, Error> {
    let Audit { config, faults } = Config::audit(options, world.environment, &world.directories)?;
    let mut checks = Checks::default();
    let mut codes = Vec::new();
    let path = config.path().map(crate::text::quote::path);
    for Fault { place, error } in faults {
        codes.push(error.exit_code());
        checks.push(failed_with(
            "config",
            &located(place, path.as_deref(), error),
        ));
    }
    if codes.is_empty() {
        checks.push(config::file(&config));
    }
    for (name, request) in config.usable() {
        profile(&mut checks, &mut codes, name, &request, world);
    }
    rule::check(&mut checks, &config);
    let text = match output {
        ListOutput::Json => checks.json(),
        ListOutput::Text => {
            let terminal = (world.terminal)();
            checks.text(terminal.has_colour(world.environment), terminal.stdout)
        }
    };
    Ok(Answer::new(text).with_code(codes.first().copied().unwrap_or_default()))
}

/// Returns the error with its place before it, once.
fn located(place: Option<String>, path: Option<&str>, error: Error) -> Error {
    let Some(place) = place else { return error };
    let headline = error.report().headline();
    let known = path.and_then(|path| headline.strip_prefix(path)?.strip_prefix(": "));
    let what = known.unwrap_or(&headline).to_owned();
    error.map(|report| report.renamed(what).about(&place))
}

/// Checks a profile's source of tokens and what a request needs on this machine.
fn profile(
    checks: &mut Checks,
    codes: &mut Vec<u8>,
    name: &str,
    request: &Request<'_>,
    world: &World<'_>,
) {
    let shown = quoted(name);
    let settings = request.issuer.as_ref().map(|url| {
        let issuer = Issuer::new(url, &request.network, request.deadline);
        issuer.check_settings()
    });
    match settings.transpose() {
        Ok(_) => {
            let settings = source::settings(request);
            checks.push(ok("profile", format!("{shown}: {settings}")));
        }
        Err(error) => {
            codes.push(error.exit_code());
            let error = error.map(|report: Report| report.about(&format!("profile {shown}")));
            checks.push(failed_with("profile", &error));
        }
    }
    let environment = request.network.environment;
    let deadline = &request.deadline;
    let clock = world.clock;
    let outcome = match &request.source {
        Source::Key(spec) | Source::SelfSigned(spec) => of_key(checks, spec, request, world),
        Source::Signer(signer) => source::signer(checks, signer, deadline, false)
            .then_some(())
            .ok_or(2),
        Source::Client(Client {
            secret: SecretSource::Command(command),
            ..
        })
        | Source::Supplier(Supplier::Command(command)) => {
            checks.push(skipped("source", format!("{command}: is not run here")));
            Ok(())
        }
        Source::Client(client) => match client.load(environment, deadline) {
            Ok(_) => {
                source::client(checks, client);
                Ok(())
            }
            Err(error) => {
                checks.push(failed_with("secret", &error));
                Err(error.exit_code())
            }
        },
        Source::Supplier(supplier) => {
            source::supplier(checks, supplier, environment, deadline, clock)
                .map_err(|error| error.exit_code())
        }
    };
    codes.extend(outcome.err());
}

fn of_key(
    checks: &mut Checks,
    spec: &KeySpec,
    request: &Request<'_>,
    world: &World<'_>,
) -> Result<(), u8> {
    let source = &spec.source;
    let is_at_hand = match source {
        KeySource::File(_) => !source.is_read_once(),
        KeySource::Environment(_) => true,
        KeySource::Command(_) => false,
    };
    // A missing file is told below, and a pipe would be empty for the call after this.
    let is_missing = matches!(source, KeySource::File(path) if !path.exists());
    if !is_at_hand && !is_missing {
        checks.push(skipped("key", format!("{source}: is not run or read here")));
        return Ok(());
    }
    let key = spec
        .load(request.network.environment, &request.deadline)
        .map_err(|error| {
            checks.push(failed_with("key", &error));
            error.exit_code()
        })?;
    let is_usable = key::check(checks, spec, key, (world.clock)()).is_some();
    if is_usable { Ok(()) } else { Err(1) }
}
