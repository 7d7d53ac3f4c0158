//! cargo's configuration: the registries for which it asks us.

use std::path::PathBuf;

use super::{CARGO_NAME, hit, is_missing, is_ours, unread};
use crate::clients::cargo::{self, Registry, Settings};
use crate::clock::Deadline;
use crate::config::{Config, Directories};
use crate::doctor::check::{Check, Checks, failed, warning};
use crate::error::{Error, Report};
use crate::helper;
use crate::issuer::Environment;
use crate::quote;
use crate::url::Origin;

#[derive(Default)]
pub(in crate::doctor) struct Found {
    file: PathBuf,
    settings: Settings,
    error: Option<Error>,
}

pub(super) fn read(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Found {
    let Some(file) = cargo::file(environment, directories) else {
        return Found::default();
    };
    let settings = super::text(&file, deadline).and_then(|text| {
        cargo::read(&text.unwrap_or_default()).ok_or_else(|| "it is no TOML".to_owned())
    });
    let (mut settings, error) = match settings {
        Ok(settings) => (settings, None),
        Err(what) => {
            let report = Report::new(format!("{}: {what}", quote::path(&file)));
            let report = report.hint("cargo cannot read it either: mend it by hand");
            (Settings::default(), Some(Error::Final(report)))
        }
    };
    let names_us = |words: &[String]| words.first().is_some_and(|program| is_ours(program));
    settings
        .registries
        .retain(|known| names_us(&known.provider));
    settings.for_all.retain(|words| names_us(words));
    Found {
        file,
        settings,
        error,
    }
}

impl Found {
    fn programs(&self) -> impl Iterator<Item = &String> {
        let own = self.settings.registries.iter().map(|known| &known.provider);
        own.chain(&self.settings.for_all)
            .filter_map(|words| words.first())
    }

    /// Whether cargo looks for us on `PATH`.
    pub(super) fn needs_link(&self) -> bool {
        self.programs().any(|program| program == CARGO_NAME)
    }

    /// Whether we are asked for every registry.
    pub(super) fn is_for_all(&self) -> bool {
        !self.settings.for_all.is_empty()
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = Origin> {
        let indexes = self.settings.registries.iter();
        let indexes = indexes.filter_map(|registry| registry.index.as_deref());
        indexes.filter_map(|index| Some(helper::cargo::ask_of(index)?.origin))
    }

    pub(super) fn check(
        &self,
        checks: &mut Checks,
        config: &Config<'_>,
        is_read: bool,
        environment: &Environment,
    ) {
        if let Some(error) = &self.error {
            checks.push(unread("cargo", error));
        }
        let file = quote::path(&self.file);
        for words in &self.settings.for_all {
            let place = format!("{file}: every registry");
            checks.push(at_fault(&place, words, environment).unwrap_or_else(|| {
                // Whoever writes a Cargo.toml names an index: any path on a host
                // that a rule names, and that index says where the token goes.
                warning(
                    "cargo",
                    format!("{place}: a project's Cargo.toml chooses which index gets the token"),
                    "take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry",
                )
            }));
        }
        for registry in &self.settings.registries {
            let place = format!("{file}: registry {}", quote::quoted(&registry.name));
            let fault = at_fault(&place, &registry.provider, environment);
            checks.push(fault.unwrap_or_else(|| wired(&place, registry, config, is_read)));
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
    is_missing(program, environment).then(|| {
        let what = format!("{place}: its provider {shown} is not there");
        failed("cargo", what, remedy)
    })
}

fn wired(place: &str, registry: &Registry, config: &Config<'_>, is_read: bool) -> Check {
    let Some(index) = &registry.index else {
        return warning(
            "cargo",
            format!("{place}: its index is not in this file, so its rule is not known"),
            "give doctor the index's host",
        );
    };
    match helper::cargo::ask_of(index) {
        Some(ask) => hit("cargo", place, &ask.origin, None, config, is_read),
        None => failed(
            "cargo",
            format!("{place}: its index names no host that could have a rule"),
            "an index reads like sparse+https://HOST/index/",
        ),
    }
}
