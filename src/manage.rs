//! `cache`: lists and removes cached tokens.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::broker::Broker;
use crate::cache::listing::{ELSEWHERE, Listed, list};
use crate::cache::sweep::{Swept, sweep};
use crate::call::{Answer, World};
use crate::cli::options::{EVERY, ListOutput, Options};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::grant::Grant;
use crate::host::{Ask, HostPattern, HostRule, Miss};
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::text::quote::{quoted, system};
use crate::text::terminal::Terminal;
use crate::text::wrap::wrapped;
use crate::url::IssuerUrl;

#[derive(Args, Debug)]
pub(crate) struct Cache {
    /// The subcommand.
    #[command(subcommand)]
    pub action: CacheAction,
}

/// Show or remove the tokens in the cache
#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// Show the entries, without their tokens; --host, --profile and --key-id
    /// select those of a host, a profile or a key
    #[command(after_help = "\
Examples:
  zitadel-credential cache list
  zitadel-credential cache list --output json | jq '.[].expires_at'")]
    List(CacheList),
    /// Remove the entries; --host, --profile and --key-id select those of a
    /// host, a profile or a key
    #[command(after_help = "\
Examples:
  zitadel-credential cache clear --expired
  zitadel-credential cache clear --host git.acme.dev
  zitadel-credential cache clear --profile ci
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

/// The entries that a call selects.
pub(crate) enum Selection {
    /// All entries.
    All,
    /// The entries of the key with this ID.
    Key(String),
    /// The entries of a profile's key at its issuer, with any scopes.
    Profile(Grant),
    /// The tokens of these hosts.
    Hosts(Vec<Grant>),
}

impl Selection {
    /// Returns the selection of the options. Their variables select nothing: `cache clear`
    /// without options removes all.
    ///
    /// # Errors
    /// There is no such profile or host rule, its key cannot be read, or a profile and a
    /// key ID are both given.
    pub(crate) fn of(
        world: &World<'_>,
        config: &Config<'_>,
        hosts: &[OsString],
        options: &Options,
    ) -> Result<Self, Error> {
        let grant = |asker| {
            let request = config.request(asker)?;
            let broker = Broker::new(&request, world.clock).map_err(|error| {
                error.map(|report| report.hint("name the key by its ID: --key-id"))
            })?;
            Ok(broker.grant().clone())
        };
        if !hosts.is_empty() {
            let rules = hosts.iter().map(|host| rule_of(config, host));
            let grants = rules.map(|rule| grant(Asker::of(rule?)));
            return Ok(Self::Hosts(grants.collect::<Result<_, Error>>()?));
        }
        match (&options.key_id, &options.profile) {
            (Some(_), Some(_)) => Err(Error::Usage(
                Report::new("--profile and --key-id are both given")
                    .hint("leave one of them out: each selects the entries of a key"),
            )),
            (Some(id), None) => Ok(Self::Key(id.to_string_lossy().into_owned())),
            (None, Some(_)) => Ok(Self::Profile(grant(Asker::default())?)),
            (None, None) => Ok(Self::All),
        }
    }

    fn has(&self, entry: &Grant) -> bool {
        match self {
            Self::All => true,
            Self::Key(id) => entry.key_id.as_str() == id,
            Self::Profile(grant) => {
                let parts = |grant: &Grant| {
                    let Grant {
                        issuer,
                        key_id,
                        user_id,
                        scopes: _,
                    } = grant.clone();
                    (issuer, key_id, user_id)
                };
                parts(entry) == parts(grant)
            }
            Self::Hosts(grants) => grants.contains(entry),
        }
    }
}

/// The hint for a host without a host rule, which has no token.
const ALL_HOSTS: &str = "run zitadel-credential config show to see the hosts, and zitadel-credential cache list to see all tokens";

/// Returns the rule of a host, or the rule with this pattern.
fn rule_of<'c>(config: &'c Config<'_>, host: &OsStr) -> Result<&'c HostRule, Error> {
    let text = host.to_string_lossy();
    let pattern = HostPattern::parse(&text);
    if let Some(rule) = pattern.and_then(|pattern| config.rules().named(&pattern)) {
        return Ok(rule);
    }
    let Some(Ask { origin, username }) = Ask::typed(&text) else {
        let what = format!("--host: invalid host: \"{}\"", quoted(&text));
        let hint = Config::host_within(&text).map_or_else(
            || "write host, host:port or a host rule's pattern".to_owned(),
            |host| format!("write --host {host}"),
        );
        return Err(Error::Usage(Report::new(what).hint(hint)));
    };
    let found = config.rules().find(&origin, username.as_deref());
    found.map_err(|miss| {
        let report = miss.report(&origin);
        // The report's own hint would propose to add a host rule.
        Error::Usage(match miss {
            Miss::Unknown => Report::new(report.headline()).hint(ALL_HOSTS),
            _ => report,
        })
    })
}

