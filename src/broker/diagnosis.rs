//! Explains a refusal by local facts: newer servers send one response for all causes, and
//! the texts change between versions.

use std::time::Duration;

use crate::error::{Error, Report};
use crate::grant::Grant;
use crate::source::Source;
use crate::source::issuer::Refusal;
use crate::source::issuer::verdict::Verdict;
use crate::text::clock::UnixTime;
use crate::url::HttpUrl;

/// Clock difference above which the assertion is signed again by the issuer's time.
const TOLERANCE: Duration = Duration::from_secs(30);

/// The limit for a server's `Date` ahead of the local clock: a clock error is smaller,
/// and an assertion of that date would be valid long after the key is removed.
const MOST_AHEAD: Duration = Duration::from_secs(24 * 3600);

/// The time of this version's release, or a little earlier. A clock before it is wrong,
/// for example after its battery died.
const RELEASED: UnixTime = UnixTime::from_secs(1_793_491_200);

/// A refusal, and the known facts about the refused request.
pub(super) struct Refused<'r> {
    pub(super) refusal: &'r Refusal,
    /// The URL of the request.
    pub(super) endpoint: &'r HttpUrl,
    pub(super) grant: &'r Grant,
    pub(super) source: &'r Source,
    /// The key's expiry, if the key file has one.
    pub(super) key_expires_at: Option<UnixTime>,
}

impl Refused<'_> {
    /// Returns the refusal's error.
    pub(super) fn explain(&self, now: UnixTime) -> Error {
        let Refusal {
            verdict,
            status,
            code,
            description,
            date: _,
        } = self.refusal;
        let said = match code {
            Some(code) if description.is_empty() => format!("{code} (HTTP {status})"),
            Some(code) => format!("{code}: {description} (HTTP {status})"),
            // The refusal is not about the proof: most likely it is not from ZITADEL.
            None => {
                let endpoint = self.endpoint;
                return Error::Final(Report::new(format!("{endpoint}: {description}"))
                    .found("the response is not an OAuth error, as a token endpoint sends it")
                    .hint("check whether a proxy, a firewall or a login page answers in front of the issuer"));
            }
        };
        let report = if matches!(self.source, Source::Client(_)) {
            self.of_client(&said)
        } else {
            self.of_assertion(&said, now)
        };
        match verdict {
            Verdict::Refused => Error::Refused(report),
            _ => Error::Final(report),
        }
    }

    fn of_client(&self, said: &str) -> Report {
        let user = self.grant.user_id.as_str();
        let report = Report::new(format!("the issuer refused the client secret: {said}"));
        let report = report.hint(format!(
            "check in ZITADEL that {user} is the name (not the ID) of an active service user, and that this is its latest client secret: a new one replaces it at once"
        ));
        if self.refusal.verdict == Verdict::Unclear {
            report.hint(OWN_TROUBLE)
        } else {
            report
        }
    }

    fn of_assertion(&self, said: &str, now: UnixTime) -> Report {
        let report = Report::new(format!("the issuer refused the assertion: {said}"));
        let report = match self.refusal.date {
            Some(theirs) if !is_believed(theirs, now) => report.found(disbelieved(theirs, now)),
            Some(theirs) if is_off(theirs, now) => report.found(clock(theirs, now)),
            Some(_) => report.found("the issuer's clock and the local clock agree"),
            None => {
                report.found("the response has no Date header, so the issuer's clock is unknown")
            }
        };
        let report = match (self.key_expires_at, self.source) {
            (Some(end), _) => report.found(format!(
                "the key file says that the key is valid until {end}"
            )),
            (None, Source::Signer(signer)) if signer.public_key_file.is_none() => report.found(
                "no public-key-file is set, so the signature of the sign-command is not checked",
            ),
            (None, Source::Signer(_)) => report,
            (None, _) => report.found("the key file has no expiration date"),
        };
        let mut report = report.hint(format!(
            "check in ZITADEL that user {user} is an active service user, and that key {id} is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key",
            user = self.grant.user_id.as_str(),
            id = self.grant.key_id.as_str(),
        ));
        // These two have the most causes, and no version distinguishes them.
        let is_unclear = self.refusal.verdict == Verdict::Unclear;
        if is_unclear || self.refusal.code.as_deref() == Some("invalid_grant") {
            if let Some(issuer) = &self.grant.issuer {
                report = report.hint(format!(
                    "check that neither the user nor the key was removed, and that both are of the instance {} and not of another instance",
                    issuer.as_str()
                ));
            }
            report = report.hint(OWN_TROUBLE);
        }
        report
    }
}

const OWN_TROUBLE: &str = "check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only";

/// True if a server's `Date` is accepted as the time of an assertion.
pub(crate) fn is_believed(theirs: UnixTime, ours: UnixTime) -> bool {
    let has_dead_battery = ours < RELEASED;
    theirs >= RELEASED && (has_dead_battery || theirs.since(ours) <= MOST_AHEAD)
}

/// Returns the reason why a `Date` is not accepted.
pub(crate) fn disbelieved(theirs: UnixTime, ours: UnixTime) -> String {
    format!(
        "the response is dated {theirs}, but the local clock says {ours}: the difference is too large to believe the response's date"
    )
}

/// True if two clocks differ by more than an assertion tolerates.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_plausible_up_to_a_day_ahead_and_not_before_the_release() {
        const DAY: u64 = 24 * 3600;
        let released = RELEASED.as_secs();
        let now = released + 100 * DAY;
        for (theirs, ours, expected) in [
            (now, now, true),
            (now + DAY, now, true),
            (now + DAY + 1, now, false),
            (now + 10 * 365 * DAY, now, false),
            (now - 99 * DAY, now, true),
            (released, now, true),
            (released - 1, now, false),
            (0, now, false),
            // A dead battery resets the clock.
            (now, 0, true),
            (now, released - 1, true),
            (now, released, false),
            (released - 1, 0, false),
        ] {
            let [theirs_at, ours_at] = [theirs, ours].map(UnixTime::from_secs);
            let is_so = is_believed(theirs_at, ours_at);
            assert_eq!(is_so, expected, "{theirs} at {ours}");
        }
    }

    #[test]
    fn the_release_is_not_in_the_future() {
        assert!(RELEASED <= UnixTime::now());
    }
}
