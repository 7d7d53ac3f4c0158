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
    /// the issuer refuses it too, or cannot check it.
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
        let known = slot.read().and_then(|entry| entry.endpoints);
        let why = "a server may have refused the token, because the same process asks again";
        let is_accepted = self.accepts(&token, known, why);
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

    /// Checks a token that a server refused, and returns its replacement; `None` if the
    /// issuer does not refuse it, or if it was checked in the last 30 s.
    pub(super) fn settle(&self, slot: &Slot, entry: &Entry) -> Result<Option<Token>, Error> {
        let may_check = slot.parents().may_check((self.clock)());
        if !may_check.unwrap_or_else(|error| {
            log::debug!("cannot record the check of a token: {}", system(&error));
            false
        }) {
            return Ok(None);
        }
        let known = entry.endpoints.clone();
        match self.accepts(&entry.token, known, "a server refused the token") {
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

    /// Returns a replacement of a refused token. After a temporary failure, the old one
    /// is returned: a failing issuer refuses valid tokens. If the key or its user is
    /// refused too, the old one is removed from the cache.
    fn replace_refused(&self, slot: &Slot, refused: &Token) -> Result<Token, Error> {
        match self.replacement(slot, refused) {
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) if self.is_usable(refused) => {
                log::warn!(
                    "cannot replace the refused token, so it stays in use: {}",
                    error.report().headline()
                );
                Ok(refused.clone())
            }
            token => token,
        }
    }

    /// Returns a token other than the one that the issuer refused.
    ///
    /// # Errors
    /// As [`Broker::token`]. If the key or its user is refused too, the old token is
    /// removed from the cache.
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

    /// Returns whether the issuer accepts the token; `None` if the response does not show
    /// it. If it cannot be asked, the server's refusal counts: another token needs no
    /// issuer either. Logs `why` the token is checked.
    fn accepts(&self, token: &Token, known: Option<Endpoints>, why: &str) -> Option<bool> {
        if self.no_userinfo().is_some() {
            log::info!("{why}: requesting another one");
            return Some(false);
        }
        log::info!("{why}: checking it with the issuer");
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        match self.ask_userinfo(token, known, ahead) {
            Ok(Ok(_)) => Some(true),
            Ok(Err(_)) => {
                log::warn!("the issuer refuses the cached token: requesting a new one");
                Some(false)
            }
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
