//! Why the issuer said no, as far as it can be found out on this side: newer
//! servers fold all causes into one answer, and texts change between versions.

use std::time::Duration;

use crate::error::Report;
use crate::grant::Grant;
use crate::source::issuer::Refusal;
use crate::text::clock::UnixTime;
use crate::url::HttpUrl;

/// How far the issuer's clock may be from ours before it is worth an assertion
/// by the issuer's time.
const TOLERANCE: Duration = Duration::from_secs(30);

/// Explains a refusal of an assertion that was presented at `endpoint`, and
/// signed with a key that is good until `key_expires_at` where that is known.
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
        // It says nothing of the assertion: most likely it is not ZITADEL's.
        None => {
            return Report::new(format!("{endpoint}: {description}"))
                .found("it is no OAuth error, as a token endpoint would send it")
                .hint("see what answers there: a proxy, a firewall or a login page may stand before the issuer");
        }
    };
    let mut report = Report::new(format!("the issuer refused the assertion: {said}"));
    report = match date {
        Some(theirs) if is_off(*theirs, now) => report.found(clock(*theirs, now)),
        Some(_) => report.found("its clock and ours agree"),
        None => report.found("it sent no Date, so its clock is not known"),
    };
    report = match key_expires_at {
        Some(end) => report.found(format!(
            "the key file says that the key is good until {end}"
        )),
        None => report.found("the key file does not say until when the key is good"),
    };
    report.hint(format!(
        "in ZITADEL, see whether user {user} is an active service user and key {id} is listed under its Keys and not expired (a key made seconds ago may take a moment); if not, make a new one",
        user = grant.user_id.as_str(),
        id = grant.key_id.as_str(),
    ))
}

/// Whether two clocks disagree by more than an assertion forgives.
pub(crate) fn is_off(theirs: UnixTime, ours: UnixTime) -> bool {
    theirs.since(ours).max(ours.since(theirs)) > TOLERANCE
}

/// By how much the clocks disagree, and after a colon what to do.
pub(crate) fn clock(theirs: UnixTime, ours: UnixTime) -> String {
    let (span, side) = if theirs > ours {
        (theirs.since(ours), "behind")
    } else {
        (ours.since(theirs), "ahead of")
    };
    format!(
        "this clock is {} s {side} the issuer's: set it right (NTP)",
        span.as_secs()
    )
}
