//! The sources of tokens.
//!
//! | source | token |
//! |---|---|
//! | a key | we sign an assertion, and the issuer exchanges it |
//! | a signer | another program signs it |
//! | a key, self-signed | the assertion itself |
//! | a client secret | the issuer exchanges it for a token |
//! | a supplier | another program supplies the token, by a file or its output |

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

use crate::sys::status::Status;

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
    /// Another program supplies the tokens.
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
    /// Returns the key; `None` for a source without a key of this program.
    pub const fn key(&self) -> Option<&KeySpec> {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => Some(key),
            Self::Signer(_) | Self::Client(_) | Self::Supplier(_) => None,
        }
    }

    /// Returns the file with the key, the secret or the token.
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

    /// True if the file of [`Source::file`] is a pipe, as with `<(…)`.
    pub fn is_pipe(&self) -> bool {
        let file = self.file();
        file.is_some_and(|path| Status::of(path).is_ok_and(|status| status.is_pipe()))
    }

    /// True if a command of the profile prints the key, the secret or the token.
    pub const fn is_printed(&self) -> bool {
        match self {
            Self::Key(key) | Self::SelfSigned(key) => matches!(key.source, KeySource::Command(_)),
            Self::Client(client) => matches!(client.secret, SecretSource::Command(_)),
            Self::Supplier(supplier) => matches!(supplier, Supplier::Command(_)),
            Self::Signer(_) => false,
        }
    }

    /// True if the key can be read only once, like a pipe (`<(…)`).
    pub fn is_read_once(&self) -> bool {
        self.key().is_some_and(|key| key.source.is_read_once())
    }

    /// True if the issuer gives the tokens.
    pub const fn is_exchanged(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Signer(_) | Self::Client(_))
    }

    /// Drops the stderr of the source's command.
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

    /// Leaves warnings of a key's expiry to the caller.
    pub fn leave_end_to_caller(&mut self) {
        if let Self::Key(key) | Self::SelfSigned(key) = self {
            key.is_end_shown = true;
        }
    }

    /// Leaves warnings of a key file's exposure to the caller.
    pub fn leave_exposure_to_caller(&mut self) {
        if let Self::Key(key) | Self::SelfSigned(key) = self {
            key.is_exposure_shown = true;
        }
    }
}
