//! Checks the cache: owner and mode, write access, lock, entries.

use crate::broker::Broker;
use crate::cache::listing::{ELSEWHERE, list};
use crate::cache::lock::Lock;
use crate::call::World;
use crate::config::Config;
use crate::findings::{Checks, failed, ok, warning};
use crate::sys::files::can_create_in;
use crate::text::quote;
use crate::text::quote::system;

pub(super) fn check(
    checks: &mut Checks,
    config: &Config<'_>,
    broker: Option<&Broker<'_>>,
    world: &World<'_>,
) {
    let Some(root) = config.cache_root() else {
        checks.push(warning(
            "cache",
            "no cache directory: the home directory is unknown",
            "set --cache-dir",
        ));
        return;
    };
    let shown = quote::path(&root);
    let entries = match list(&root) {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!(
                "{}; without the cache, each call requests a new token",
                system(&error)
            );
            checks.push(failed("cache", what, ELSEWHERE));
            return;
        }
    };
    let place = root.ancestors().find(|dir| dir.exists());
    if let Some(place) = place
        && !can_create_in(place)
    {
        let what = format!(
            "cannot write to {}; without the cache, each call requests a new token",
            quote::path(place)
        );
        checks.push(failed("cache", what, ELSEWHERE));
        return;
    }
    if !root.exists() {
        checks.push(ok(
            "cache",
            format!("{shown} does not exist yet: the first token creates it"),
        ));
        return;
    }
    if let Some(path) = broker.and_then(Broker::lock_path)
        && !matches!(Lock::is_held(&path), Ok(None | Some(false)))
    {
        let what = match Lock::is_held(&path) {
            Err(error) => format!("lock {}: {}", quote::path(&path), system(&error)),
            _ => format!("another process holds the lock {}", quote::path(&path)),
        };
        checks.push(warning("cache", what, "run doctor again: a process that requests a token holds the lock for a moment; if it stays locked, find the process (lslocks, fuser)"));
        return;
    }
    let now = (world.clock)();
    let valid = entries
        .iter()
        .filter(|entry| entry.expires_at > now)
        .count();
    checks.push(ok(
        "cache",
        format!(
            "{shown}: private, tokens: {}, valid: {valid}",
            entries.len()
        ),
    ));
}
