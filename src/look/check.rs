//! `config check`: everything that is wrong with the configuration, without network.

use crate::broker::Request;
use crate::call::{Answer, World};
use crate::cli::options::{ListOutput, Options};
use crate::config::Config;
use crate::config::audit::{Audit, Fault};
use crate::error::{Error, Report};
use crate::findings::{Checks, config, failed_with, key, ok, rule, skipped};
use crate::source::issuer::Issuer;
use crate::source::key::spec::KeySource;
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

/// Checks a profile's key and what a request needs on this machine.
fn profile(
    checks: &mut Checks,
    codes: &mut Vec<u8>,
    name: &str,
    request: &Request<'_>,
    world: &World<'_>,
) {
    let shown = quoted(name);
    let issuer = request.issuer.as_str();
    let scopes = &request.scopes;
    let settings = Issuer::new(&request.issuer, &request.network, request.deadline);
    match settings.check_settings() {
        Ok(()) => checks.push(ok(
            "profile",
            format!("{shown}: issuer {issuer}, scopes {scopes}"),
        )),
        Err(error) => {
            codes.push(error.exit_code());
            let error = error.map(|report: Report| report.about(&format!("profile {shown}")));
            checks.push(failed_with("profile", &error));
        }
    }
    let source = &request.key.source;
    let is_at_hand = match source {
        KeySource::File(_) => !source.is_read_once(),
        KeySource::Environment(_) => true,
        KeySource::Command(_) => false,
    };
    // A missing file is told below, and a pipe would be empty for the call after this.
    let is_missing = matches!(source, KeySource::File(path) if !path.exists());
    if !is_at_hand && !is_missing {
        checks.push(skipped("key", format!("{source}: is not run or read here")));
        return;
    }
    let key = request
        .key
        .load(request.network.environment, &request.deadline)
        .map_err(|error| {
            checks.push(failed_with("key", &error));
            error.exit_code()
        });
    match key.map(|key| key::check(checks, source, key, (world.clock)())) {
        Ok(Some(_)) => {}
        Ok(None) => codes.push(1),
        Err(code) => codes.push(code),
    }
}
