//! Checks the profile and its key: source, type, file mode and expiry.

use crate::broker::Request;
use crate::call::World;
use crate::error::Error;
use crate::findings;
use crate::findings::{Checks, failed_with, ok, skipped};
use crate::source::key::Key;
use crate::text::quote::quoted;

/// Checks both. Returns the key; `None` if it cannot sign.
pub(super) fn check(
    checks: &mut Checks,
    request: &Result<Request<'_>, Error>,
    profile: Option<&str>,
    is_read: bool,
    world: &World<'_>,
) -> Option<Key> {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            checks.push(if is_read {
                failed_with("profile", error)
            } else {
                skipped("profile", "the configuration could not be loaded")
            });
            checks.push(skipped("key", "no profile names a key"));
            return None;
        }
    };
    let name = profile.map_or("flags and environment".to_owned(), quoted);
    checks.push(ok(
        "profile",
        format!(
            "{name}: issuer {}, scopes {}",
            request.issuer.as_str(),
            request.scopes
        ),
    ));
    let key = match request
        .key
        .load(request.network.environment, &request.deadline)
    {
        Ok(key) => key,
        Err(error) => {
            checks.push(failed_with("key", &error));
            return None;
        }
    };
    findings::key::check(checks, &request.key.source, key, (world.clock)())
}
