//! Gets a new token from the source: the issuer's, for an assertion or a client secret; a
//! self-signed assertion; or a supplier's token.

use std::thread;
use std::time::Duration;

use super::minted::Minted;
use super::{Broker, diagnosis};
use crate::cache::Slot;
use crate::error::{Error, Report};
use crate::grant::KeyId;
use crate::source::Source;
use crate::source::assertion;
use crate::source::assertion::Statement;
use crate::source::issuer::verdict::Verdict;
use crate::source::issuer::{Exchange, Granted, Issuer, Proof, Refusal};
use crate::source::key::spec::KeySpec;
use crate::source::supplier::Supplier;
use crate::text::clock::{Deadline, UnixTime};
use crate::token::{Freshness, Lifespan, Token};
use crate::url::{Endpoints, HttpUrl, IssuerUrl};

/// The content of a request to the token endpoint.
struct Sent {
    proof: Proof,
    /// The signing key's ID; `None` for a client secret.
    key_id: Option<KeyId>,
    /// The key's expiry, if the key file has one.
    key_expires_at: Option<UnixTime>,
}

/// The lifetime of a system user's assertion: ZITADEL refuses one that is more than an
/// hour old, and it is backdated by a minute.
const SELF_SIGNED: Duration = Duration::from_secs(3540);

/// The granted token and the time of the request, or the issuer's refusal.
type Outcome = Result<(Granted, UnixTime), Refusal>;

/// The pause before the retry after an unclear response.
const ONCE_MORE: Duration = Duration::from_secs(1);

