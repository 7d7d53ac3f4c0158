//! A request for a token, and what is known of its key and its renewal.

use std::path::PathBuf;
use std::time::Duration;

use crate::cache::shared::Settings;
use crate::error::Kind;
use crate::net::http::Network;
use crate::scope::Scopes;
use crate::secret::Secret;
use crate::source::Source;
use crate::source::key::Key;
use crate::text::clock::{Deadline, UnixTime};
use crate::url::{HttpUrl, IssuerUrl};

/// A request for a token, with every setting checked.
pub struct Request<'a> {
    /// The issuer; only a supplier's tokens need none.
    pub issuer: Option<IssuerUrl>,
    /// Where the tokens come from; nothing of it is read yet.
    pub source: Source,
    /// The token endpoint, if the profile names it: a mint without discovery.
    pub token_endpoint: Option<HttpUrl>,
    /// The scopes.
    pub scopes: Scopes,
    /// How to reach the issuer.
    pub network: Network<'a>,
    /// The cache directory; `None` for `--no-cache`.
    pub cache_dir: Option<PathBuf>,
    /// The cache of a fleet, behind the local one.
    pub shared: Option<Settings>,
    /// `--refresh`: mint a token even if the cached one is fresh.
    pub refresh: bool,
    /// The time limit for all waiting.
    pub deadline: Deadline,
}

/// A secret that was read before it is used.
pub enum Loaded {
    /// A key, until it has signed.
    Key(Key),
    /// A client secret.
    ClientSecret(Secret),
}

/// A renewal that failed while the token was still valid.
#[derive(Debug)]
pub struct FailedRenewal {
    /// The reason, on one line.
    pub why: String,
    /// How long the issuer asked not to retry, if it did.
    pub wait: Option<Duration>,
    /// The kind of the error.
    pub kind: Kind,
}

/// A key that was read.
#[derive(Clone, Copy, Debug)]
pub struct KeyRead {
    /// Its expiry, if the key file has one.
    pub expires_at: Option<UnixTime>,
}

impl KeyRead {
    pub(super) const fn of(key: &Key) -> Self {
        Self {
            expires_at: key.expires_at,
        }
    }
}
