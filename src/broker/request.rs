//! A request for a token, and the facts about its key and its renewal.

use std::fmt;
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
    /// The issuer; `None` only for a supplier's tokens.
    pub issuer: Option<IssuerUrl>,
    /// The source of the tokens; nothing of it is read yet.
    pub source: Source,
    /// The token endpoint, if the profile sets it: a mint without discovery.
    pub token_endpoint: Option<HttpUrl>,
    /// The scopes.
    pub scopes: Scopes,
    /// The network settings for the issuer.
    pub network: Network<'a>,
    /// The cache directory; `None` for `--no-cache`.
    pub cache_dir: Option<PathBuf>,
    /// The cache of a fleet, behind the local one.
    pub shared: Option<Settings>,
    /// `--refresh`: mint even if the cached token is fresh.
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
    /// The issuer's requested pause before a retry, if there is one.
    pub wait: Option<Duration>,
    /// The kind of the error.
    pub kind: Kind,
}

/// The warning of the broker and of an agent: with one text, the log has it once.
impl fmt::Display for FailedRenewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot renew the token: {}", self.why)
    }
}

/// A key that was read.
#[derive(Clone, Copy, Debug)]
pub struct KeyRead {
    /// The key's expiry, if the key file has one.
    pub expires_at: Option<UnixTime>,
}

impl KeyRead {
    pub(super) const fn of(key: &Key) -> Self {
        Self {
            expires_at: key.expires_at,
        }
    }
}
