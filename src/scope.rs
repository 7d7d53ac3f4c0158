//! The scopes a token is asked for (RFC 6749, section 3.3).

use std::collections::BTreeSet;
use std::fmt;

use crate::text::quote;

/// At least one scope, each once, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Collects scopes; one text may hold several, apart by blanks.
    ///
    /// # Errors
    /// The first text that is no scope, or an empty one where there is none.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut scopes = BTreeSet::new();
        for scope in texts.into_iter().flat_map(str::split_ascii_whitespace) {
            let is_scope = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
            // A key that was pasted here would be sent and cached.
            if !scope.bytes().all(is_scope) || quote::holds_secret(scope) {
                return Err(scope.to_owned());
            }
            scopes.insert(scope.to_owned());
        }
        if scopes.is_empty() {
            return Err(String::new());
        }
        Ok(Self(scopes))
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Apart by single blanks, as the token endpoint takes them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, scope) in self.iter().enumerate() {
            let blank = if n == 0 { "" } else { " " };
            write!(f, "{blank}{scope}")?;
        }
        Ok(())
    }
}

/// ZITADEL's scope that puts a project into the token's audience; the project
/// `zitadel` stands for its own APIs.
pub fn project_audience(project: &str) -> String {
    format!("urn:zitadel:iam:org:project:id:{project}:aud")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_repetition_play_no_part() {
        let one = Scopes::new(["profile openid", "openid"]);
        let other = Scopes::new(["openid", "profile"]);
        assert_eq!(one, other);
        assert_eq!(one.map(|s| s.to_string()).as_deref(), Ok("openid profile"));
    }

    #[test]
    fn what_is_no_scope_is_named() {
        assert_eq!(Scopes::new(["openid", "a\"b"]), Err("a\"b".into()));
        assert_eq!(Scopes::new(["  "]), Err(String::new()));
    }

    #[test]
    fn a_key_is_no_scope_and_any_id_may_be_part_of_one() {
        let line = "vYyilzGgic0WX0g4X2jqHa8u8NHfPJksaGE+ZpepJSJGC6vHML5VpN7m1NVqa651";
        let cut = "vYyilzGgic0WX0g4X2jqHa8u/NHfPJksaGE+ZpepJSJGC6vHML/VpN7m1NVqa651";
        for key in ["-----BEGIN", line, cut] {
            assert_eq!(Scopes::new(["openid", key]), Err(key.into()));
        }
        let ids = "urn:zitadel:iam:org:project:id:2KqWvO9tS0mBCrBDKdQZ0xYh1Ab:aud";
        assert!(Scopes::new([ids, "a-scope-of-many-words-that-says-all-there-is-to-say"]).is_ok());
    }

    proptest! {
        #[test]
        fn scopes_read_back_as_they_are_shown(text: String) {
            if let Ok(scopes) = Scopes::new([text.as_str()]) {
                prop_assert_eq!(Scopes::new([scopes.to_string().as_str()]), Ok(scopes));
            }
        }
    }
}
