//! The access token and its validity. Pure.

pub mod jwt;

use std::time::Duration;

use crate::grant::UserId;
use crate::secret::Secret;
use crate::text::clock::UnixTime;

/// The longest accepted lifetime, about 136 years: ZITADEL can be set to more, and some
/// tools cannot read a date after the year 9999.
pub const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// An access token.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    lifespan: Option<Lifespan>,
}

impl Token {
    /// Creates a token from a `b64token` (RFC 6750, section 2.1); `None` for any
    /// other text, because a line protocol could not transport it.
    pub fn new(text: String, lifespan: Option<Lifespan>) -> Option<Self> {
        let secret = Secret::new(text);
        let body = secret.expose().trim_end_matches('=');
        let is_b64token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        if body.is_empty() || !body.bytes().all(is_b64token) {
            return None;
        }
        Some(Self { secret, lifespan })
    }

    /// Returns the token's text, for the response to a tool.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// Returns the value of an `Authorization` header (RFC 6750, section 2.1).
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.expose())
    }

    /// Returns the subject of a JWT, if it is a valid username for tools.
    pub fn subject(&self) -> Option<UserId> {
        jwt::Jwt::parse(self.expose())?.subject()
    }

    /// Returns a remark on a token that exceeds many servers' limit for a header (nginx:
    /// 8 KiB, `large_client_header_buffers`); `None` for a shorter one.
    pub fn remark_on_size(&self) -> Option<String> {
        let length = self.expose().len();
        (length > HEADER_LIMIT).then(|| {
            format!("the token has {length} bytes: many servers refuse a header of more than 8 KiB")
        })
    }

    /// Returns the token's lifespan; `None` if the issuer sent no lifetime.
    pub const fn lifespan(&self) -> Option<Lifespan> {
        self.lifespan
    }

    /// True if this token has that text.
    pub fn is(&self, text: &Secret) -> bool {
        self.secret == *text
    }

    /// True if the token is a JWT, which servers can verify themselves (RFC 7519, section
    /// 3: three parts). ZITADEL's default is an opaque token, of one or five parts.
    pub fn is_jwt(&self) -> bool {
        is_jwt(self.expose())
    }

    /// True if the token was obtained more than `age` ago. False without a
    /// lifetime: such a token is never cached, so it is new.
    pub fn is_older_than(&self, age: Duration, now: UnixTime) -> bool {
        let obtained = self.lifespan.map(|lifespan| lifespan.obtained_at);
        obtained.is_some_and(|at| now.since(at) > age)
    }

    /// Returns the expiry for a tool: earlier than the real one by the margin, so
    /// that the tool asks again in time. `None` if the issuer sent no lifetime.
    pub fn expiry_for_tools(&self) -> Option<UnixTime> {
        let lifespan = self.lifespan?;
        Some(lifespan.expires_at.minus(lifespan.margin()))
    }

    /// Returns the time from `now` for which a tool may use the token: until the expiry
    /// for tools. It is zero for a token without a margin, because a fraction of a second
    /// is lost before the tool gets it.
    pub fn duration_for_tools(&self, now: UnixTime) -> Duration {
        let lifespan = self
            .lifespan
            .filter(|lifespan| !lifespan.margin().is_zero());
        lifespan
            .and(self.expiry_for_tools())
            .map_or(Duration::ZERO, |end| end.since(now))
    }
}

/// Default size limit of a header at servers, in bytes.
const HEADER_LIMIT: usize = 8 * 1024;

/// The hint for a token that is too long for a header.
pub const MAKE_IT_SHORTER: &str = "ask for fewer projects, give the user fewer roles, or use an opaque token that the server introspects";

/// The hint for a token that must be a JWT.
pub const MAKE_IT_JWT: &str =
    "in ZITADEL open the service user and set its Access Token Type to JWT";

/// True if a text is a JWT, as [`Token::is_jwt`].
pub fn is_jwt(text: &str) -> bool {
    text.split('.').count() == 3
}

/// The period of a token's validity, by the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifespan {
    /// The time of the token request.
    pub obtained_at: UnixTime,
    /// The expiry.
    pub expires_at: UnixTime,
}

