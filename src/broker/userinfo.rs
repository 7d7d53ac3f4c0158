//! Userinfo requests: the owner of a token, and whether it is still accepted.

use serde_json::Value;

use super::wish::Wish;
use super::{AHEAD, Broker};
use crate::cache::{Entry, Slot};
use crate::error::Error;
use crate::secret::Secret;
use crate::source::issuer::Refusal;
use crate::sys::parent::Parent;
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::token::{Freshness, Token};
use crate::url::Endpoints;

impl Broker<'_> {
    /// Returns a token for a process that asks again after a 401.
    ///
    /// If the same parent asks again while its token is valid, a server most likely
    /// refused that token: the issuer is asked, and a new token is minted only if
    /// the issuer refuses it too.
    ///
    /// # Errors
    /// As [`Broker::token`].
    pub fn token_for(&self, parent: Parent) -> Result<Token, Error> {
        let token = self.token()?;
        let Some(slot) = &self.slot else {
            return Ok(token);
        };
        let parents = slot.parents();
        let unnoted = |error| log::debug!("cannot record the parent process: {}", system(&error));
        let hand_over = |token: &Token| {
            let noted = parents.hand_over(parent, token, (self.clock)());
            noted.map_err(unnoted).unwrap_or_default()
        };
        let asks = hand_over(&token);
        if !asks.is_to_check {
            let is_accepted = asks.is_again && {
                let noted = parents.take_accepted((self.clock)());
                noted.map_err(unnoted).unwrap_or_default()
            };
            self.is_accepted.set(is_accepted);
            return Ok(token);
        }
        log::info!("the same process asks again: checking the token with the issuer");
        let known = slot.read().and_then(|entry| entry.endpoints);
        let is_accepted = self.accepts(&token, known);
        self.is_accepted
            .set(is_accepted == Some(true) && asks.is_again);
        if is_accepted == Some(true)
            && !asks.is_again
            && let Err(error) = parents.note_accepted((self.clock)())
        {
            unnoted(error);
        }
        if is_accepted != Some(false) {
            // The token may have expired during the request.
            let is_expired = token
                .expiry_for_tools()
                .is_some_and(|end| end <= (self.clock)());
            return if is_expired { self.token() } else { Ok(token) };
        }
        let token = self
            .replace_refused(slot, &token)
            .map_err(|error| self.about(error))?;
        hand_over(&token);
        Ok(token)
    }

    /// Checks a token that a server refused, and returns the one to use in its place;
    /// `None` if it is good, or if it was checked in the last 30 s.
    pub(super) fn settle(&self, slot: &Slot, entry: &Entry) -> Result<Option<Token>, Error> {
        let may_check = slot.parents().may_check((self.clock)());
        if !may_check.unwrap_or_else(|error| {
            log::debug!("cannot record the check of a token: {}", system(&error));
            false
        }) {
            return Ok(None);
        }
        log::info!("a server refused the token: checking it with the issuer");
        match self.accepts(&entry.token, entry.endpoints.clone()) {
            Some(false) => self.replace_refused(slot, &entry.token).map(Some),
            Some(true) => {
                let secret = Secret::new(entry.token.expose().to_owned());
                if let Err(error) = slot.set_doubt(&secret, false) {
                    log::debug!("cannot change the cache entry: {}", system(&error));
                }
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Returns a token in place of one that the issuer refused. If there is none for a
    /// reason that may pass, the old one is returned: an issuer in trouble refuses valid
    /// tokens. If the key or its user is refused too, the old one leaves the cache.
    fn replace_refused(&self, slot: &Slot, refused: &Token) -> Result<Token, Error> {
        log::warn!("the issuer refuses the cached token: requesting a new one");
        match self.replacement(slot, refused) {
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) if self.is_usable(refused) => {
                log::warn!(
                    "no new token, and the refused one is used again: {}",
                    error.report().headline()
                );
                Ok(refused.clone())
            }
            token => token,
        }
    }

    /// Returns another token than one that the issuer refused.
    ///
    /// # Errors
    /// As [`Broker::token`]. If the key or its user is refused too, the old token leaves
    /// the cache.
    pub fn other_than(&self, refused: &Token) -> Result<Token, Error> {
        match &self.slot {
            Some(slot) => self
                .replacement(slot, refused)
                .map_err(|error| self.about(error)),
            None => self.token(),
        }
    }

    fn replacement(&self, slot: &Slot, refused: &Token) -> Result<Token, Error> {
        let wish = Wish {
            other_than: Some(refused),
            is_refused: true,
            held: None,
        };
        self.obtain(slot, wish).inspect_err(|error| {
            if matches!(error, Error::Refused(_)) {
                self.forget(Some(&Secret::new(refused.expose().to_owned())));
            }
        })
    }

    fn is_usable(&self, token: &Token) -> bool {
        let now = (self.clock)();
        let lifespan = token.lifespan();
        lifespan.is_none_or(|lifespan| lifespan.freshness(now) != Freshness::Unusable)
    }

    /// Returns the issuer's userinfo response for a token, or its refusal.
    ///
    /// # Errors
    /// The issuer does not respond.
    pub fn userinfo(&self, token: &Token) -> Result<Result<Value, Refusal>, Error> {
        let known = self.slot.as_ref().and_then(Slot::read);
        let known = known.and_then(|entry| entry.endpoints);
        self.ask_userinfo(token, known, self.request.deadline)
            .map_err(|error| self.about(error))
    }

    /// Returns true if [`Broker::token_for`] asked the issuer about the token, and the
    /// issuer accepts it: if a server refused it, the server is at fault.
    pub fn is_accepted(&self) -> bool {
        self.is_accepted.get()
    }

    /// Returns whether the issuer accepts the token; `None` if it does not say. Without an
    /// issuer, the server's refusal counts: the supplier may have another token.
    fn accepts(&self, token: &Token, known: Option<Endpoints>) -> Option<bool> {
        if self.request.issuer.is_none() {
            return Some(false);
        }
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        match self.ask_userinfo(token, known, ahead) {
            Ok(answer) => Some(answer.is_ok()),
            Err(error) => {
                log::info!("no response: {}", error.report().headline());
                None
            }
        }
    }

    fn ask_userinfo(
        &self,
        token: &Token,
        known: Option<Endpoints>,
        deadline: Deadline,
    ) -> Result<Result<Value, Refusal>, Error> {
        self.drop_key();
        let issuer = self.issuer(deadline)?;
        let Some(known) = known else {
            return issuer.userinfo(&issuer.discover()?.userinfo, token);
        };
        let asked = self.with_known(deadline)?.userinfo(&known.userinfo, token);
        // The remembered endpoint may be outdated.
        let Err(error) = asked else {
            return asked;
        };
        match issuer.discover() {
            Ok(found) if found.userinfo != known.userinfo => {
                issuer.userinfo(&found.userinfo, token)
            }
            _ => Err(error),
        }
    }
}
