//! The key or the client secret of one call: read late, and dropped early.

use std::time::Duration;

use super::request::{KeyRead, Loaded};
use super::{Broker, named};
use crate::error::{Error, Report};
use crate::grant::KeyId;
use crate::secret::Secret;
use crate::source::Source;
use crate::source::client::Client;
use crate::source::key::Key;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::text::clock::{Deadline, UnixTime};

/// Time before a key's expiry from which a warning is shown.
pub(crate) const EXPIRY_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

impl Broker<'_> {
    /// Drops a key that was read for its IDs, before a wait: it is read again for
    /// signing. The key of a pipe is kept.
    pub(super) fn drop_key(&self) {
        let loaded = self.loaded.take();
        if !matches!(loaded, Some(Loaded::Key(_))) || self.request.source.is_read_once() {
            self.loaded.set(loaded);
        }
    }

    /// Returns the key that was read for its IDs, or else reads it.
    pub(super) fn take_key(&self, spec: &KeySpec, deadline: Deadline) -> Result<Key, Error> {
        match self.loaded.take() {
            Some(Loaded::Key(key)) => Ok(key),
            _ => self.load_key(spec, deadline),
        }
    }

    /// Keeps a key that cannot be read again, and drops any other.
    pub(super) fn keep_key(&self, key: Key) {
        if self.request.source.is_read_once() {
            self.loaded.set(Some(Loaded::Key(key)));
        }
    }

    /// Reads the key and compares its IDs with the grant's: the key file may have been
    /// replaced since the IDs were read.
    pub(super) fn load_key(&self, spec: &KeySpec, deadline: Deadline) -> Result<Key, Error> {
        let key = spec.load(self.request.network.environment, &deadline)?;
        self.key_read.set(Some(KeyRead::of(&key)));
        let is_asked_for = match &self.request.source {
            Source::SelfSigned(_) => {
                named(&self.request.source, key.id.clone()) == self.grant.key_id
            }
            _ => key.answers_to(&self.grant.key_id),
        };
        if is_asked_for && key.user == self.grant.user_id {
            return Ok(key);
        }
        Err(self.replaced())
    }

    /// True if the key file now has another key than the one that signed: a rotation
    /// removed that one.
    pub(super) fn is_replaced(&self, signed: Option<&KeyId>, deadline: Deadline) -> bool {
        let (Source::Key(spec), Some(signed)) = (&self.request.source, signed) else {
            return false;
        };
        let is_file = matches!(spec.source, KeySource::File(_)) && !spec.source.is_read_once();
        let now = is_file.then(|| spec.load(self.request.network.environment, &deadline));
        now.is_some_and(|key| key.is_ok_and(|key| key.id != *signed))
    }

    pub(super) fn replaced(&self) -> Error {
        let what = format!(
            "{}: the key was replaced during this call",
            self.request.source
        );
        Error::Passing(Report::new(what).hint("run the command again: it uses the new key"))
    }

    /// Returns the client secret that was read for the grant, or else reads it.
    pub(super) fn client_secret(
        &self,
        client: &Client,
        deadline: Deadline,
    ) -> Result<Secret, Error> {
        if let Some(Loaded::ClientSecret(secret)) = self.loaded.take() {
            return Ok(secret);
        }
        let secret = client.load(self.request.network.environment, &deadline)?;
        if client.key_id(&secret) == self.grant.key_id {
            return Ok(secret);
        }
        let what = format!(
            "{}: the secret was replaced during this call",
            client.secret
        );
        Err(Error::Passing(
            Report::new(what).hint("run the command again: it uses the new secret"),
        ))
    }

    pub(super) fn warn_of_exposure(&self) {
        match &self.request.source {
            Source::Key(key) | Source::SelfSigned(key) => key.warn_of_exposure(),
            Source::Client(client) => client.warn_of_exposure(),
            Source::Signer(_) | Source::Supplier(_) => {}
        }
    }

    pub(super) fn bad_key(&self, report: Report) -> Error {
        Error::Final(report.about(&self.request.source))
    }

    pub(super) fn check_expiry(&self, key_expires_at: Option<UnixTime>) -> Result<(), Error> {
        let Some(end) = key_expires_at else {
            return Ok(());
        };
        let now = (self.clock)();
        let source = &self.request.source;
        if end <= now {
            let what = format!("{source}: the key expired at {end}");
            return Err(Error::Final(
                Report::new(what)
                    .found(format!("the local clock says {now}"))
                    .hint("create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file"),
            ));
        }
        if let Some(key) = source.key().filter(|key| !key.is_end_shown)
            && end.since(now) < EXPIRY_NOTICE
        {
            let rotation = key.rotation();
            log::warn!("{source}: the key expires at {end}: run {rotation} before then");
        }
        Ok(())
    }
}
