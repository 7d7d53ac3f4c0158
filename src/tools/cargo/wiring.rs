//! cargo's configuration: the registries for which it asks us.

use std::path::PathBuf;

use super::files;
use super::files::{Registry, Settings};
use crate::cli::options::Options;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::findings::wiring::{Look, Machine, Wiring, hit, is_missing, is_ours, text, unread};
use crate::findings::{Check, Checks, failed, warning};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::url::Origin;

/// The name by which the tool looks for us on `PATH`.
const CARGO_NAME: &str = "cargo-credential-zitadel";

#[derive(Default)]
struct Found {
    file: PathBuf,
    registries: Vec<Registry>,
    /// Where we stand in the list of all registries, and by which words.
    for_all: Vec<(String, Vec<String>)>,
    error: Option<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(look(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn look(environment: &Environment, directories: &Directories, deadline: &Deadline) -> Found {
    let Some(file) = files::file(environment, directories) else {
        return Found::default();
    };
    let settings = text(&file, deadline).and_then(|text| {
        files::read(&text.unwrap_or_default()).ok_or_else(|| "it is no TOML".to_owned())
    });
    let (mut settings, error) = match settings {
        Ok(settings) => (settings, None),
        Err(what) => {
            let report = Report::new(format!("{}: {what}", quote::path(&file)));
            let report = report.hint("cargo cannot read it either: mend it by hand");
            (Settings::default(), Some(Error::Final(report)))
        }
    };
    let mut registries = std::mem::take(&mut settings.registries);
    for registry in &mut registries {
        let of = |key| files::variable_of(&registry.name, key, environment);
        let (index, provider) = (of("INDEX"), of("CREDENTIAL_PROVIDER"));
        if let Some(index) = index.and_then(|words| words.into_iter().next()) {
            registry.index = Some(index);
        }
        let own = std::mem::take(&mut registry.provider);
        registry.provider = settings.resolved(provider.unwrap_or(own));
    }
    registries.retain(|registry| names_us(&registry.provider));
    let in_file = std::mem::take(&mut settings.for_all).into_iter();
    let in_file = in_file.map(|words| (quote::path(&file), words));
    let in_variable = files::variable_for_all(environment).into_iter();
    let in_variable = in_variable.map(|words| (format!("the variable {}", files::FOR_ALL), words));
    let for_all = in_file.chain(in_variable);
    let for_all = for_all.map(|(place, words)| (place, settings.resolved(words)));
    Found {
        for_all: for_all.filter(|(_, words)| names_us(words)).collect(),
        file,
        registries,
        error,
    }
}

/// Whether a provider runs us, also where cargo takes what we print for a token.
fn names_us(words: &[String]) -> bool {
    match words {
        [cargos, program, ..] if cargos == "cargo:token-from-stdout" => is_ours(program),
        words => words.first().is_some_and(|program| is_ours(program)),
    }
}

impl Found {
    fn programs(&self) -> impl Iterator<Item = &String> {
        let own = self.registries.iter().map(|known| &known.provider);
        own.chain(self.for_all.iter().map(|(_, words)| words))
            .filter_map(|words| words.first())
    }
}

impl Wiring for Found {
    fn needs_link(&self) -> bool {
        self.programs().any(|program| program == CARGO_NAME)
    }

    fn is_for_all(&self) -> bool {
        !self.for_all.is_empty()
    }

    fn origins(&self, _config: &Config<'_>) -> Vec<Origin> {
        let indexes = self.registries.iter();
        let indexes = indexes.filter_map(|registry| registry.index.as_deref());
        indexes
            .filter_map(|index| Some(super::protocol::ask_of(index)?.origin))
            .collect()
    }

    fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        if let Some(error) = &self.error {
            checks.push(unread("cargo", error));
        }
        let file = quote::path(&self.file);
        for (place, words) in &self.for_all {
            let place = format!("{place}: every registry");
            let is_provider = words.first().is_some_and(|program| is_ours(program));
            let fault = is_provider.then(|| at_fault(&place, words, look.environment));
            checks.push(fault.flatten().unwrap_or_else(|| {
                // Whoever writes a Cargo.toml names an index: any path on a host
                // that a rule names, and that index says where the token goes.
                warning(
                    "cargo",
                    format!("{place}: a project's Cargo.toml chooses which index gets the token"),
                    "take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry",
                )
            }));
        }
        for registry in &self.registries {
            let place = format!("{file}: registry {}", quote::quoted(&registry.name));
            let fault = at_fault(&place, &registry.provider, look.environment);
            checks
                .push(fault.unwrap_or_else(|| wired(&place, registry, look.config, look.is_read)));
        }
    }
}

/// A provider that cargo could not run to an end.
fn at_fault(place: &str, words: &[String], environment: &Environment) -> Option<Check> {
    let program = words.first()?;
    let shown = quote::quoted(program);
    let remedy = format!("name {CARGO_NAME} there");
    if !program.ends_with(CARGO_NAME) {
        let what = format!("{place}: cargo passes {shown} no command to run");
        return Some(failed("cargo", what, remedy));
    }
    if is_missing(program, environment) {
        let what = format!("{place}: its provider {shown} is not there");
        return Some(failed("cargo", what, remedy));
    }
    // They come to us in cargo's question, beside which stands no command.
    let options = Options::default().with(words[1..].to_vec());
    let report = options.err()?;
    let what = format!("{place}: {}", report.headline());
    Some(failed("cargo", what, report.advice().unwrap_or_default()))
}

fn wired(place: &str, registry: &Registry, config: &Config<'_>, is_read: bool) -> Check {
    let Some(index) = &registry.index else {
        return warning(
            "cargo",
            format!("{place}: its index is not in this file, so its rule is not known"),
            "give doctor the index's host",
        );
    };
    match super::protocol::ask_of(index) {
        Some(ask) => hit("cargo", place, &ask.origin, None, config, is_read),
        None => failed(
            "cargo",
            format!("{place}: its index names no host that could have a rule"),
            "an index reads like sparse+https://HOST/index/",
        ),
    }
}