/// `cache`: lists or removes entries; never shows a token.
pub(crate) fn cache(
    world: &mut World<'_>,
    config: &Config<'_>,
    selection: &Selection,
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
    entries.retain(|entry| selection.has(&entry.grant));
    match &args.action {
        CacheAction::List(list) => Ok(Answer::new(match list.output {
            ListOutput::Text if entries.is_empty() => match selection {
                Selection::Key(id) => format!(
                    "no tokens of key ID {} in {}\n",
                    quoted(id),
                    quote::path(&root)
                ),
                _ => format!("no tokens in {}\n", quote::path(&root)),
            },
            ListOutput::Text => {
                let terminal = (world.terminal)();
                table(
                    &entries,
                    now,
                    terminal,
                    terminal.has_colour(world.environment),
                )
            }
            ListOutput::Json => documents(&entries, now),
        })),
        CacheAction::Clear(clear) => clear_cache(world, selection, &root, &entries, clear.expired)
            .map_err(|error| failed(&error)),
    }
}

/// Removes the given entries; if all are selected, also every other file of this program
/// in the cache that may contain a token, and reports how many files of other programs
/// stay. Reports files that cannot be removed and continues with the others.
fn clear_cache(
    world: &mut World<'_>,
    selection: &Selection,
    root: &Path,
    entries: &[Listed],
    expired: bool,
) -> io::Result<Answer> {
    let now = (world.clock)();
    let mut removed = 0;
    // Runs before the entries are removed: the files beside a token's file identify it.
    let Swept { mut failed, others } = if !expired && matches!(selection, Selection::All) {
        sweep(root)?
    } else {
        Swept::default()
    };
    for entry in entries {
        match entry.remove(|entry| !expired || entry.expires_at <= now) {
            Ok(was) => removed += usize::from(was),
            Err(error) => failed.push((entry.path().to_owned(), error)),
        }
    }
    let plural = if removed == 1 { "token" } else { "tokens" };
    // Revocation matters only if a token was removed.
    let still_good = if removed == 0 {
        ""
    } else {
        "; they stay valid at ZITADEL until they expire"
    };
    let stay = match others {
        0 => String::new(),
        1 => format!("1 file of other programs stays in {}\n", quote::path(root)),
        _ => format!(
            "{others} files of other programs stay in {}\n",
            quote::path(root)
        ),
    };
    let text = format!("{removed} {plural} removed{still_good}\n{stay}");
    if failed.is_empty() {
        return Ok(Answer::new(text));
    }
    let mut report = Report::new("cannot remove some files");
    for (path, error) in &failed {
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
                "issuer": entry.grant.issuer.as_ref().map(IssuerUrl::as_str),
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

fn issuer_of(entry: &Listed) -> String {
    let issuer = entry.grant.issuer.as_ref();
    issuer.map_or("-", IssuerUrl::as_str).to_owned()
}

fn kind(entry: &Listed) -> &'static str {
    if entry.is_jwt { "jwt" } else { "opaque" }
}

/// Formats the entries as a table. On a terminal an entry's issuer and scopes are on
/// separate lines, because one line would be too long; with colour, expired entries are
/// dim.
fn table(entries: &[Listed], now: UnixTime, terminal: Terminal, has_colour: bool) -> String {
    let cells = |entry: &Listed| {
        [
            entry.grant.key_id.as_str().to_owned(),
            issuer_of(entry),
            entry.grant.scopes.to_string(),
            entry.expires_at.to_string(),
            left(entry.expires_at, now),
            kind(entry).to_owned(),
            entry.size.to_string(),
        ]
    };
    let head = [
        "KEY ID", "ISSUER", "SCOPES", "EXPIRES", "LEFT", "KIND", "BYTES",
    ];
    let is_below = |column: usize| terminal.stdout && (1..=2).contains(&column);
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned))
        .chain(entries.iter().map(cells))
        .collect();
    let widths: Vec<_> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    let expired = entries.iter().map(|entry| entry.expires_at <= now);
    for (number, (row, has_expired)) in rows
        .iter()
        .zip(std::iter::once(false).chain(expired))
        .enumerate()
    {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.filter(|(column, _)| !is_below(*column));
        let cells = cells.map(|(_, (cell, &width))| format!("{cell:width$}"));
        let mut lines = cells.collect::<Vec<_>>().join("  ").trim_end().to_owned();
        let below = row
            .iter()
            .enumerate()
            .filter(|(column, _)| is_below(*column));
        for (_, cell) in below.filter(|_| number > 0) {
            lines = lines + "\n  " + &wrapped(cell, 2, 4);
        }
        let (dim, bright) = if has_colour && has_expired {
            ("\x1b[2m", "\x1b[0m")
        } else {
            ("", "")
        };
        text.extend([dim, &lines, bright, "\n"]);
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