impl Broker<'_> {
    /// Gets a new token.
    pub(super) fn mint(
        &self,
        known: Option<&Endpoints>,
        deadline: Deadline,
    ) -> Result<Minted, Error> {
        match &self.request.source {
            Source::Key(_) | Source::Signer(_) | Source::Client(_) => {
                self.mint_at_issuer(known, deadline)
            }
            Source::SelfSigned(key) => self.self_signed(key, deadline),
            Source::Supplier(supplier) => self.supplied(supplier, deadline),
        }
    }

    /// Signs an assertion that is the token itself (ZITADEL's System API).
    fn self_signed(&self, spec: &KeySpec, deadline: Deadline) -> Result<Minted, Error> {
        let now = (self.clock)();
        let key = self.take_key(spec, deadline)?;
        spec.warn_of_exposure();
        self.check_expiry(key.expires_at)?;
        let statement = Statement {
            // The token's reader finds the key by the user ID only.
            key: (!spec.derives_id || spec.id.is_some()).then_some(&key.id),
            user: &key.user,
            audience: self.audience()?,
            now,
            lifetime: SELF_SIGNED,
        };
        let text = assertion::sign(&key, &statement).map_err(|report| self.bad_key(report))?;
        self.keep_key(key);
        let lifespan = Lifespan {
            obtained_at: now,
            expires_at: now.plus(SELF_SIGNED),
        };
        log::info!("signed a new token");
        self.minted(text.expose().to_owned(), Some(lifespan), None)
    }

    /// Returns the supplier's token.
    fn supplied(&self, supplier: &Supplier, deadline: Deadline) -> Result<Minted, Error> {
        let environment = self.request.network.environment;
        let token = supplier.token(environment, &deadline, self.clock)?;
        log::info!("got the token of {supplier}");
        Ok(Minted {
            lifespan: token.lifespan(),
            token,
            endpoints: None,
            issued_at: None,
        })
    }

    /// Requests a token from the issuer: one request if the endpoints are known, else
    /// two.
    fn mint_at_issuer(
        &self,
        known: Option<&Endpoints>,
        deadline: Deadline,
    ) -> Result<Minted, Error> {
        // The proof is made before the first request: a bad key is reported even while
        // the issuer is down, and no key stays in memory during a request.
        let sent = self.prove((self.clock)(), deadline)?;
        self.warn_of_exposure();
        self.check_expiry(sent.key_expires_at)?;
        self.has_asked.set(true);
        let issuer = self.issuer(deadline)?;
        let (endpoint, endpoints, outcome) = match (&self.request.token_endpoint, known) {
            (Some(endpoint), _) => {
                let outcome = self.exchange(&issuer, endpoint, &sent, deadline);
                let outcome = outcome.map_err(|error| {
                    Error::map(error, |report| report.hint("check token-endpoint"))
                })?;
                (endpoint.clone(), None, outcome)
            }
            (None, None) => {
                let endpoints = issuer.discover()?;
                let outcome = self.exchange(&issuer, &endpoints.token, &sent, deadline)?;
                (endpoints.token.clone(), Some(endpoints), outcome)
            }
            (None, Some(known)) => {
                let (found, outcome) = self.exchange_at_known(&issuer, known, &sent, deadline)?;
                (found.token.clone(), Some(found), outcome)
            }
        };
        let (granted, asked_at) = outcome.map_err(|refusal| {
            if self.is_replaced(sent.key_id.as_ref(), deadline) {
                return self.replaced();
            }
            let refused = diagnosis::Refused {
                refusal: &refusal,
                endpoint: &endpoint,
                grant: &self.grant,
                source: &self.request.source,
                key_expires_at: sent.key_expires_at,
            };
            refused.explain((self.clock)())
        })?;
        let lifespan = granted.expires_in.map(|secs| Lifespan {
            obtained_at: asked_at,
            expires_at: asked_at.plus(Duration::from_secs(secs)),
        });
        let now = (self.clock)();
        // The issuer's time, for machines with other clocks.
        let date = granted
            .date
            .filter(|date| diagnosis::is_believed(*date, now));
        let issued_at = date.map(|date| date.minus(now.since(asked_at)));
        if lifespan.is_some_and(|lifespan| lifespan.freshness(now) == Freshness::Unusable) {
            let what = "the issuer's token had expired when it arrived";
            return Err(Error::Passing(Report::new(what).hint(
                "check the access token lifetime in ZITADEL's OIDC settings, and the issuer's response time",
            )));
        }
        log::info!("got a new token from the issuer");
        let minted = self.minted(granted.access_token, lifespan, endpoints)?;
        Ok(Minted {
            issued_at,
            ..minted
        })
    }

    #[expect(
        clippy::unused_self,
        reason = "a step of getting a token, as the others"
    )]
    fn minted(
        &self,
        text: String,
        lifespan: Option<Lifespan>,
        endpoints: Option<Endpoints>,
    ) -> Result<Minted, Error> {
        let token = Token::new(text, lifespan)
            .ok_or_else(|| Error::Final(Report::new("the token is not a bearer token")))?;
        Ok(Minted {
            token,
            lifespan,
            endpoints,
            issued_at: None,
        })
    }

    /// Sends a proof to the remembered endpoint. The endpoint may be outdated: without a
    /// token, discovery is read again. Discovery reveals an issuer that was renamed, and
    /// endpoints that have moved.
    fn exchange_at_known(
        &self,
        issuer: &Issuer<'_>,
        known: &Endpoints,
        sent: &Sent,
        deadline: Deadline,
    ) -> Result<(Endpoints, Outcome), Error> {
        let remembered = self.with_known(deadline)?;
        let outcome = self.exchange(&remembered, &known.token, sent, deadline);
        if matches!(outcome, Ok(Ok(_))) {
            return Ok((known.clone(), outcome?));
        }
        match (issuer.discover(), outcome) {
            (Ok(found), Ok(Err(refusal))) if found == *known && refusal.code.is_some() => {
                Ok((found, Err(refusal)))
            }
            (Ok(found), Err(error)) if found == *known => Err(error),
            (Ok(found), _) => {
                let outcome = self.exchange(issuer, &found.token, sent, deadline)?;
                Ok((found, outcome))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Returns a new token, even if one is cached, to test the source. If there is none,
    /// but the key or the secret is not refused, returns the cached one with the reason.
    ///
    /// # Errors
    /// As [`Broker::other_than`], if none is cached.
    pub fn proof(&self) -> Result<(Token, Option<Error>), Error> {
        let entry = self.slot.as_ref().and_then(Slot::read);
        let held = entry.and_then(|entry| self.wanted(&entry, None));
        let Some(held) = held.filter(|_| self.request.source.is_exchanged()) else {
            return Ok((self.token()?, None));
        };
        // An error of the key itself is not the issuer's failure.
        let sent = self.prove((self.clock)(), self.request.deadline);
        let checked = sent.and_then(|sent| self.check_expiry(sent.key_expires_at));
        checked.map_err(|error| self.about(error))?;
        match self.other_than(&held) {
            Ok(token) => Ok((token, None)),
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) => Ok((held, Some(error))),
        }
    }

    /// Sends a proof. If an assertion is refused and the clocks disagree, sends another
    /// one that is signed by the issuer's time, if that time is accepted. If the response
    /// may be an internal error of the issuer, sends the same proof once more.
    fn exchange(
        &self,
        issuer: &Issuer<'_>,
        endpoint: &HttpUrl,
        sent: &Sent,
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let asked_at = (self.clock)();
        let refusal = match self.exchange_once(issuer, endpoint, sent)? {
            Ok(granted) => return Ok(Ok(granted)),
            Err(refusal) => refusal,
        };
        let is_dated = matches!(sent.proof, Proof::Assertion(_));
        let off = refusal.date.filter(|theirs| {
            is_dated
                && diagnosis::is_off(*theirs, asked_at)
                && diagnosis::is_believed(*theirs, asked_at)
        });
        if let Some(theirs) = off {
            log::warn!("{}", diagnosis::clock(theirs, asked_at));
            let sent = self.prove(theirs, deadline)?;
            self.exchange_once(issuer, endpoint, &sent)
        } else if refusal.verdict == Verdict::Unclear && deadline.remaining() > ONCE_MORE {
            log::info!("{}; trying once more in 1 s", refusal.description);
            thread::sleep(ONCE_MORE);
            self.exchange_once(issuer, endpoint, sent)
        } else {
            Ok(Err(refusal))
        }
    }

    fn exchange_once(
        &self,
        issuer: &Issuer<'_>,
        endpoint: &HttpUrl,
        sent: &Sent,
    ) -> Result<Outcome, Error> {
        let asked_at = (self.clock)();
        let exchange = issuer.exchange(endpoint, &sent.proof, &self.request.scopes)?;
        Ok(match exchange {
            Exchange::Granted(granted) => {
                let clocks = granted.date.map(|theirs| (theirs, asked_at));
                self.issuer_clock.set(clocks);
                Ok((granted, asked_at))
            }
            Exchange::Refused(refusal) => Err(refusal),
        })
    }

    /// Returns the proof for the issuer: an assertion that is dated `at`, or a client
    /// secret.
    fn prove(&self, at: UnixTime, deadline: Deadline) -> Result<Sent, Error> {
        let environment = self.request.network.environment;
        let (proof, key_id, key_expires_at) = match &self.request.source {
            Source::Key(spec) | Source::SelfSigned(spec) => {
                let key = self.take_key(spec, deadline)?;
                let statement = self.statement(&key.id, at)?;
                let assertion =
                    assertion::sign(&key, &statement).map_err(|report| self.bad_key(report))?;
                let (id, end) = (key.id.clone(), key.expires_at);
                self.keep_key(key);
                (Proof::Assertion(assertion), Some(id), end)
            }
            Source::Signer(signer) => {
                let statement = self.statement(&signer.id, at)?;
                let assertion = signer.sign(&statement, environment, &deadline)?;
                (Proof::Assertion(assertion), Some(signer.id.clone()), None)
            }
            Source::Client(client) => {
                let secret = self.client_secret(client, deadline)?;
                (Proof::Client(client.authorization(&secret)), None, None)
            }
            // `mint` never asks for a supplier's proof.
            Source::Supplier(supplier) => {
                let report = Report::new(format!("{supplier} proves nothing to an issuer"));
                return Err(Error::Final(report));
            }
        };
        Ok(Sent {
            proof,
            key_id,
            key_expires_at,
        })
    }

    fn statement<'k>(&'k self, key: &'k KeyId, now: UnixTime) -> Result<Statement<'k>, Error> {
        Ok(Statement {
            key: Some(key),
            user: &self.grant.user_id,
            audience: self.audience()?,
            now,
            lifetime: assertion::LIFETIME,
        })
    }

    fn audience(&self) -> Result<&str, Error> {
        let issuer = self.request.issuer.as_ref();
        issuer
            .map(IssuerUrl::as_str)
            .ok_or_else(|| Error::Usage(Report::new("no issuer is configured")))
    }
}
