//! The cache: whose it is, whether it can be written and locked, what is in it.

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
            "there is none: no home directory is known",
            "--cache-dir names a place",
        ));
        return;
    };
    let shown = quote::path(&root);
    let entries = match list(&root) {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!("{}; each call mints a token of its own", system(&error));
            checks.push(failed("cache", what, ELSEWHERE));
            return;
        }
    };
    let place = root.ancestors().find(|dir| dir.exists());
    if let Some(place) = place
        && !can_create_in(place)
    {
        let what = format!(
            "{} cannot be written to; each call mints a token of its own",
            quote::path(place)
        );
        checks.push(failed("cache", what, ELSEWHERE));
        return;
    }
    if !root.exists() {
        checks.push(ok(
            "cache",
            format!("{shown} is not there yet: the first token makes it"),
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
        checks.push(warning("cache", what, "one that mints holds it for a moment: look again; if it stays, see who has it (lslocks, fuser)"));
        return;
    }
    let now = (world.clock)();
    let good = entries
        .iter()
        .filter(|entry| entry.expires_at > now)
        .count();
    checks.push(ok(
        "cache",
        format!(
            "{shown}: ours alone, tokens: {}, of which good: {good}",
            entries.len()
        ),
    ));
}
