//! The scopes of a token request (RFC 6749, section 3.3).

use std::collections::BTreeSet;
use std::fmt;

use crate::text::quote;

/// One or more scopes, without duplicates, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Creates scopes from texts; a text may contain several, separated by spaces.
    ///
    /// # Errors
    /// The first invalid scope, or an empty text if there is no scope.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut scopes = BTreeSet::new();
        for scope in texts.into_iter().flat_map(str::split_ascii_whitespace) {
            let is_scope = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
            // A private key that was pasted here would be sent and cached.
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

    /// Returns the scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Separated by single spaces, as the token endpoint expects them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, scope) in self.iter().enumerate() {
            let blank = if n == 0 { "" } else { " " };
            write!(f, "{blank}{scope}")?;
        }
        Ok(())
    }
}

/// Returns ZITADEL's scope that adds a project to the token's audience; the project
/// `zitadel` means ZITADEL's own APIs.
pub fn project_audience(project: &str) -> String {
    format!("urn:zitadel:iam:org:project:id:{project}:aud")
}

/// ZITADEL's scope for the user's roles: without it no JWT and no userinfo response has a
/// role.
pub const ROLES: &str = "urn:zitadel:iam:org:projects:roles";

/// True if tokens with these scopes open ZITADEL's own APIs. The owner of such a token
/// can add a key to its user, and so keep the access permanently.
pub fn open_zitadel(scopes: &Scopes) -> bool {
    scopes
        .iter()
        .any(|scope| project_of(scope) == Some("zitadel"))
}

/// Returns the project in a scope of [`project_audience`].
pub fn project_of(scope: &str) -> Option<&str> {
    let rest = scope.strip_prefix("urn:zitadel:iam:org:project:id:")?;
    rest.strip_suffix(":aud")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_repetition_do_not_matter() {
        let one = Scopes::new(["profile openid", "openid"]);
        let other = Scopes::new(["openid", "profile"]);
        assert_eq!(one, other);
        assert_eq!(one.map(|s| s.to_string()).as_deref(), Ok("openid profile"));
    }

    #[test]
    fn an_invalid_scope_is_named() {
        assert_eq!(Scopes::new(["openid", "a\"b"]), Err("a\"b".into()));
        assert_eq!(Scopes::new(["  "]), Err(String::new()));
    }

    #[test]
    fn a_key_is_not_a_scope_and_any_id_may_be_part_of_one() {
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
