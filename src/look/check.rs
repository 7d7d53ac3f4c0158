//! `config check`: reports all errors of the configuration, without network.

use crate::broker::Request;
use crate::call::{Answer, World};
use crate::cli::options::{ListOutput, Options};
use crate::config::Config;
use crate::config::audit::{Audit, Fault};
use crate::error::{Error, Report};
use crate::findings::{Checks, config, failed_with, key, ok, rule, skipped, source};
use crate::source::Source;
use crate::source::issuer::Issuer;
use crate::text::clock::Clock;
use crate::text::quote;

/// Checks the config file and the files that it names. Runs no command, which may prompt
/// the user or contact a server, and reads no pipe, which would be empty for the next call.
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
    let path = config.path().map(quote::path);
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
    Ok(Answer::new(text).with_code(code(&codes)))
}

/// Returns the exit code: 2 if anything in the configuration is invalid, wherever it is,
/// because a script reads 1 as a bad key only.
fn code(codes: &[u8]) -> u8 {
    let invalid = codes.iter().find(|code| **code == 2);
    invalid.or(codes.first()).copied().unwrap_or_default()
}

/// Returns the error with its place in front, but not twice.
fn located(place: Option<String>, path: Option<&str>, error: Error) -> Error {
    let Some(place) = place else { return error };
    let headline = error.report().headline();
    let known = path.and_then(|path| headline.strip_prefix(path)?.strip_prefix(": "));
    let what = known.unwrap_or(&headline).to_owned();
    error.map(|report| report.renamed(what).about(&place))
}

/// Checks a profile's source of tokens and what a request needs on this machine. Without a
/// profile, flags and environment set all.
fn profile(
    checks: &mut Checks,
    codes: &mut Vec<u8>,
    name: Option<&str>,
    request: &Request<'_>,
    world: &World<'_>,
) {
    let (shown, place) = match name.map(quote::path) {
        Some(name) => (name.clone(), format!("profile {name}")),
        None => (
            "flags and environment".to_owned(),
            "flags and environment".to_owned(),
        ),
    };
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
            let error = error.map(|report: Report| report.about(&place));
            checks.push(failed_with("profile", &error));
        }
    }
    let source = &request.source;
    if source.is_printed() || source.is_pipe() {
        let name = match source {
            Source::Key(_) | Source::SelfSigned(_) => "key",
            Source::Client(_) => "secret",
            Source::Signer(_) | Source::Supplier(_) => "source",
        };
        checks.push(skipped(name, format!("{source}: is not run or read here")));
        return;
    }
    codes.extend(of_source(checks, request, world.clock).err());
}

/// Checks a source that is read here. Returns the exit code for its error.
fn of_source(checks: &mut Checks, request: &Request<'_>, clock: &Clock) -> Result<(), u8> {
    let environment = request.network.environment;
    let deadline = &request.deadline;
    match &request.source {
        Source::Key(spec) | Source::SelfSigned(spec) => {
            let key = spec.load(environment, deadline).map_err(|error| {
                checks.push(failed_with("key", &error));
                error.exit_code()
            })?;
            key::check(checks, spec, key, clock()).map(drop).ok_or(1)
        }
        Source::Signer(signer) => source::signer(checks, signer, deadline, false)
            .then_some(())
            .ok_or(2),
        Source::Client(client) => {
            client.load(environment, deadline).map_err(|error| {
                checks.push(failed_with("secret", &error));
                error.exit_code()
            })?;
            source::client(checks, client);
            Ok(())
        }
        Source::Supplier(supplier) => {
            source::supplier(checks, supplier, environment, deadline, clock)
                .map_err(|error| error.exit_code())
        }
    }
}
