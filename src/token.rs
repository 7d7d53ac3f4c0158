//! The access token and how long it may be used. Pure.

use std::time::Duration;

use crate::secret::Secret;
use crate::text::clock::UnixTime;

/// An access token.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    lifespan: Option<Lifespan>,
}

impl Token {
    /// Takes a text that is a `b64token` (RFC 6750, section 2.1), and nothing
    /// else: every line protocol may carry it.
    pub fn new(text: String, lifespan: Option<Lifespan>) -> Option<Self> {
        let secret = Secret::new(text);
        let body = secret.expose().trim_end_matches('=');
        let is_b64token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        if body.is_empty() || !body.bytes().all(is_b64token) {
            return None;
        }
        Some(Self { secret, lifespan })
    }

    /// The token's text, for the answer that it was asked for.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// The value of an `Authorization` header (RFC 6750, section 2.1).
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.expose())
    }

    /// From when to when it is good; none where the issuer gave no lifetime.
    pub const fn lifespan(&self) -> Option<Lifespan> {
        self.lifespan
    }

    /// Whether this is the very token of that text.
    pub fn is(&self, text: &Secret) -> bool {
        self.secret == *text
    }

    /// Whether it is a JWT, which a server can read itself (RFC 7519, section 3:
    /// three parts); ZITADEL's default is an opaque token.
    pub fn is_jwt(&self) -> bool {
        is_jwt(self.expose())
    }

    /// Whether it was got longer ago than that; without a lifetime it is new, as
    /// it was never kept.
    pub fn is_older_than(&self, age: Duration, now: UnixTime) -> bool {
        let obtained = self.lifespan.map(|lifespan| lifespan.obtained_at);
        obtained.is_some_and(|at| now.since(at) > age)
    }

    /// The expiry to tell a tool: the margin before the real one, so that the
    /// tool asks again in time. None where the issuer gave no lifetime.
    pub fn told_expiry(&self) -> Option<UnixTime> {
        let lifespan = self.lifespan?;
        Some(lifespan.expires_at.minus(lifespan.margin()))
    }

    /// How long from `now` a tool may keep it that asks for no more: until the told
    /// expiry. Not at all without a margin: a part of a second is lost on the way.
    pub fn told_duration(&self, now: UnixTime) -> Duration {
        let lifespan = self
            .lifespan
            .filter(|lifespan| !lifespan.margin().is_zero());
        lifespan
            .and(self.told_expiry())
            .map_or(Duration::ZERO, |end| end.since(now))
    }
}

/// Where a token's kind is chosen.
pub const MAKE_IT_JWT: &str =
    "in ZITADEL open the service user and set its Access Token Type to JWT";

/// As [`Token::is_jwt`], of a token's text.
pub fn is_jwt(text: &str) -> bool {
    text.split('.').count() == 3
}

/// From when to when a token is good, by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifespan {
    /// When it was asked for.
    pub obtained_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// What may be done with a token at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// Use it if a new one cannot be had at once.
    Refresh,
    /// Do not use it.
    Unusable,
}

impl Lifespan {
    /// Judges the token at `now`. One that was obtained in the future (our
    /// clock was set back) is not used: its end cannot be trusted.
    pub fn freshness(&self, now: UnixTime) -> Freshness {
        let left = self.expires_at.since(now);
        if now < self.obtained_at || left <= self.margin() {
            Freshness::Unusable
        } else if left <= self.refresh_window() {
            Freshness::Refresh
        } else {
            Freshness::Fresh
        }
    }

    /// When one who stays fetches the next: in the first half of the refresh
    /// window, by `draw` from 0 to 1, so that those who began together do not come
    /// together. A window that lies within the margin leaves the margin's begin.
    pub fn renewal(&self, draw: f64) -> UnixTime {
        let margin = self.margin();
        let ahead = self.refresh_window().max(margin);
        let later = (ahead.saturating_sub(margin) / 2).mul_f64(draw.clamp(0.0, 1.0));
        self.expires_at.minus(ahead).plus(later)
    }

    fn lifetime(&self) -> Duration {
        self.expires_at.since(self.obtained_at)
    }

    /// A token with no more than this left, in whole seconds of which one has
    /// begun, is never handed out: the lesser of 30 s
    /// and a tenth of its lifetime, in whole seconds.
    fn margin(&self) -> Duration {
        let tenth = match self.lifetime().as_secs() {
            // A margin of a whole second would leave nothing.
            0 | 1 => 0,
            secs => secs.div_ceil(10),
        };
        Duration::from_secs(tenth.min(30))
    }

