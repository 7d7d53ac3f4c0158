//! What a token is asked for with: issuer, key, user and scopes.

use crate::scope::Scopes;
use crate::url::IssuerUrl;

/// The parameters of a token. Two requests with equal grants share a cached token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The issuer.
    pub issuer: IssuerUrl,
    /// The signing key's ID.
    pub key_id: KeyId,
    /// The service user's ID.
    pub user_id: UserId,
    /// The scopes.
    pub scopes: Scopes,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $extra:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Parses an ID: 1 to 128 ASCII letters, digits and the further
            /// characters that this kind of ID allows.
            pub fn parse(text: &str) -> Option<Self> {
                let is_id = |b: u8| b.is_ascii_alphanumeric() || $extra.contains(&b);
                let fits = (1..=128).contains(&text.len()) && text.bytes().all(is_id);
                fits.then(|| Self(text.to_owned()))
            }

            /// Returns the ID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The key ID (`keyId`). It is a directory name in the cache, so it contains no
    /// character that is special in paths.
    KeyId,
    b"-_"
);
id!(
    /// The service user's ID (`userId`). Tools get it as a username, so it contains
    /// no character that is special in line protocols.
    UserId,
    b"-_.@"
);