/// The state of a token at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The token can be used.
    Fresh,
    /// The token can be used, but should be renewed.
    Refresh,
    /// The token must not be used.
    Unusable,
}

impl Lifespan {
    /// Returns the token's state at `now`. A token from the future is unusable: the
    /// local clock was set back, and the expiry cannot be trusted.
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

    /// Returns the time at which a long-running process renews the token: in the
    /// first half of the refresh window, selected by `draw` from 0 to 1, so that
    /// processes that started together do not renew together. If the window is
    /// within the margin, the renewal is at the margin's start.
    pub fn renewal(&self, draw: f64) -> UnixTime {
        let margin = self.margin();
        let ahead = self.refresh_window().max(margin);
        let later = (ahead.saturating_sub(margin) / 2).mul_f64(draw.clamp(0.0, 1.0));
        self.expires_at.minus(ahead).plus(later)
    }

    fn lifetime(&self) -> Duration {
        self.expires_at.since(self.obtained_at)
    }

    /// Returns the time from `now` for which the token can be used: until the margin.
    pub fn usable_for(&self, now: UnixTime) -> Duration {
        self.expires_at.minus(self.margin()).since(now)
    }

    /// Returns the margin: the lesser of 30 s and a tenth of the lifetime, rounded up to
    /// whole seconds. A token with no more time left than this is not used.
    fn margin(&self) -> Duration {
        let tenth = match self.lifetime().as_secs() {
            // A margin of a whole second would leave no usable time.
            0 | 1 => 0,
            secs => secs.div_ceil(10),
        };
        Duration::from_secs(tenth.min(30))
    }

    /// Returns the refresh window before the expiry, in which a token is renewed
    /// early: the lesser of 10 minutes and a fifth of the lifetime.
    fn refresh_window(&self) -> Duration {
        (self.lifetime() / 5).min(Duration::from_secs(600))
    }
}

/// A login for a tool.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The username.
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

    fn freshness(lifetime: u64, age: i64) -> Freshness {
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
            assert_eq!(freshness(43_200, age), expected, "at {age} s");
        }
    }

    #[test]
    fn a_short_token_has_proportional_margins() {
        use Freshness::{Fresh, Refresh, Unusable};
        for (age, expected) in [(47, Fresh), (48, Refresh), (53, Refresh), (54, Unusable)] {
            assert_eq!(freshness(60, age), expected, "at {age} s");
        }
        assert_eq!(freshness(1, 0), Fresh);
        assert_eq!(freshness(1, 1), Unusable);
    }

    #[test]
    fn a_long_running_process_renews_in_the_first_half_of_the_refresh_window() {
        let at = |lifetime, draw| lifespan(lifetime).renewal(draw).as_secs() - 1_000_000;
        let drawn = |lifetime| [0.0, 0.5, 1.0].map(|draw| at(lifetime, draw));
        assert_eq!(drawn(43_200), [42_600, 42_742, 42_885]);
        assert_eq!(drawn(60), [48, 49, 51]);
        assert_eq!(drawn(4), [3, 3, 3], "the margin's begin");
        assert_eq!(drawn(1), [1, 1, 1]);
        for lifetime in 1..100 {
            let [first, _, last] =
                drawn(lifetime).map(|age| freshness(lifetime, age.cast_signed()));
            assert_ne!(first, Freshness::Fresh, "{lifetime}");
            assert_ne!(last, Freshness::Fresh, "{lifetime}");
        }
    }

    #[test]
    fn a_token_from_the_future_is_not_used() {
        assert_eq!(freshness(43_200, -1), Freshness::Unusable);
    }

    #[test]
    fn tools_get_the_expiry_less_the_margin() {
        let token = Token::new("abc".into(), Some(lifespan(3600))).expect("a b64token");
        assert_eq!(
            token.expiry_for_tools(),
            Some(UnixTime::from_secs(1_000_000 + 3570))
        );
    }

    #[test]
    fn a_token_without_a_margin_must_not_be_stored_by_a_tool() {
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
            assert_eq!(
                token.duration_for_tools(now),
                expected,
                "{lifetime} {after}"
            );
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
