//! cargo: a host rule, and our provider for the registries whose index is at that host.

use serde_json::{Value, json};

use super::args::SetupCargo;
use super::files;
use super::files::{PROVIDER, Registry};
use super::logins::{REMOVE_TOKEN, line_of_token, tokens};
use crate::edit::diff::Format;
use crate::edit::entry::Edit;
use crate::edit::file::FileChange;
use crate::edit::hosts::{Host, HostsArgs, known};
use crate::edit::plan::Plan;
use crate::edit::rules;
use crate::edit::setup::{Name, Setup, named};
use crate::edit::toml::{Document, body, list, string};
use crate::edit::trial::Trial;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::text::quote;
use crate::url::Scheme;

const GROUP: &str = "registries";
const KEY: &str = "credential-provider";

/// The names that a diff of cargo's file shows.
const FORMAT: Format = Format {
    keys: &["index", KEY],
    headers: &["[registries."],
};

impl Setup for SetupCargo {
    fn of_name(name: &str) -> Self {
        Self {
            args: HostsArgs::of(name),
            registry: None,
            index: None,
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        let registry = named("--registry", &self.registry);
        let index = named("--index", &self.index);
        [registry, index, self.args.names()].concat()
    }

    /// Adds the rules and the provider.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut file = open(plan)?;
        let path = quote::path(file.path());
        let refused = |report: Report| Error::Usage(report.about(&path));
        let another = |registry: &Registry| {
            let what = format!("registry {} has another {KEY}", quote::path(&registry.name));
            refused(Report::new(what).hint("remove that line first"))
        };
        if self.registry.is_some() && self.args.hosts.len() > 1 {
            let what = "--registry is at one host, and several are named";
            return Err(Error::Usage(Report::new(what).hint("set up one at a time")));
        }
        let mut call = vec![PROVIDER.to_owned()];
        call.extend(plan.config_words());
        let provider = list(&call);
        file.words.push(provider.clone());
        for Host { pattern, setup } in plan.add_rules("cargo", &self.args, None, &file.name())? {
            for registry in registries(&file, self, &pattern).map_err(refused)? {
                let table = [GROUP, registry.name.as_str()];
                let line = [GROUP, registry.name.as_str(), KEY];
                let mut document = Document::parse(file.text()).map_err(refused)?;
                if registry.provider.first().is_some_and(|it| it == PROVIDER) {
                    let place = format!("{path}: registry {}", quote::path(&registry.name));
                    plan.check_config(&place, &registry.provider)?;
                }
                let edit = match (registry.provider.first(), &registry.index) {
                    // Another host's setup may have written the provider.
                    (Some(program), _) if program == PROVIDER => [&line[..], &table]
                        .iter()
                        .find_map(|at| plan.journal.edit_at(&file.name(), at).cloned()),
                    (Some(_), _) => return Err(another(&registry)),
                    // The line has another meaning, such as no login at all.
                    (None, _) if document.at(&line).is_some() => {
                        return Err(another(&registry));
                    }
                    (None, Some(_)) => {
                        document.set(&line, &provider).map_err(refused)?;
                        Some(Edit::new(file.name(), &line, &provider, None))
                    }
                    (None, None) => {
                        let index = string(self.index.as_deref().unwrap_or_default());
                        file.words.push(index.clone());
                        let values = [("index", index), (KEY, provider.clone())];
                        let added = document.add_table(GROUP, &registry.name, &values);
                        added.map_err(refused)?;
                        Some(Edit::new(file.name(), &table, &body(&values), None))
                    }
                };
                file.set(document.text());
                if let Some(edit) = edit {
                    plan.journal.record(&setup, edit);
                }
                let registry_alone = std::slice::from_ref(&registry);
                for (place, name) in tokens(
                    registry_alone,
                    plan.environment,
                    &plan.directories,
                    &plan.deadline,
                ) {
                    let line = line_of_token(&place, &name);
                    plan.say(format!("warning: {line}: {REMOVE_TOKEN}"));
                }
                let index = registry.index.as_ref().or(self.index.as_ref());
                if let (Some(mut command), Some(index)) = (plan.helper(PROVIDER), index) {
                    command.args(plan.config_words()).arg("--cargo-plugin");
                    plan.try_out(Trial {
                        tool: "cargo",
                        undo: vec![pattern.to_string()],
                        host: pattern.to_string(),
                        call: PROVIDER,
                        command,
                        input: request(&registry.name, index),
                        only_warns: false,
                        read: read_answer,
                    });
                }
                let name = quote::word(&registry.name);
                let next = format!("next: cargo add --registry {name} CRATE");
                plan.say_next_at(&pattern, next);
            }
        }
        plan.add(file);
        // cargo finds its providers only by name.
        plan.warn_of_path("cargo", PROVIDER);
        Ok(())
    }

