//! What a token is asked for with: issuer, key, user and scopes.

use crate::scope::Scopes;
use crate::url::IssuerUrl;

/// What a token is asked for and held under: two grants that are equal in all
/// four parts share a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who issues it.
    pub issuer: IssuerUrl,
    /// The key that signs for it.
    pub key_id: KeyId,
    /// The service user that it speaks for.
    pub user_id: UserId,
    /// What it may do.
    pub scopes: Scopes,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $extra:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Reads an ID: 1 to 128 ASCII letters, digits and the characters
            /// that this kind of ID may hold besides.
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
    /// The key's ID (`keyId`). It names a directory of the cache, so it holds
    /// nothing that a path would act on.
    KeyId,
    b"-_"
);
id!(
    /// The service user's ID (`userId`). It is shown to tools as a username, so
    /// it holds nothing that a line protocol would act on.
    UserId,
    b"-_.@"
);
