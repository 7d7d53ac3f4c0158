//! Wiring of cargo: the registries whose credential provider is this program.

use std::path::PathBuf;

use super::files;
use super::files::{PROVIDER, Registry, Settings};
use super::logins::{REMOVE_TOKEN, line_of_token, tokens};
use crate::cli::options::Options;
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, Wiring, is_missing, is_ours, text};
use crate::findings::{Check, Checks, failed, failed_with, warning};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::url::Origin;

#[derive(Default)]
struct CargoWiring {
    file: PathBuf,
    registries: Vec<Registry>,
    /// The providers for all registries that run this program: place and words.
    for_all: Vec<(String, Vec<String>)>,
    /// The places of cargo's own tokens, each with its registry.
    tokens: Vec<(String, String)>,
    error: Option<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn read_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> CargoWiring {
    let Some(file) = files::file(environment, directories) else {
        return CargoWiring::default();
    };
    let settings = text(&file, deadline).and_then(|text| {
        files::read(&text.unwrap_or_default()).ok_or_else(|| "invalid TOML".to_owned())
    });
    let (mut settings, error) = match settings {
        Ok(settings) => (settings, None),
        Err(what) => {
            let report = Report::new(format!("{}: {what}", quote::path(&file)));
            let report = report.hint("fix the file: cargo cannot read it either");
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
    let tokens = tokens(&registries, environment, directories, deadline);
    CargoWiring {
        tokens,
        for_all: for_all.filter(|(_, words)| names_us(words)).collect(),
        file,
        registries,
        error,
    }
}

/// True if a provider runs this program, directly or through `cargo:token-from-stdout`.
fn names_us(words: &[String]) -> bool {
    match words {
        [cargos, program, ..] if cargos == "cargo:token-from-stdout" => is_ours(program),
        words => words.first().is_some_and(|program| is_ours(program)),
    }
}

impl CargoWiring {
    fn programs(&self) -> impl Iterator<Item = &String> {
        let own = self.registries.iter().map(|known| &known.provider);
        own.chain(self.for_all.iter().map(|(_, words)| words))
            .filter_map(|words| words.first())
    }
}

impl Wiring for CargoWiring {
    fn needs_link(&self) -> bool {
        self.programs().any(|program| program == PROVIDER)
    }

    fn is_for_all(&self, context: &Context<'_>) -> bool {
        let mut all = self.for_all.iter();
        all.any(|(_, words)| context.is_by_this(&options_of(words)))
    }

    fn origins(&self, context: &Context<'_>) -> Vec<Origin> {
        let by_this = |known: &&Registry| context.is_by_this(&options_of(&known.provider));
        let indexes = self.registries.iter().filter(by_this);
        let indexes = indexes.filter_map(|registry| registry.index.as_deref());
        indexes
            .filter_map(|index| Some(super::protocol::ask_of(index)?.origin))
            .collect()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        if let Some(error) = &self.error {
            checks.push(failed_with("cargo", error));
        }
        let file = quote::path(&self.file);
        for (place, words) in &self.for_all {
            let place = format!("{place}: all registries");
            let is_provider = words.first().is_some_and(|program| is_ours(program));
            let fault = is_provider.then(|| at_fault(&place, words, context.environment));
            checks.push(fault.flatten().unwrap_or_else(|| {
                // A project's Cargo.toml may name any index on a host with a host rule,
                // and that index decides where cargo sends the token.
                warning(
                    "cargo",
                    format!("{place}: a project's Cargo.toml chooses which index gets the token"),
                    "remove it from global-credential-providers, and run zitadel-credential setup cargo HOST for each registry",
                )
            }));
        }
        for registry in &self.registries {
            let place = format!("{file}: registry {}", quote::path(&registry.name));
            let fault = at_fault(&place, &registry.provider, context.environment);
            checks.push(fault.unwrap_or_else(|| wired(&place, registry, context)));
        }
        for (place, registry) in &self.tokens {
            checks.push(warning(
                "cargo",
                line_of_token(place, registry),
                REMOVE_TOKEN,
            ));
        }
    }
}

/// Returns a failed check if cargo cannot run the provider.
fn at_fault(place: &str, words: &[String], environment: &Environment) -> Option<Check> {
    let program = words.first()?;
    let shown = quote::quoted(program);
    let remedy = format!("set the provider to {PROVIDER}");
    if !program.ends_with(PROVIDER) {
        let what = format!("{place}: cargo runs {shown} without the command cargo");
        return Some(failed("cargo", what, remedy));
    }
    if is_missing(program, environment) {
        let what = format!("{place}: provider {shown} not found");
        return Some(failed("cargo", what, remedy));
    }
    // cargo passes these words in its request, so they must be options.
    let options = Options::default().with(words[1..].to_vec());
    let report = options.err()?;
    let what = format!("{place}: {}", report.headline());
    Some(failed("cargo", what, report.advice().unwrap_or_default()))
}

/// Returns the options of a provider; the default if they are invalid.
fn options_of(provider: &[String]) -> Options {
    let words = provider.get(1..).unwrap_or_default();
    Options::default().with(words.to_vec()).unwrap_or_default()
}

fn wired(place: &str, registry: &Registry, context: &Context<'_>) -> Check {
    let Some(index) = &registry.index else {
        return warning(
            "cargo",
            format!("{place}: its index is not in this file, so its host rule is unknown"),
            "run zitadel-credential doctor HOST with the host of the index",
        );
    };
    match super::protocol::ask_of(index) {
        Some(ask) => {
            let options = options_of(&registry.provider);
            context.check_rule("cargo", place, &ask.origin, None, &options)
        }
        None => failed(
            "cargo",
            format!("{place}: invalid host in its index"),
            "write an index like sparse+https://HOST/index/",
        ),
    }
}