    /// The span before the end in which a new token is fetched ahead: the
    /// lesser of 10 minutes and a fifth of its lifetime.
    fn refresh_window(&self) -> Duration {
        (self.lifetime() / 5).min(Duration::from_secs(600))
    }
}

/// What a tool logs in with.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The username to show.
    pub username: &'a str,
    /// The token.
    pub token: &'a Token,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifespan(lifetime: u64) -> Lifespan {
        let obtained_at = UnixTime::from_secs(1_000_000);
        Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(lifetime)),
        }
    }

    fn judged(lifetime: u64, age: i64) -> Freshness {
        let now = UnixTime::from_secs(1_000_000_u64.saturating_add_signed(age));
        lifespan(lifetime).freshness(now)
    }

    #[test]
    fn a_long_token_is_fresh_then_refreshed_then_unusable() {
        use Freshness::{Fresh, Refresh, Unusable};
        let day = 43_200;
        for (age, expected) in [
            (0, Fresh),
            (day - 601, Fresh),
            (day - 600, Refresh),
            (day - 31, Refresh),
            (day - 30, Unusable),
            (day, Unusable),
            (day + 1, Unusable),
        ] {
            assert_eq!(judged(43_200, age), expected, "at {age} s");
        }
    }

    #[test]
    fn a_short_token_keeps_a_tenth_and_a_fifth() {
        use Freshness::{Fresh, Refresh, Unusable};
        for (age, expected) in [(47, Fresh), (48, Refresh), (53, Refresh), (54, Unusable)] {
            assert_eq!(judged(60, age), expected, "at {age} s");
        }
        assert_eq!(judged(1, 0), Fresh);
        assert_eq!(judged(1, 1), Unusable);
    }

    #[test]
    fn one_who_stays_comes_back_in_the_first_half_of_the_refresh_window() {
        let at = |lifetime, draw| lifespan(lifetime).renewal(draw).as_secs() - 1_000_000;
        let drawn = |lifetime| [0.0, 0.5, 1.0].map(|draw| at(lifetime, draw));
        assert_eq!(drawn(43_200), [42_600, 42_742, 42_885]);
        assert_eq!(drawn(60), [48, 49, 51]);
        assert_eq!(drawn(4), [3, 3, 3], "the margin's begin");
        assert_eq!(drawn(1), [1, 1, 1]);
        for lifetime in 1..100 {
            let [first, _, last] = drawn(lifetime).map(|age| judged(lifetime, age.cast_signed()));
            assert_ne!(first, Freshness::Fresh, "{lifetime}");
            assert_ne!(last, Freshness::Fresh, "{lifetime}");
        }
    }

    #[test]
    fn a_token_from_the_future_is_not_used() {
        assert_eq!(judged(43_200, -1), Freshness::Unusable);
    }

    #[test]
    fn tools_are_told_to_ask_before_the_margin() {
        let token = Token::new("abc".into(), Some(lifespan(3600))).expect("a b64token");
        assert_eq!(
            token.told_expiry(),
            Some(UnixTime::from_secs(1_000_000 + 3570))
        );
    }

    #[test]
    fn a_token_without_a_margin_is_not_to_be_kept() {
        for (lifetime, after, expected) in [
            (3600, 0, 3570),
            (3600, 3000, 570),
            (3600, 3570, 0),
            (3600, 3600, 0),
            (2, 0, 1),
            (1, 0, 0),
            (0, 0, 0),
        ] {
            let token = Token::new("abc".into(), Some(lifespan(lifetime))).expect("a b64token");
            let now = UnixTime::from_secs(1_000_000 + after);
            let expected = Duration::from_secs(expected);
            assert_eq!(token.told_duration(now), expected, "{lifetime} {after}");
        }
    }

    #[test]
    fn only_a_b64token_is_a_token() {
        for good in ["a", "AZaz09-._~+/", "abc=="] {
            assert!(Token::new(good.into(), None).is_some(), "{good}");
        }
        for bad in [
            "",
            "=",
            "a b",
            "a\nb",
            "a\r",
            "a=b",
            "ä",
            "a\0",
            "\u{1b}[2J",
        ] {
            assert!(Token::new(bad.into(), None).is_none(), "{bad:?}");
        }
    }
}
