//! Checks the profile and its key: source, type, file mode and expiry.

use crate::broker::Request;
use crate::broker::mint::EXPIRY_NOTICE;
use crate::call::World;
use crate::error::Error;
use crate::findings::{Checks, failed, failed_with, ok, skipped, warning};
use crate::source::assertion;
use crate::source::key::spec::KeySource;
use crate::source::key::{Key, exposure};
use crate::sys::status::Status;
use crate::text::quote;
use crate::text::quote::{quoted, word};

const NEW_KEY: &str =
    "create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file";

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
    check_key(checks, request, key, world)
}

fn check_key(
    checks: &mut Checks,
    request: &Request<'_>,
    key: Key,
    world: &World<'_>,
) -> Option<Key> {
    let source = &request.key.source;
    let bits = match assertion::bits(&key) {
        Ok(bits) => bits,
        Err(report) => {
            checks.push(failed_with("key", &Error::Final(report.about(source))));
            return None;
        }
    };
    let now = (world.clock)();
    let end = match key.expires_at {
        Some(end) if end <= now => {
            let what = format!("{source}: the key expired at {end}; the local clock says {now}");
            checks.push(failed("key", what, NEW_KEY));
            return None;
        }
        Some(end) => format!("valid until {end}"),
        None => "no expiry date in the file".to_owned(),
    };
    let mut what = format!(
        "{source}: key {} of service user {}, RSA {bits} bits, {end}",
        key.id.as_str(),
        key.user.as_str()
    );
    let mut has_warning = false;
    if let KeySource::File(path) = source
        && let Ok(status) = Status::of(path)
        && status.is_file()
    {
        let shown = status.shown_mode();
        if status.is_open_to_others() {
            has_warning = true;
            let finding = format!("{source}: accessible to other users ({shown})");
            checks.push(warning("key", finding, format!("chmod 600 {}", word(path))));
        } else {
            what = format!("{what}, {shown}");
        }
        for dir in exposure::open_directories(path) {
            has_warning = true;
            let finding = format!(
                "{source}: every user can replace it in {}",
                quote::path(&dir)
            );
            checks.push(warning("key", finding, format!("chmod o-w {}", word(&dir))));
        }
    }
    if let Some(end) = key.expires_at
        && end.since(now) < EXPIRY_NOTICE
    {
        has_warning = true;
        let finding = format!("{source}: the key expires at {end}");
        checks.push(warning("key", finding, NEW_KEY));
    }
    if !has_warning {
        checks.push(ok("key", what));
    }
    Some(key)
}
