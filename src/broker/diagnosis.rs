//! Explains a refusal by local facts: newer servers give one response for all
//! causes, and the texts change between versions.

use std::time::Duration;

use crate::error::Report;
use crate::grant::Grant;
use crate::source::issuer::Refusal;
use crate::text::clock::UnixTime;
use crate::url::HttpUrl;

/// Clock difference above which the assertion is signed again by the issuer's time.
const TOLERANCE: Duration = Duration::from_secs(30);

/// Returns the report of a refused assertion that was sent to `endpoint`.
/// `key_expires_at` is the key's expiry, if the key file has one.
pub(super) fn explain(
    refusal: &Refusal,
    endpoint: &HttpUrl,
    grant: &Grant,
    key_expires_at: Option<UnixTime>,
    now: UnixTime,
) -> Report {
    let Refusal {
        status,
        code,
        description,
        date,
    } = refusal;
    let said = match code {
        Some(code) if description.is_empty() => format!("{code} (HTTP {status})"),
        Some(code) => format!("{code}: {description} (HTTP {status})"),
        // Not about the assertion: most likely not from ZITADEL.
        None => {
            return Report::new(format!("{endpoint}: {description}"))
                .found("the response is not an OAuth error, as a token endpoint sends it")
                .hint("check whether a proxy, a firewall or a login page answers in front of the issuer");
        }
    };
    let mut report = Report::new(format!("the issuer refused the assertion: {said}"));
    report = match date {
        Some(theirs) if is_off(*theirs, now) => report.found(clock(*theirs, now)),
        Some(_) => report.found("the issuer's clock and the local clock agree"),
        None => report.found("the response has no Date header, so the issuer's clock is unknown"),
    };
    report = match key_expires_at {
        Some(end) => report.found(format!(
            "the key file says that the key is valid until {end}"
        )),
        None => report.found("the key file has no expiration date"),
    };
    report.hint(format!(
        "check in ZITADEL that user {user} is an active service user, and that key {id} is listed under its Keys and not expired (a key made seconds ago may take a moment); otherwise create a new key",
        user = grant.user_id.as_str(),
        id = grant.key_id.as_str(),
    ))
}

/// True if two clocks differ by more than an assertion allows.
pub(crate) fn is_off(theirs: UnixTime, ours: UnixTime) -> bool {
    theirs.since(ours).max(ours.since(theirs)) > TOLERANCE
}

/// Returns the difference of the clocks and, after a colon, the remedy.
pub(crate) fn clock(theirs: UnixTime, ours: UnixTime) -> String {
    let (span, side) = if theirs > ours {
        (theirs.since(ours), "behind")
    } else {
        (ours.since(theirs), "ahead of")
    };
    format!(
        "the local clock is {} s {side} the issuer's: synchronize it (NTP)",
        span.as_secs()
    )
}
