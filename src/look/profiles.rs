//! `profile list`: the profiles with issuer, key and hosts.

use serde_json::{Value, json};

use crate::call::Answer;
use crate::cli::options::ListOutput;
use crate::config::Config;
use crate::config::shown::Listed;
use crate::text::quote;

/// The terminal width that every line fits into, if its values are short enough.
const WIDTH: usize = 80;

/// Lists the profiles of the config file.
pub(crate) fn profiles(config: &Config<'_>, output: ListOutput) -> Answer {
    let all = config.listed();
    Answer::new(match output {
        ListOutput::Json => document(&all),
        ListOutput::Text if all.is_empty() => none(config),
        ListOutput::Text => all.iter().map(block).collect::<Vec<_>>().join("\n"),
    })
}

fn none(config: &Config<'_>) -> String {
    let place = config
        .path()
        .map_or("no config file".to_owned(), quote::path);
    format!("{place}: no profiles; zitadel-credential setup profile NAME adds one\n")
}

fn document(all: &[Listed<'_>]) -> String {
    let objects = all.iter().map(|profile| {
        let key = profile.source.as_ref().ok().and_then(Option::as_ref);
        json!({
            "name": quote::path(profile.name),
            "default": profile.is_default,
            "issuer": profile.issuer,
            "key_source": key.map(|(source, _)| source),
            "key": key.map(|(_, place)| place),
            "hosts": profile.hosts,
        })
    });
    format!("{:#}\n", objects.collect::<Value>())
}

/// Returns a profile's lines.
fn block(profile: &Listed<'_>) -> String {
    let mark = if profile.is_default { " (default)" } else { "" };
    let issuer = profile.issuer.as_deref().unwrap_or("none");
    let key = match &profile.source {
        Ok(Some((source, place))) => format!("{source} {place}"),
        Ok(None) => "none".to_owned(),
        Err(error) => error.report().headline(),
    };
    let name = quote::path(profile.name);
    let hosts = listed(&profile.hosts);
    // A token or a client is a source without our key.
    let is_other = ["token", "client"].iter().any(|kind| key.starts_with(kind));
    let label = if is_other { "source" } else { "key   " };
    format!("{name}{mark}\n  issuer  {issuer}\n  {label}  {key}\n  hosts   {hosts}\n")
}

/// Returns the hosts as a list, with further lines aligned below the first one.
fn listed(hosts: &[String]) -> String {
    const INDENT: usize = 10;
    if hosts.is_empty() {
        return "none".to_owned();
    }
    let mut lines = vec![String::new()];
    for (at, host) in hosts.iter().enumerate() {
        let comma = if at + 1 == hosts.len() { "" } else { "," };
        let word = format!("{host}{comma}");
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if INDENT + line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.join(&format!("\n{:INDENT$}", ""))
}
