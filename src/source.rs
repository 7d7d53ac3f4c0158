//! Where a token comes from.
//!
//! | source | token |
//! |---|---|
//! | a key | we sign an assertion, and the issuer exchanges it |
//! | a signer | another program signs it |
//! | a key, self-signed | the assertion itself |
//! | a client secret | the issuer takes it for a token |
//! | a supplier | a file or another program has the token |

pub mod assertion;
pub mod client;
pub mod command;
pub mod exposure;
pub mod issuer;
pub mod key;
mod said;
pub mod signer;
pub mod supplier;

use std::fmt;
use std::path::Path;

use client::{Client, SecretSource};
use key::spec::{KeySource, KeySpec};
use signer::Signer;
use supplier::Supplier;

/// The source of a profile's tokens.
#[derive(Clone, Debug)]
pub enum Source {
    /// A key signs an assertion (RFC 7523), which the issuer exchanges.
    Key(KeySpec),
    /// A key signs an assertion, which is the token: for ZITADEL's system users.
    SelfSigned(KeySpec),
    /// Another program signs the assertion.
    Signer(Signer),
    /// A client secret (RFC 6749, section 4.4).
    Client(Client),
    /// Something else makes the tokens.
    Supplier(Supplier),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => key.source.fmt(f),
            Self::Signer(signer) => signer.command.fmt(f),
            Self::Client(client) => client.secret.fmt(f),
            Self::Supplier(supplier) => supplier.fmt(f),
        }
    }
}

impl Source {
    /// Returns the key, unless another source has no key of ours.
    pub const fn key(&self) -> Option<&KeySpec> {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => Some(key),
            Self::Signer(_) | Self::Client(_) | Self::Supplier(_) => None,
        }
    }

    /// Returns the file that holds the key, the secret or the token.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => match &key.source {
                KeySource::File(path) => Some(path),
                _ => None,
            },
            Self::Client(client) => match &client.secret {
                SecretSource::File(path) => Some(path),
                _ => None,
            },
            Self::Supplier(Supplier::File(path)) => Some(path),
            Self::Signer(_) | Self::Supplier(_) => None,
        }
    }

    /// True if the source can be read only once, like a pipe (`<(…)`).
    pub fn is_read_once(&self) -> bool {
        self.key().is_some_and(|key| key.source.is_read_once())
    }

    /// True if the issuer gives the tokens.
    pub const fn is_exchanged(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Signer(_) | Self::Client(_))
    }

    /// Drops what a command of the source says on its stderr.
    pub fn silence(&mut self) {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => {
                if let KeySource::Command(command) = &mut key.source {
                    command.is_silent = true;
                }
            }
            Self::Signer(signer) => signer.command.is_silent = true,
            Self::Client(client) => client.secret.silence(),
            Self::Supplier(supplier) => supplier.silence(),
        }
    }

    /// Leaves it to the caller to tell when a key expires.
    pub fn leave_end_to_caller(&mut self) {
        if let Self::Key(key) | Self::SelfSigned(key) = self {
            key.is_end_shown = true;
        }
    }

    /// Leaves it to the caller to tell who else can use a key file.
    pub fn leave_exposure_to_caller(&mut self) {
        if let Self::Key(key) | Self::SelfSigned(key) = self {
            key.is_exposure_shown = true;
        }
    }
}
