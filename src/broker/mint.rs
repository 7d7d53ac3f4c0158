//! Key → assertion → exchange: a new token.

use std::time::Duration;

use super::minted::Minted;
use super::{Broker, diagnosis};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::source::assertion;
use crate::source::issuer::{Exchange, Granted, Issuer, Refusal};
use crate::source::key::Key;
use crate::source::key::spec::KeySpec;
use crate::text::clock::{Deadline, UnixTime};
use crate::token::{Freshness, Lifespan, Token};
use crate::url::{Endpoints, HttpUrl};

/// What is left of a key that has signed.
struct Signed {
    assertion: Secret,
    /// When ZITADEL stops accepting the key, where its file says so.
    key_expires_at: Option<UnixTime>,
}

/// A grant and when it was asked for, or the issuer's no.
type Outcome = Result<(Granted, UnixTime), Refusal>;

/// How long before a key's end its user is told.
pub(crate) const EXPIRY_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

impl Broker<'_> {
    /// Mints a token: one request where the endpoints are known, else two.
    pub(super) fn mint(
        &self,
        known: Option<&Endpoints>,
        deadline: Deadline,
    ) -> Result<Minted, Error> {
        // Before the first request: while the issuer is down, too, a bad key is a
        // bad key, and no key lies in memory while the network is waited for.
        let signed = self.sign((self.clock)(), deadline)?;
        self.check_expiry(&signed)?;
        let issuer = Issuer::new(&self.request.issuer, &self.request.network, deadline);
        let (endpoints, outcome) = match known {
            None => {
                let endpoints = issuer.discover()?;
                let outcome = self.exchange(&issuer, &endpoints.token, &signed, deadline)?;
                (endpoints, outcome)
            }
            Some(known) => self.exchange_at_known(&issuer, known, &signed, deadline)?,
        };
        let (granted, asked_at) = outcome.map_err(|refusal| {
            let (endpoint, now) = (&endpoints.token, (self.clock)());
            Error::Final(diagnosis::explain(
                &refusal,
                endpoint,
                &self.grant,
                signed.key_expires_at,
                now,
            ))
        })?;
        let lifespan = granted.expires_in.map(|secs| Lifespan {
            obtained_at: asked_at,
            expires_at: asked_at.plus(Duration::from_secs(secs)),
        });
        let now = (self.clock)();
        if lifespan.is_some_and(|lifespan| lifespan.freshness(now) == Freshness::Unusable) {
            let what = "the token that the issuer gave had run out when it came";
            return Err(Error::Passing(Report::new(what).hint(
                "see how long tokens last (ZITADEL's OIDC settings), and how long the issuer takes",
            )));
        }
        let token = Token::new(granted.access_token, lifespan)
            .ok_or_else(|| Error::Final(Report::new("the token is no bearer token")))?;
        log::info!("a new token from the issuer");
        Ok(Minted {
            token,
            lifespan,
            endpoints,
        })
    }

    /// Presents an assertion where the last one was granted. What we remember may
    /// be of yesterday: where nothing is granted, discovery is asked again. It
    /// tells of an issuer that goes by another name now, and endpoints that have
    /// moved are asked in their new place.
    fn exchange_at_known(
        &self,
        issuer: &Issuer<'_>,
        known: &Endpoints,
        signed: &Signed,
        deadline: Deadline,
    ) -> Result<(Endpoints, Outcome), Error> {
        let remembered = self.with_known(deadline);
        let outcome = self.exchange(&remembered, &known.token, signed, deadline);
        if matches!(outcome, Ok(Ok(_))) {
            return Ok((known.clone(), outcome?));
        }
        match (issuer.discover(), outcome) {
            (Ok(found), Ok(Err(refusal))) if found == *known && refusal.code.is_some() => {
                Ok((found, Err(refusal)))
            }
            (Ok(found), Err(error)) if found == *known => Err(error),
            (Ok(found), _) => {
                let outcome = self.exchange(issuer, &found.token, signed, deadline)?;
                Ok((found, outcome))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Presents an assertion; where it is refused and our clocks disagree, once
    /// more by the issuer's time.
    fn exchange(
        &self,
        issuer: &Issuer<'_>,
        endpoint: &HttpUrl,
        signed: &Signed,
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let scopes = &self.request.scopes;
        let asked_at = (self.clock)();
        let refusal = match issuer.exchange(endpoint, &signed.assertion, scopes)? {
            Exchange::Granted(granted) => return Ok(Ok((granted, asked_at))),
            Exchange::Refused(refusal) => refusal,
        };
        let Some(theirs) = refusal
            .date
            .filter(|date| diagnosis::is_off(*date, asked_at))
        else {
            return Ok(Err(refusal));
        };
        log::warn!("{}", diagnosis::clock(theirs, asked_at));
        let signed = self.sign(theirs, deadline)?;
        let asked_at = (self.clock)();
        Ok(
            match issuer.exchange(endpoint, &signed.assertion, scopes)? {
                Exchange::Granted(granted) => Ok((granted, asked_at)),
                Exchange::Refused(refusal) => Err(refusal),
            },
        )
    }

    /// Signs with the key that is there, or is read now. It goes with the
    /// signature, unless there would be nothing to read a second time.
    fn sign(&self, at: UnixTime, deadline: Deadline) -> Result<Signed, Error> {
        let key = match self.key.take() {
            Some(key) => key,
            None => self.load_key(deadline)?,
        };
        let audience = self.request.issuer.as_str();
        let assertion = assertion::sign(&key, audience, at, assertion::LIFETIME)
            .map_err(|report| self.bad_key(report))?;
        let key_expires_at = key.expires_at;
        if self.request.key.source.is_read_once() {
            self.key.set(Some(key));
        }
        Ok(Signed {
            assertion,
            key_expires_at,
        })
    }

    /// Reads the key, which must be the one that the token is asked for by: its
    /// file may have been replaced since the ids were read.
    fn load_key(&self, deadline: Deadline) -> Result<Key, Error> {
        let KeySpec { source, .. } = &self.request.key;
        let environment = self.request.network.environment;
        let key = self.request.key.load(environment, &deadline)?;
        if key.id == self.grant.key_id && key.user == self.grant.user_id {
            return Ok(key);
        }
        let what = format!("{source}: another key was put in its place meanwhile");
        Err(Error::Passing(Report::new(what).hint(
            "nothing is wrong with that: the next call uses the new key",
        )))
    }

    fn bad_key(&self, report: Report) -> Error {
        Error::Final(report.about(&self.request.key.source))
    }

    fn check_expiry(&self, signed: &Signed) -> Result<(), Error> {
        let Some(end) = signed.key_expires_at else {
            return Ok(());
        };
        let now = (self.clock)();
        let source = &self.request.key.source;
        if end <= now {
            let what = format!("{source}: the key expired at {end}");
            return Err(Error::Final(
                Report::new(what)
                    .found(format!("this clock says {now}"))
                    .hint("make a new key in ZITADEL (the service user's Keys, New, JSON) and put its file in place"),
            ));
        }
        if end.since(now) < EXPIRY_NOTICE {
            log::warn!("{source}: the key expires at {end}: make a new one in ZITADEL before");
        }
        Ok(())
    }
}
