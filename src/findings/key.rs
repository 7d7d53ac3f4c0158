//! The findings of doctor and `config check` about a key: its size, expiry and file mode.

use crate::broker::secrets::EXPIRY_NOTICE;
use crate::error::Error;
use crate::findings::{Checks, failed, failed_with, ok, warning};
use crate::source::assertion;
use crate::source::exposure;
use crate::source::key::Key;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::sys::status::Status;
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::text::quote::word;

const NEW_KEY: &str =
    "create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file";

/// Checks a loaded key, and returns it; `None` if it cannot sign.
pub(crate) fn check(checks: &mut Checks, spec: &KeySpec, key: Key, now: UnixTime) -> Option<Key> {
    let source = &spec.source;
    let bits = match assertion::bits(&key) {
        Ok(bits) => bits,
        Err(report) => {
            checks.push(failed_with("key", &Error::Final(report.about(source))));
            return None;
        }
    };
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
        // The default profile is selected without an option.
        let with = if spec.options.is_empty() {
            ", with this profile"
        } else {
            ""
        };
        let store = match source {
            KeySource::File(_) => "",
            _ => ", and store the new key",
        };
        let remedy = format!("run {}{with}{store}", spec.rotation());
        checks.push(warning("key", finding, remedy));
    }
    if !has_warning {
        checks.push(ok("key", what));
    }
    Some(key)
}
