//! The parameters of a token request: issuer, key, user and scopes.

use ring::digest as sha2;

use crate::scope::Scopes;
use crate::text::digest::hex;
use crate::url::IssuerUrl;

/// The parameters of a token request. Two requests with equal grants share a cached
/// token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The issuer; `None` for tokens from another program.
    pub issuer: Option<IssuerUrl>,
    /// The signing key's ID, or a name of the source in the cache.
    pub key_id: KeyId,
    /// The service user's ID, or its client ID.
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
impl KeyId {
    /// Returns the cache name of a source whose secret has no ID: `kind`, and a digest of
    /// the parts that identify the source.
    pub fn derived<'p>(kind: &'p str, parts: impl IntoIterator<Item = &'p str>) -> Self {
        Self(format!(
            "{kind}-{}",
            digest([kind].into_iter().chain(parts))
        ))
    }
}

impl UserId {
    /// Returns the username for a token whose user is not known.
    pub fn of_token() -> Self {
        Self("token".to_owned())
    }
}

/// Returns the first 32 hex digits of SHA-256 over the length-prefixed parts.
pub fn digest<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut context = sha2::Context::new(&sha2::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex(&context.finish().as_ref()[..16])
}

id!(
    /// The service user's ID (`userId`), or its client ID. Tools get it as a username, so
    /// it contains no character that is special in line protocols.
    UserId,
    b"-_.@+"
);
