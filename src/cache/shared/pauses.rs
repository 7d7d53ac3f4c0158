//! How long all machines pause: after a temporary failure, and while the issuer bans them.
//! Both end by the clock too, because a store could keep them forever.

use std::time::Duration;

use super::entry::SKEW;
use super::seal::Opened;
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;

/// The pause of all machines after a temporary failure.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

/// The longest accepted ban.
pub const LONGEST_BAN: Duration = Duration::from_secs(90);

/// Returns how long a ban lasts; `None` if it is over. The store's key expires with the ban,
/// so a clock that is wrong by less than [`SKEW`] neither ends nor extends it. A key that the
/// store keeps for longer is no ban.
pub(super) fn ban_of(value: &[u8], now: UnixTime) -> Option<Duration> {
    let end = std::str::from_utf8(value).ok()?.parse().ok()?;
    let end = UnixTime::from_secs(end);
    let left = end.since(now);
    let is_now = left <= LONGEST_BAN + SKEW && now.since(end) <= SKEW;
    is_now.then(|| left.clamp(Duration::from_secs(1), LONGEST_BAN))
}

/// Returns the text of a pause; `None` if it is over.
pub(super) fn pause_of(opened: &Opened, now: UnixTime) -> Option<String> {
    let is_now = opened.obtained_at.since(now) <= SKEW && now.since(opened.expires_at) <= SKEW;
    let is_short = opened.expires_at.since(opened.obtained_at) <= PAUSE;
    let text = std::str::from_utf8(&opened.content).ok()?;
    (is_now && is_short).then(|| quoted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_ends_by_the_clock_too() {
        let now = UnixTime::from_secs(1000);
        let secs = |secs| Some(Duration::from_secs(secs));
        for (value, ban) in [
            ("1060", secs(60)),
            ("1090", secs(90)),
            // The clock of the machine that wrote it may be ahead or behind.
            ("1150", secs(90)),
            ("1151", None),
            ("1000", secs(1)),
            ("940", secs(1)),
            ("939", None),
            ("90", None),
            ("0", None),
            ("", None),
            ("99999999999999999999", None),
            ("-5", None),
            ("1e3", None),
        ] {
            assert_eq!(ban_of(value.as_bytes(), now), ban, "{value}");
        }
    }

    #[test]
    fn a_pause_ends_by_the_clock_too() {
        let at = UnixTime::from_secs;
        let opened = |from, to| Opened {
            obtained_at: at(from),
            expires_at: at(to),
            generation: String::new(),
            content: b"down".to_vec(),
        };
        assert!(pause_of(&opened(1000, 1030), at(1000)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(940)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(939)).is_none());
        assert!(pause_of(&opened(1000, 1030), at(1090)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(1091)).is_none());
        assert!(pause_of(&opened(1000, 9000), at(1000)).is_none());
    }
}