    /// Undoes the rules and the provider.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut file = open(plan)?;
        let path = quote::path(file.path());
        let refused = |report: Report| Error::Usage(report.about(&path));
        let name = file.name();
        plan.undo_hosts("cargo", &self.args.hosts, &name, |plan, edit| {
            let mut document = Document::parse(file.text()).map_err(refused)?;
            file.words.extend(edit.ours.lines().map(value_of));
            plan.say_undone(rules::undo(&mut document, edit, plan.verbs()));
            file.set(document.text());
            Ok(())
        })?;
        plan.add(file);
        Ok(())
    }
}

/// Returns cargo's request for a token to read a registry with.
fn request(name: &str, index: &str) -> String {
    let registry = json!({ "name": name, "index-url": index });
    let request = json!({
        "v": 1, "registry": registry, "kind": "get", "operation": "read", "args": [],
    });
    format!("{request}\n")
}

/// Reads the answer, whose last line has the token or the reason.
fn read_answer(answer: &str) -> Result<String, Option<String>> {
    let last = answer.lines().last().unwrap_or_default();
    let last: Value = serde_json::from_str(last).unwrap_or_default();
    let why = last["Err"]["message"].as_str().map(ToOwned::to_owned);
    let token = last["Ok"]["token"].as_str();
    token.map(|_| String::new()).ok_or(why)
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    match edit.key().as_slice() {
        ["registries", _] | ["registries", _, "credential-provider"] => {
            edit.is_in_file_of(of) && edit.former.is_none()
        }
        _ => edit.is_host_rule(),
    }
}

/// Returns the requested registries; a new one has no index yet.
fn registries(
    file: &FileChange,
    asked: &SetupCargo,
    pattern: &HostPattern,
) -> Result<Vec<Registry>, Report> {
    let settings = files::read(file.text()).ok_or_else(|| {
        Report::new("invalid TOML").hint("cargo cannot read it either: correct it by hand")
    })?;
    let is_at = |index: &str| {
        let ask = super::protocol::ask_of(index);
        ask.is_some_and(|ask| ask.origin.scheme == Scheme::Https && pattern.matches(&ask.origin))
    };
    let mut registries = settings.registries;
    let Some(name) = &asked.registry else {
        registries.retain(|registry| registry.index.as_deref().is_some_and(is_at));
        if registries.is_empty() {
            let what = format!("no registry has its index at https://{pattern}");
            return Err(Report::new(what).hint("--registry NAME --index URL adds one"));
        }
        return Ok(registries);
    };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || !name.bytes().all(is_plain) {
        let what = format!("\"{}\" is not a valid registry name", quote::quoted(name));
        return Err(Report::new(what).hint("use a name like acme"));
    }
    let there = registries.into_iter().find(|known| known.name == *name);
    let index = match (&there, &asked.index) {
        (None, None) => {
            let what = format!("unknown registry {name}");
            return Err(Report::new(what).hint("--index URL adds it"));
        }
        (None, Some(index)) => index,
        (Some(there), given) => match (&there.index, given) {
            (None, _) => {
                let what = format!("registry {name} has no index in this file");
                return Err(Report::new(what).hint("add its index to the file first"));
            }
            (Some(known), Some(given)) if known != given => {
                let what = format!("registry {name} has another index");
                return Err(Report::new(what).hint("leave --index out, or choose another name"));
            }
            (Some(known), _) => known,
        },
    };
    if !is_at(index) {
        let what = format!("the index of registry {name} is not at https://{pattern}");
        return Err(Report::new(what).hint("use an index like sparse+https://HOST/index/"));
    }
    Ok(vec![there.unwrap_or_else(|| Registry {
        name: name.clone(),
        index: None,
        provider: Vec::new(),
    })])
}

/// Returns the value of a TOML line; a text without ` = ` is returned unchanged.
fn value_of(line: &str) -> String {
    let value = line.split_once(" = ").map_or(line, |(_, value)| value);
    value.to_owned()
}

fn open(plan: &mut Plan<'_>) -> Result<FileChange, Error> {
    let file = plan.tool_file.clone();
    let file = file.or_else(|| files::file(plan.environment, &plan.directories));
    let mut file = plan.open_file(&known(file, "cargo", "CARGO_HOME")?)?;
    file.format = FORMAT;
    Ok(file)
}
