//! A cache that a fleet of machines shares, in Redis or Valkey, behind the local one.
//!
//! The store is never trusted: an entry is sealed with a key that only owners of the
//! private key can derive (`seal.rs`), each reply is limited (`resp.rs`), and only an
//! entry that unseals is accepted.

pub mod address;
pub mod client;
pub mod entry;
pub mod pauses;
pub mod resp;
pub mod seal;
pub mod store;

use std::path::PathBuf;
use std::time::Duration;

use address::Address;

use crate::secret::Secret;

/// The settings of a shared cache: `[profiles.NAME.shared]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub address: Address,
    /// The user of the server's ACL; `None` for its default user.
    pub username: Option<String>,
    /// The user's password; `None` for a server without one.
    pub password: Option<Password>,
    /// PEM root certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The name of the machines that share an address, and so ZITADEL's limit.
    pub pool: String,
    /// A file of 32 random bytes, from which the seal is derived instead of the private
    /// key.
    pub seal_key_file: Option<PathBuf>,
    /// The behaviour of a call without a token while the store is not available.
    pub on_failure: OnFailure,
    /// The age limit of a shared token.
    pub max_age: Option<Duration>,
}

/// A password of the store.
#[derive(Clone, Debug)]
pub enum Password {
    /// A file with only the password.
    File(PathBuf),
    /// The password itself, from `ZITADEL_CREDENTIAL_SHARED_PASSWORD`.
    Environment(Secret),
}

/// The behaviour of a call without a token while the store is not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It requests a token itself.
    #[default]
    Mint,
    /// It fails with exit code 75: for fleets whose machines must never all mint at once.
    Fail,
}

/// The result of one call's request to the shared cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A token.
    Hit,
    /// No token.
    Miss,
    /// The store was not available.
    Failure,
}
