//! Checks the profile and the source of its tokens.

use crate::broker::{Broker, Loaded, Request};
use crate::error::Error;
use crate::findings;
use crate::findings::{Checks, failed_with, ok, skipped};
use crate::source::Source;
use crate::source::key::spec::KeySpec;
use crate::text::clock::Clock;
use crate::text::quote;

/// Checks both. Returns the broker; `None` if the source is unusable.
pub(super) fn check<'r>(
    checks: &mut Checks,
    request: &'r Result<Request<'_>, Error>,
    profile: Option<&str>,
    is_read: bool,
    clock: &'r Clock,
) -> Option<Broker<'r>> {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            checks.push(if is_read {
                failed_with("profile", error)
            } else {
                skipped("profile", "the configuration could not be loaded")
            });
            checks.push(skipped("key", "no profile can be used"));
            return None;
        }
    };
    let name = profile.map_or("flags and environment".to_owned(), quote::path);
    checks.push(ok(
        "profile",
        format!("{name}: {}", findings::source::settings(request)),
    ));
    let environment = request.network.environment;
    let deadline = &request.deadline;
    match &request.source {
        Source::Key(key) | Source::SelfSigned(key) => {
            return of_key(checks, key, request, clock);
        }
        Source::Signer(signer) => {
            if !findings::source::signer(checks, signer, deadline, true) {
                return None;
            }
        }
        Source::Client(client) => {
            let secret = client.load(environment, deadline);
            let secret = secret.inspect_err(|error| checks.push(failed_with("secret", error)));
            let secret = secret.ok()?;
            findings::source::client(checks, client);
            return Some(Broker::of_client(request, clock, client, secret));
        }
        Source::Supplier(supplier) => {
            findings::source::supplier(checks, supplier, environment, deadline, clock).ok()?;
        }
    }
    Broker::new(request, clock)
        .inspect_err(|error| checks.push(failed_with("source", error)))
        .ok()
}

fn of_key<'r>(
    checks: &mut Checks,
    spec: &KeySpec,
    request: &'r Request<'_>,
    clock: &'r Clock,
) -> Option<Broker<'r>> {
    let key = match spec.load(request.network.environment, &request.deadline) {
        Ok(key) => key,
        Err(error) => {
            checks.push(failed_with("key", &error));
            return None;
        }
    };
    let key = findings::key::check(checks, spec, key, clock())?;
    let (id, user) = (key.id.clone(), key.user.clone());
    // The broker reads the key again to sign, so that no key is in memory while other
    // checks wait. A pipe cannot be read again.
    let loaded = spec.source.is_read_once().then_some(Loaded::Key(key));
    Some(Broker::of(request, clock, id, user, loaded))
}
