//! `cache`: lists and removes cached tokens.

use std::io;
use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cache::listing::{ELSEWHERE, Listed, list, sweep};
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, ListOutput, Options};
use crate::config::Config;
use crate::error::{Error, Report};
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::text::quote::system;

#[derive(Args, Debug)]
pub(crate) struct Cache {
    /// The subcommand.
    #[command(subcommand)]
    pub action: CacheAction,
}

/// Show or remove the tokens in the cache
#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// Show the entries, without their tokens; --key-id selects one key's
    #[command(after_help = "\
Examples:
  zitadel-credential cache list
  zitadel-credential cache list --output json | jq '.[].expires_at'")]
    List(CacheList),
    /// Remove the entries; --key-id selects one key's
    #[command(after_help = "\
Examples:
  zitadel-credential cache clear --expired
  zitadel-credential cache clear --key-id 317240000000000002")]
    Clear(CacheClear),
}

#[derive(Args, Debug)]
pub(crate) struct CacheList {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct CacheClear {
    /// Remove only expired entries
    #[arg(long)]
    pub expired: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// `cache`: lists or removes entries; never shows a token.
pub(crate) fn cache(
    world: &mut World<'_>,
    config: &Config<'_>,
    args: &Cache,
) -> Result<Answer, Error> {
    let Some(root) = config.cache_root() else {
        return Err(Error::Usage(
            Report::new("no cache directory: the home directory is unknown")
                .hint("set --cache-dir"),
        ));
    };
    let failed = |error: &io::Error| {
        Error::Final(Report::new(format!("cache {}", system(error))).hint(ELSEWHERE))
    };
    let now = (world.clock)();
    let mut entries = list(&root).map_err(|error| failed(&error))?;
    if let Some(key_id) = config.caller_key_id() {
        entries.retain(|entry| entry.grant.key_id.as_str() == key_id);
    }
    match &args.action {
        CacheAction::List(list) => Ok(Answer::new(match list.output {
            ListOutput::Text => {
                let has_colour = (world.terminal)().has_colour(world.environment);
                table(&entries, now, has_colour)
            }
            ListOutput::Json => documents(&entries, now),
        })),
        CacheAction::Clear(clear) => clear_cache(world, config, &root, &entries, clear.expired)
            .map_err(|error| failed(&error)),
    }
}

/// Removes the given entries; without `--expired` and `--key-id`, also every other
/// file in the cache that may contain a token. Reports files that cannot be removed
/// and continues with the others.
fn clear_cache(
    world: &mut World<'_>,
    config: &Config<'_>,
    root: &Path,
    entries: &[Listed],
    expired: bool,
) -> io::Result<Answer> {
    let now = (world.clock)();
    let mut removed = 0;
    let mut failures = Vec::new();
    for entry in entries {
        match entry.remove(|entry| !expired || entry.expires_at <= now) {
            Ok(was) => removed += usize::from(was),
            Err(error) => failures.push((entry.path().to_owned(), error)),
        }
    }
    if !expired && config.caller_key_id().is_none() {
        failures.extend(sweep(root)?);
    }
    let plural = if removed == 1 { "token" } else { "tokens" };
    // Revocation matters only if a token was removed.
    let still_good = if removed == 0 {
        ""
    } else {
        "; they stay valid at ZITADEL until they expire"
    };
    let text = format!("{removed} {plural} removed{still_good}\n");
    if failures.is_empty() {
        return Ok(Answer::new(text));
    }
    let mut report = Report::new("cannot remove some files");
    for (path, error) in &failures {
        report = report.found(format!("{}: {}", quote::path(path), system(error)));
    }
    let report = report.hint(ELSEWHERE);
    crate::call::report(world, &Error::Final(report));
    Ok(Answer::new(text).with_code(1))
}

fn documents(entries: &[Listed], now: UnixTime) -> String {
    let documents: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({
                "key_id": entry.grant.key_id.as_str(),
                "user_id": entry.grant.user_id.as_str(),
                "issuer": entry.grant.issuer.as_str(),
                "scopes": entry.grant.scopes.iter().collect::<Vec<_>>(),
                "expires_at": entry.expires_at.to_string(),
                "expires_in": entry.expires_at.since(now).as_secs(),
                "kind": kind(entry),
                "size": entry.size,
            })
        })
        .collect();
    format!("{:#}\n", json!(documents))
}

fn kind(entry: &Listed) -> &'static str {
    if entry.is_jwt { "jwt" } else { "opaque" }
}

/// Formats the entries as a table; with colour, expired ones are dim.
fn table(entries: &[Listed], now: UnixTime, has_colour: bool) -> String {
    let head = [
        "KEY ID", "ISSUER", "SCOPES", "EXPIRES", "LEFT", "KIND", "BYTES",
    ];
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned))
        .chain(entries.iter().map(|entry| {
            [
                entry.grant.key_id.as_str().to_owned(),
                entry.grant.issuer.as_str().to_owned(),
                entry.grant.scopes.to_string(),
                entry.expires_at.to_string(),
                left(entry.expires_at, now),
                kind(entry).to_owned(),
                entry.size.to_string(),
            ]
        }))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max();
    let widths: Vec<_> = (0..head.len()).map(|c| width(c).unwrap_or(0)).collect();
    let mut text = String::new();
    let expired = entries.iter().map(|entry| entry.expires_at <= now);
    for (row, has_expired) in rows.iter().zip(std::iter::once(false).chain(expired)) {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"));
        let cells = cells.collect::<Vec<_>>().join("  ");
        let line = cells.trim_end();
        let is_dim = has_colour && has_expired;
        let (dim, bright) = if is_dim {
            ("\x1b[2m", "\x1b[0m")
        } else {
            ("", "")
        };
        text.extend([dim, line, bright, "\n"]);
    }
    text
}

/// Formats a token's remaining lifetime in its two largest units.
fn left(end: UnixTime, now: UnixTime) -> String {
    let secs = end.since(now).as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        _ if secs == 0 => "none".to_owned(),
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_lifetime_has_two_units() {
        let at = |secs| left(UnixTime::from_secs(secs), UnixTime::from_secs(0));
        for (secs, text) in [
            (0, "none"),
            (59, "59 s"),
            (60, "1 min"),
            (43_199, "11 h 59 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(at(secs), text);
        }
    }
}
