//! A session at ZITADEL's user API, with a token that is made for it alone.

use std::time::Duration;

use crate::broker::{Broker, Request};
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::grant::{Grant, KeyId, UserId};
use crate::scope::{Scopes, project_audience};
use crate::source::Source;
use crate::source::issuer::Issuer;
use crate::source::issuer::user_keys::UserKey;
use crate::source::key::end::KeyEnd;
use crate::text::clock::{Clock, Deadline, UnixTime};
use crate::token::Token;
use crate::url::IssuerUrl;

/// How long the last steps may take after the time limit: without them a key would stay
/// behind.
const GRACE: Duration = Duration::from_secs(10);

/// Returns a request for a token of ZITADEL's own APIs. The token is in no cache: whoever
/// holds it can add a key.
///
/// # Errors
/// As [`Config::request`].
pub(super) fn request<'c>(config: &Config<'c>, deadline: Deadline) -> Result<Request<'c>, Error> {
    let mut request = config.request(Asker::default())?;
    if matches!(request.source, Source::SelfSigned(_)) {
        let what = "a system user has no keys at ZITADEL's user API: its key stands in ZITADEL's configuration";
        return Err(Error::Usage(Report::new(what).hint(
            "replace the public key in ZITADEL's configuration, then the key file",
        )));
    }
    // Whoever manages keys needs no word that one is to be replaced.
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

/// A token of ZITADEL's own APIs, in memory alone, and what it was asked for with.
pub(super) struct Session<'r, 'c> {
    request: &'r Request<'c>,
    broker: Broker<'r>,
    token: Token,
    /// What the token was asked for with, and whose it is.
    grant: Grant,
    url: &'r IssuerUrl,
}

impl<'r, 'c> Session<'r, 'c> {
    /// Gets a token with the key of a request that [`request`] made.
    ///
    /// # Errors
    /// As [`Broker::token`].
    pub(super) fn open(request: &'r Request<'c>, clock: &'r Clock) -> Result<Self, Error> {
        let url = request.issuer.as_ref().ok_or_else(|| {
            let report = Report::new("no issuer is configured, so there are no keys to ask for");
            Error::Usage(report.hint("set issuer in the profile, or give --issuer"))
        })?;
        let broker = Broker::new(request, clock)?;
        let token = broker.token()?;
        let mut grant = broker.grant().clone();
        if broker.user_id().is_none() {
            grant.user_id = owner(&broker, &token)?;
        }
        if let Source::Key(key) = &request.source {
            // The configuration may still have the ID of the key before.
            let environment = request.network.environment;
            if let Ok(key) = key.load(environment, &request.deadline) {
                grant.key_id = key.id;
            }
        }
        Ok(Self {
            request,
            broker,
            token,
            grant,
            url,
        })
    }

    /// Returns what the token was asked for with.
    pub(super) const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Returns the time by ZITADEL's clock, as far as it is known.
    pub(super) fn now(&self) -> UnixTime {
        self.broker.issuer_time()
    }

    /// Returns the ID of the user whose keys they are.
    pub(super) fn user(&self) -> &UserId {
        &self.grant().user_id
    }

    /// Returns the user's keys, the newest first.
    ///
    /// # Errors
    /// As [`Issuer::user_keys`].
    pub(super) fn list(&self) -> Result<Vec<UserKey>, Error> {
        let keys = self.issuer().user_keys(&self.token, self.user());
        keys.map_err(|error| self.broker.about(error))
    }

    /// Adds a public key. Returns its ID, or the refusal: then no key was added.
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

    /// Returns the client of one request, with some time even after the limit.
    fn issuer(&self) -> Issuer<'_> {
        let left = self.request.deadline.remaining().max(GRACE);
        let deadline = Deadline::after(left);
        Issuer::new(self.url, &self.request.network, deadline)
    }
}

/// Returns the ID of the user of a token that no key of ours was used for.
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
