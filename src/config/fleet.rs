//! The shared cache of a request: the profile's table, and the password's variable.

use super::value::{set, text, usage};
use super::{Config, Layer};
use crate::cache::shared::{Password, Settings};
use crate::error::Error;
use crate::secret::Secret;
use crate::source::Source;
use crate::source::supplier::Supplier;

/// The variable of the store's password.
const PASSWORD: &str = "ZITADEL_CREDENTIAL_SHARED_PASSWORD";

impl Config<'_> {
    /// Returns the shared cache of a request; `None` with `--no-cache`, or if the caller has
    /// another source whose tokens need no request.
    pub(super) fn shared_of(&self, settings: &Layer) -> Result<Option<Settings>, Error> {
        let Some(mut shared) = settings.shared.clone().filter(|_| !self.no_cache) else {
            return Ok(None);
        };
        match self.source_of(settings)? {
            Source::SelfSigned(_) | Source::Supplier(Supplier::File(_)) => return Ok(None),
            Source::Key(_) => {}
            _ if shared.seal_key_file.is_some() => {}
            _ => {
                return Err(usage(
                    "the shared cache has no seal-key-file, which a profile without a private key of its own needs".to_owned(),
                    "create one for the whole fleet: (umask 077; openssl rand -out seal.key 32), and set seal-key-file",
                ));
            }
        }
        if let Some(value) = set(self.environment, PASSWORD) {
            let password = Secret::new(text(PASSWORD, &value)?);
            shared.password = Some(Password::Environment(password));
        }
        if shared.username.is_some() && shared.password.is_none() {
            return Err(usage(
                "username of the shared cache is set without a password".to_owned(),
                "set password-file beside it, or ZITADEL_CREDENTIAL_SHARED_PASSWORD",
            ));
        }
        Ok(Some(shared))
    }
}
