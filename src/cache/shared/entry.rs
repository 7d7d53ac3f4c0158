//! A shared entry's content: the token, and the endpoints for the next one.

use std::time::Duration;

use super::seal::Opened;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};
use crate::url::{Endpoints, HttpUrl};

/// The accepted clock difference for an entry's times.
pub const SKEW: Duration = Duration::from_secs(60);

/// A token from the store.
#[derive(Debug)]
pub struct Shared {
    /// The token, with its lifespan by the local clock.
    pub token: Token,
    /// The token's lifespan by the local clock.
    pub lifespan: Lifespan,
    /// The issuer's endpoints, if its last mint had them.
    pub endpoints: Option<Endpoints>,
    /// The time of its request, by the issuer's clock.
    pub obtained_at: UnixTime,
    /// The name of the token's generation.
    pub generation: String,
}

/// Returns the content of an entry.
pub fn write(token: &Token, endpoints: Option<&Endpoints>) -> Vec<u8> {
    let (of_token, userinfo) =
        endpoints.map_or(("", ""), |all| (all.token.as_str(), all.userinfo.as_str()));
    let parts = [token.expose(), of_token, userinfo];
    let size: usize = parts.iter().map(|part| part.len() + 4).sum();
    let mut content = Vec::with_capacity(size);
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(part.as_bytes());
    }
    content
}

/// Parses an opened entry; `None` if it is not valid at `now`, by the local clock.
pub fn read(opened: &Opened, now: UnixTime) -> Option<Shared> {
    let mut rest = opened.content.as_slice();
    let token = part(&mut rest)?;
    let (of_token, userinfo) = (part(&mut rest)?, part(&mut rest)?);
    if !rest.is_empty() {
        return None;
    }
    let endpoints = match (of_token, userinfo) {
        ("", "") => None,
        (token, userinfo) => Some(Endpoints {
            token: HttpUrl::parse(token)?,
            userinfo: HttpUrl::parse(userinfo)?,
        }),
    };
    let lifespan = lifespan(opened.obtained_at, opened.expires_at, now)?;
    Some(Shared {
        token: Token::new(token.to_owned(), Some(lifespan))?,
        lifespan,
        endpoints,
        obtained_at: opened.obtained_at,
        generation: opened.generation.clone(),
    })
}

/// Returns a lifespan by the local clock, which may be a little behind the issuer's;
/// `None` if it begins in the future.
fn lifespan(obtained_at: UnixTime, expires_at: UnixTime, now: UnixTime) -> Option<Lifespan> {
    let ahead = obtained_at.since(now);
    (ahead <= SKEW && obtained_at < expires_at).then(|| Lifespan {
        obtained_at: obtained_at.minus(ahead),
        expires_at: expires_at.minus(ahead),
    })
}

fn part<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opened(content: &[u8]) -> Opened {
        Opened {
            obtained_at: UnixTime::from_secs(1000),
            expires_at: UnixTime::from_secs(2000),
            generation: "0".to_owned(),
            content: content.to_vec(),
        }
    }

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let token = Token::new("abc".into(), None).expect("a token");
        let endpoints = Endpoints {
            token: HttpUrl::parse("https://a.dev/token").expect("a URL"),
            userinfo: HttpUrl::parse("https://a.dev/me").expect("a URL"),
        };
        for endpoints in [None, Some(endpoints)] {
            let content = write(&token, endpoints.as_ref());
            let read = read(&opened(&content), at(1500)).expect("an entry");
            assert_eq!(read.token.expose(), "abc");
            assert_eq!(read.endpoints, endpoints);
            assert_eq!(read.lifespan.obtained_at, at(1000));
        }
    }

    #[test]
    fn a_clock_a_minute_behind_counts_the_lifetime_from_its_own_time() {
        assert_eq!(lifespan(at(1000), at(2000), at(939)), None);
        let behind = lifespan(at(1000), at(2000), at(940)).expect("valid");
        assert_eq!((behind.obtained_at, behind.expires_at), (at(940), at(1940)));
        assert_eq!(lifespan(at(1000), at(1000), at(1000)), None);
    }

    proptest! {
        #[test]
        fn any_content_parses_without_panic(content: Vec<u8>) {
            let _ = read(&opened(&content), at(1500));
        }
    }
}
