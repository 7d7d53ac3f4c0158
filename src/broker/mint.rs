//! Key → assertion → exchange: a new token.

use std::thread;
use std::time::Duration;

use super::minted::Minted;
use super::{Broker, diagnosis};
use crate::cache::Slot;
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::source::assertion;
use crate::source::issuer::verdict::Verdict;
use crate::source::issuer::{Exchange, Granted, Issuer, Refusal};
use crate::source::key::spec::KeySpec;
use crate::source::key::{Key, exposure};
use crate::text::clock::{Deadline, UnixTime};
use crate::token::{Freshness, Lifespan, Token};
use crate::url::{Endpoints, HttpUrl};

/// A signed assertion, and its key's expiry.
struct Signed {
    assertion: Secret,
    /// The key's expiry, if the key file has one.
    key_expires_at: Option<UnixTime>,
}

/// The granted token and the time of the request, or the issuer's refusal.
type Outcome = Result<(Granted, UnixTime), Refusal>;

/// The pause before a request is repeated whose response is unclear.
const ONCE_MORE: Duration = Duration::from_secs(1);

/// How long before a key's expiry a warning is shown.
pub(crate) const EXPIRY_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

impl Broker<'_> {
    /// Mints a token: one request if the endpoints are known, else two.
    pub(super) fn mint(
        &self,
        known: Option<&Endpoints>,
        deadline: Deadline,
    ) -> Result<Minted, Error> {
        // Before the first request: a bad key is reported even while the issuer is
        // down, and no key stays in memory while a request waits.
        let signed = self.sign((self.clock)(), deadline)?;
        if !self.request.key.is_exposure_shown {
            exposure::warn(&self.request.key.source);
        }
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
            diagnosis::explain(&refusal, endpoint, &self.grant, signed.key_expires_at, now)
        })?;
        let lifespan = granted.expires_in.map(|secs| Lifespan {
            obtained_at: asked_at,
            expires_at: asked_at.plus(Duration::from_secs(secs)),
        });
        let now = (self.clock)();
        if lifespan.is_some_and(|lifespan| lifespan.freshness(now) == Freshness::Unusable) {
            let what = "the issuer's token had expired when it arrived";
            return Err(Error::Passing(Report::new(what).hint(
                "check the access token lifetime in ZITADEL's OIDC settings, and the issuer's response time",
            )));
        }
        let token = Token::new(granted.access_token, lifespan)
            .ok_or_else(|| Error::Final(Report::new("the token is not a bearer token")))?;
        log::info!("got a new token from the issuer");
        Ok(Minted {
            token,
            lifespan,
            endpoints,
        })
    }

    /// Sends an assertion to the remembered endpoint. The memory may be outdated:
    /// if no token is granted, discovery is read again. It reveals an issuer that
    /// has another name now, and the new place of endpoints that have moved.
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

    /// Returns a new token, whatever is cached: only that proves the key. If there is none,
    /// but the key is not refused, returns the cached one with the reason.
    ///
    /// # Errors
    /// As [`Broker::other_than`], if none is cached.
    pub fn proof(&self) -> Result<(Token, Option<Error>), Error> {
        let entry = self.slot.as_ref().and_then(Slot::read);
        let Some(held) = entry.and_then(|entry| self.wanted(&entry, None)) else {
            return Ok((self.token()?, None));
        };
        // What is wrong with the key itself is no trouble of the issuer's.
        let signed = self.sign((self.clock)(), self.request.deadline);
        let checked = signed.and_then(|signed| self.check_expiry(&signed));
        checked.map_err(|error| self.about(error))?;
        match self.other_than(&held) {
            Ok(token) => Ok((token, None)),
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) => Ok((held, Some(error))),
        }
    }

    /// Sends an assertion. If it is refused and the clocks disagree, sends another one
    /// that is signed by the issuer's time, if that can be believed. If the response may
    /// be trouble of the issuer's own, sends the same once more.
    fn exchange(
        &self,
        issuer: &Issuer<'_>,
        endpoint: &HttpUrl,
        signed: &Signed,
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let asked_at = (self.clock)();
        let refusal = match self.exchange_once(issuer, endpoint, signed)? {
            Ok(granted) => return Ok(Ok(granted)),
            Err(refusal) => refusal,
        };
        let off = refusal.date.filter(|theirs| {
            diagnosis::is_off(*theirs, asked_at) && diagnosis::is_believed(*theirs, asked_at)
        });
        if let Some(theirs) = off {
            log::warn!("{}", diagnosis::clock(theirs, asked_at));
            let signed = self.sign(theirs, deadline)?;
            self.exchange_once(issuer, endpoint, &signed)
        } else if refusal.verdict == Verdict::Unclear && deadline.remaining() > ONCE_MORE {
            log::info!("{}; trying once more in 1 s", refusal.description);
            thread::sleep(ONCE_MORE);
            self.exchange_once(issuer, endpoint, signed)
        } else {
            Ok(Err(refusal))
        }
    }

    fn exchange_once(
        &self,
        issuer: &Issuer<'_>,
        endpoint: &HttpUrl,
        signed: &Signed,
    ) -> Result<Outcome, Error> {
        let asked_at = (self.clock)();
        let exchange = issuer.exchange(endpoint, &signed.assertion, &self.request.scopes)?;
        Ok(match exchange {
            Exchange::Granted(granted) => Ok((granted, asked_at)),
            Exchange::Refused(refusal) => Err(refusal),
        })
    }

    /// Signs an assertion, and reads the key if it was not read before. The key is
    /// dropped afterwards, unless its source can be read only once.
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

    /// Reads the key and compares its IDs with the grant's: the key file may have
    /// been replaced since the IDs were read.
    fn load_key(&self, deadline: Deadline) -> Result<Key, Error> {
        let KeySpec { source, .. } = &self.request.key;
        let environment = self.request.network.environment;
        let key = self.request.key.load(environment, &deadline)?;
        if key.id == self.grant.key_id && key.user == self.grant.user_id {
            return Ok(key);
        }
        let what = format!("{source}: the key was replaced during this call");
        Err(Error::Passing(
            Report::new(what).hint("run the command again: it uses the new key"),
        ))
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
                    .found(format!("the local clock says {now}"))
                    .hint("create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file"),
            ));
        }
        if end.since(now) < EXPIRY_NOTICE {
            log::warn!(
                "{source}: the key expires at {end}: create a new one in ZITADEL before then"
            );
        }
        Ok(())
    }
}
