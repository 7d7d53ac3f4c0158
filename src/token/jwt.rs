//! Decodes a JWT for display (RFC 7519), without checking its signature.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::grant::UserId;
use crate::text::clock::UnixTime;

/// A decoded JWT.
#[derive(Debug)]
pub struct Jwt {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Jwt {
    /// Decodes a token; `None` if it is opaque.
    pub fn parse(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let mut object = || {
            let value: Value =
                serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        let (header, claims) = (object()?, object()?);
        let has_signature = parts.next().is_some() && parts.next().is_none();
        has_signature.then_some(Self { header, claims })
    }

    /// Returns the subject (RFC 7519, section 4.1.2), if it is a valid username for
    /// tools.
    pub fn subject(&self) -> Option<UserId> {
        UserId::parse(self.claims["sub"].as_str()?)
    }

    /// Returns the expiry (RFC 7519, section 4.1.4); `None` without a valid `exp`.
    pub fn expires_at(&self) -> Option<UnixTime> {
        let secs = self.claims["exp"].as_f64()?;
        // A cast saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (secs >= 0.0).then_some(UnixTime::from_secs(secs as u64))
    }

    /// Returns the audience: one string, or a list of them.
    pub fn audience(&self) -> Vec<String> {
        let values = match &self.claims["aud"] {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts = values.iter().filter_map(Value::as_str);
        texts.map(ToOwned::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_token_decodes_without_panic(token in "[ -~]{0,80}") {
            let _ = Jwt::parse(&token);
        }
    }

    #[test]
    fn only_three_parts_with_objects_are_a_jwt() {
        let part = BASE64_URL_SAFE_NO_PAD.encode("{}");
        for (token, expected) in [
            (format!("{part}.{part}.x"), true),
            (format!("{part}.{part}."), true),
            (format!("{part}.{part}"), false),
            (format!("{part}.{part}.x.y"), false),
            (format!("{part}.W10.x"), false),
            ("opaque".to_owned(), false),
        ] {
            assert_eq!(Jwt::parse(&token).is_some(), expected, "{token}");
        }
    }
}
