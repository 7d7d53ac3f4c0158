//! Signing by another program: the private key stays in a TPM, a PKCS#11 token, a cloud's
//! key service or Vault.

pub mod public_key;
pub mod signature;

use std::path::PathBuf;

use public_key::PublicKey;

use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::secret::Secret;
use crate::source::assertion;
use crate::source::assertion::Statement;
use crate::source::command::ProfileCommand;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::encoding;
use crate::text::{input, quote};

/// A program that signs, and the public half of its key.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Reads the signing input on stdin, and prints the RS256 signature.
    pub command: ProfileCommand,
    /// The file of the public key, if set: each signature is checked with the key.
    pub public_key_file: Option<PathBuf>,
    /// The key's ID at the issuer.
    pub id: KeyId,
    /// The key's owner.
    pub user: UserId,
}

impl Signer {
    /// Lets the program sign a statement, and returns the assertion.
    ///
    /// # Errors
    /// The command fails, or prints no signature; [`Error::Usage`] if the public key
    /// cannot be read.
    pub fn sign(
        &self,
        statement: &Statement<'_>,
        environment: &Environment,
        deadline: &Deadline,
    ) -> Result<Secret, Error> {
        // The key is read before the command runs, which may need the touch of a button.
        let public_key = self.public_key(deadline)?;
        let input = statement.input().map_err(Error::Final)?;
        let printed = self.command.run(input.as_bytes(), environment, deadline)?;
        let size = public_key.as_ref().map(PublicKey::size);
        let signature = signature::parse(&printed, size)
            .map_err(|objection| self.command.unusable(&objection.to_string()))?;
        match (&public_key, &self.public_key_file) {
            (Some(key), Some(file)) if !key.verifies(input.as_bytes(), &signature) => {
                let what = format!("the signature is not by the key of {}", quote::path(file));
                let report = Report::new(format!("{}: {what}", self.command));
                Err(Error::Final(
                    report
                        .hint("check that the command signs with this key: RSA, PKCS#1 v1.5, SHA-256 (RS256), over its whole stdin")
                        .hint("set public-key-file to the public half of that key"),
                ))
            }
            _ => Ok(assertion::with_signature(&input, &signature)),
        }
    }

    /// Reads the public key; `None` if no file is set.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file has no RSA public key.
    pub fn public_key(&self, deadline: &Deadline) -> Result<Option<PublicKey>, Error> {
        let Some(path) = &self.public_key_file else {
            return Ok(None);
        };
        let unusable = |detail: String| {
            let what = format!("public-key-file {}: {detail}", quote::path(path));
            Error::Usage(Report::new(what).hint(
                "set public-key-file to a PEM file with the RSA public key that was uploaded to ZITADEL",
            ))
        };
        let bytes = input::read_believed(path, input::LIMIT, deadline)
            .map_err(|error| unusable(error.to_string()))?;
        let text = encoding::text(&bytes).map_err(|fault| unusable(fault.to_string()))?;
        let key = PublicKey::parse(text).map_err(|objection| unusable(objection.to_owned()))?;
        Ok(Some(key))
    }
}
