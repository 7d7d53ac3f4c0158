//! A session at ZITADEL's user API, with a separate token.

use std::time::Duration;

use crate::broker::{Broker, Request};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::grant::{Grant, KeyId, UserId};
use crate::scope::{Scopes, project_audience};
use crate::source::Source;
use crate::source::issuer::Issuer;
use crate::source::issuer::user_keys::UserKey;
use crate::source::key::Key;
use crate::source::key::end::KeyEnd;
use crate::text::clock::{Clock, Deadline, UnixTime};
use crate::token::Token;
use crate::url::IssuerUrl;

/// Time for the last steps after the time limit: without them a key would stay behind.
const GRACE: Duration = Duration::from_secs(10);

/// Returns a request for a token of ZITADEL's own APIs. The token is not cached: anyone
/// who has it can add a key.
///
/// # Errors
/// As [`Config::request`].
pub(super) fn request<'c>(config: &Config<'c>, deadline: Deadline) -> Result<Request<'c>, Error> {
    let mut request = config.request(Asker::default())?;
    if matches!(request.source, Source::SelfSigned(_)) {
        let what = "a system user has no keys at ZITADEL's user API: its key is in ZITADEL's configuration";
        return Err(Error::Usage(Report::new(what).hint(
            "replace the public key in ZITADEL's configuration, then the key file",
        )));
    }
    // Users who manage keys need no warning of a near expiry.
    request.source.leave_end_to_caller();
    request.scopes = scopes(&["openid", &project_audience("zitadel")])?;
    request.cache_dir = None;
    request.shared = None;
    request.deadline = deadline;
    Ok(request)
}

pub(super) fn scopes(all: &[&str]) -> Result<Scopes, Error> {
    Scopes::new(all.iter().copied())
        .map_err(|bad| Error::Final(Report::new(format!("invalid scope: {bad}"))))
}

/// A token of ZITADEL's own APIs, only in memory, and the parameters of its request.
pub(super) struct Session<'r, 'c> {
    request: &'r Request<'c>,
    broker: Broker<'r>,
    token: Token,
    /// The parameters of the token request, and the token's owner.
    grant: Grant,
    url: &'r IssuerUrl,
}

impl<'r, 'c> Session<'r, 'c> {
    /// Gets a token with the key of a request from [`request`]. Reads the key, unless the
    /// caller has it.
    ///
    /// # Errors
    /// As [`Broker::token`].
    pub(super) fn open(
        request: &'r Request<'c>,
        clock: &'r Clock,
        key: Option<Key>,
    ) -> Result<Self, Error> {
        let url = request.issuer.as_ref().ok_or_else(|| {
            let report = Report::new("no issuer is configured: key commands need one");
            Error::Usage(report.hint("set issuer in the profile, or give --issuer"))
        })?;
        let broker = match (key, &request.source) {
            (Some(key), _) => Broker::of_key(request, clock, key),
            // The configuration may still have the previous key's ID, so that the key is
            // read even if its IDs are set.
            (None, Source::Key(spec)) => {
                let key = spec.load(request.network.environment, &request.deadline)?;
                Broker::of_key(request, clock, key)
            }
            (None, _) => Broker::new(request, clock)?,
        };
        let token = broker.token()?;
        let mut grant = broker.grant().clone();
        if broker.user_id().is_none() {
            grant.user_id = owner(&broker, &token)?;
        }
        Ok(Self {
            request,
            broker,
            token,
            grant,
            url,
        })
    }

    /// Returns the parameters of the token request.
    pub(super) const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Returns the time by ZITADEL's clock, as far as it is known.
    pub(super) fn now(&self) -> UnixTime {
        self.broker.issuer_time()
    }

    /// Returns the ID of the user who owns the keys.
    pub(super) fn user(&self) -> &UserId {
        &self.grant().user_id
    }

    /// Returns the user's keys, newest first.
    ///
    /// # Errors
    /// As [`Issuer::user_keys`].
    pub(super) fn list(&self) -> Result<Vec<UserKey>, Error> {
        let keys = self.issuer().user_keys(&self.token, self.user());
        keys.map_err(|error| self.broker.about(error))
    }

    /// Adds a public key. Returns its ID, or the refusal if no key was added.
    ///
    /// # Errors
    /// As [`Issuer::add_user_key`].
    pub(super) fn add(
        &self,
        public_pem: &str,
        end: &KeyEnd,
    ) -> Result<Result<KeyId, Error>, Error> {
        let issuer = self.issuer();
        let added = issuer.add_user_key(&self.token, self.user(), public_pem, end);
        let about = |error| self.broker.about(error);
        added.map(|added| added.map_err(about)).map_err(about)
    }

    /// Removes a key. Returns false if there is no such key.
    ///
    /// # Errors
    /// As [`Issuer::remove_user_key`].
    pub(super) fn remove(&self, key: &KeyId) -> Result<bool, Error> {
        let issuer = self.issuer();
        let removed = issuer.remove_user_key(&self.token, self.user(), key);
        removed.map_err(|error| self.broker.about(error))
    }

    /// Returns the client for one request, with some time even after the limit.
    fn issuer(&self) -> Issuer<'_> {
        let left = self.request.deadline.remaining().max(GRACE);
        let deadline = Deadline::after(left);
        Issuer::new(self.url, &self.request.network, deadline)
    }
}

/// Returns the ID of the owner of a token that was not requested with our key.
fn owner(broker: &Broker<'_>, token: &Token) -> Result<UserId, Error> {
    let unknown = |why: &str| {
        let what = format!("the issuer does not say whose token it is: {why}");
        Error::Final(
            Report::new(what).hint("add the scope openid, and see zitadel-credential whoami"),
        )
    };
    let claims = broker
        .userinfo(token)?
        .map_err(|refusal| broker.about(unknown(&refusal.description)))?;
    let sub = claims["sub"].as_str().and_then(UserId::parse);
    sub.ok_or_else(|| broker.about(unknown("its response has no sub")))
}
