//! The text of a supplied token: the token itself, or JSON with it. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::text::clock::UnixTime;
use crate::text::object::Object;
use crate::token::jwt::Jwt;
use crate::token::{LONGEST, Token};

/// A token from another program.
pub struct Supplied {
    /// The token, a `b64token`.
    pub token: String,
    /// Its expiry, if the text or the token has one.
    pub expires_at: Option<UnixTime>,
}

/// The reason why a text is not a token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// A private key in the token's place.
    #[error("a private key, not a token: set key-file for a key")]
    Key,
    /// Several words, or a character that tokens cannot have.
    #[error("not a token")]
    NotAToken,
    /// JSON without the fields.
    #[error("JSON without a text access_token")]
    NoToken,
    /// A field of the JSON has the wrong type.
    #[error("{0} is not {1}")]
    Field(&'static str, &'static str),
}

/// The output of `token --output json`, and an OAuth token response (RFC 6749, section
/// 5.1).
#[derive(Deserialize)]
struct Document {
    access_token: Option<String>,
    token_type: Option<Value>,
    expires_at: Option<Value>,
    expires_in: Option<Value>,
}

/// Parses a text. `expires_in` counts from `obtained_at`; the earliest of several
/// expiries counts.
///
/// # Errors
/// [`Objection`]; it contains no byte of the text.
pub fn parse(text: &str, obtained_at: UnixTime) -> Result<Supplied, Objection> {
    let text = text.trim();
    if text.contains("PRIVATE KEY-----") {
        return Err(Objection::Key);
    }
    let (token, told) = if text.starts_with('{') {
        let Object(document): Object<Document> =
            serde_json::from_str(text).map_err(|_| Objection::NoToken)?;
        read(document, obtained_at)?
    } else {
        (text.to_owned(), None)
    };
    if Token::new(token.clone(), None).is_none() {
        return Err(Objection::NotAToken);
    }
    let own = Jwt::parse(&token).and_then(|jwt| jwt.expires_at());
    let latest = obtained_at.plus(LONGEST);
    let ends = [told, own].into_iter().flatten();
    let expires_at = ends.min().map(|end| end.min(latest));
    Ok(Supplied { token, expires_at })
}

fn read(
    document: Document,
    obtained_at: UnixTime,
) -> Result<(String, Option<UnixTime>), Objection> {
    let Document {
        access_token,
        token_type,
        expires_at,
        expires_in,
    } = document;
    let token = access_token.ok_or(Objection::NoToken)?;
    let given = |value: Option<Value>| value.filter(|value| !value.is_null());
    let is_bearer = |kind: &Value| {
        kind.as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
    };
    if given(token_type).is_some_and(|kind| !is_bearer(&kind)) {
        return Err(Objection::Field("token_type", "Bearer"));
    }
    let at = given(expires_at).map(|value| {
        let time = value.as_str().and_then(UnixTime::parse_rfc3339);
        time.or_else(|| seconds(&value).map(UnixTime::from_secs))
            .ok_or(Objection::Field(
                "expires_at",
                "a time like 2027-01-01T00:00:00Z",
            ))
    });
    let after = given(expires_in).map(|value| {
        let span = seconds(&value).map(Duration::from_secs);
        span.map(|span| obtained_at.plus(span))
            .ok_or(Objection::Field("expires_in", "a number of seconds"))
    });
    let ends = [at.transpose()?, after.transpose()?];
    Ok((token, ends.into_iter().flatten().min()))
}

/// Returns a number of whole seconds, at most twice the maximum of a `u32`; a fraction is
/// cut off.
fn seconds(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|number| *number >= 0.0)?;
    // A cast saturates, and is bounded.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((number as u64).min(u64::from(u32::MAX) * 2))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    const START: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn read(text: &str) -> Result<(String, Option<u64>), Objection> {
        let Supplied { token, expires_at } = parse(text, START)?;
        Ok((token, expires_at.map(UnixTime::as_secs)))
    }

    fn jwt(claims: &str) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part("{}"), part(claims))
    }

    #[test]
    fn a_token_is_plain_text_or_in_json() {
        assert_eq!(read("abc\n"), Ok(("abc".into(), None)));
        let ours = r#"{"access_token":"abc","token_type":"Bearer","expires_at":"2027-01-15T08:01:00Z","issuer":"x"}"#;
        assert_eq!(read(ours), Ok(("abc".into(), Some(1_800_000_060))));
        let theirs = r#"{"access_token":"abc","expires_in":60,"expires_at":null}"#;
        assert_eq!(read(theirs), Ok(("abc".into(), Some(1_800_000_060))));
        assert_eq!(read(r#"{"access_token":"abc"}"#), Ok(("abc".into(), None)));
    }

    #[test]
    fn the_earliest_of_several_expiries_applies() {
        let token = jwt(r#"{"exp":1800000100}"#);
        assert_eq!(read(&token), Ok((token.clone(), Some(1_800_000_100))));
        for (seconds, expected) in [(60, 1_800_000_060), (200, 1_800_000_100)] {
            let text = format!(r#"{{"access_token":"{token}","expires_in":{seconds}}}"#);
            assert_eq!(read(&text), Ok((token.clone(), Some(expected))));
        }
    }

    #[test]
    fn nothing_else_is_a_token() {
        use Objection::{Field, Key, NoToken, NotAToken};
        for (text, objection) in [
            ("", NotAToken),
            ("a b", NotAToken),
            ("a\nb", NotAToken),
            ("[\"abc\"]", NotAToken),
            ("{", NoToken),
            ("{}", NoToken),
            (r#"{"access_token":5}"#, NoToken),
            (r#"{"access_token":"a b"}"#, NotAToken),
            (
                r#"{"access_token":"a","token_type":"DPoP"}"#,
                Field("token_type", "Bearer"),
            ),
            (
                r#"{"access_token":"a","expires_in":-1}"#,
                Field("expires_in", "a number of seconds"),
            ),
            (
                r#"{"access_token":"a","expires_at":"soon"}"#,
                Field("expires_at", "a time like 2027-01-01T00:00:00Z"),
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                Key,
            ),
            (r#"{"key":"-----BEGIN RSA PRIVATE KEY-----"}"#, Key),
        ] {
            assert_eq!(read(text), Err(objection), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_error_for_any_token_text_does_not_quote_it(before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            for text in [format!("{before}TOPSECRET{after}"), format!("{{\"access_token\":{before}\"TOPSECRET\"{after}}}")] {
                if let Err(error) = parse(&text, START) {
                    prop_assert!(!error.to_string().contains("TOPSECRET"));
                }
            }
        }
    }
}
