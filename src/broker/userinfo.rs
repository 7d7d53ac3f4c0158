//! Userinfo requests: the owner of a token, and whether it is still accepted.

use serde_json::Value;

use super::{AHEAD, Broker};
use crate::cache::Slot;
use crate::error::Error;
use crate::source::issuer::{Issuer, Refusal};
use crate::sys::parent::Parent;
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::token::Token;
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
        let hand_over = |token: &Token| {
            let noted = parents.hand_over(parent, token, (self.clock)());
            noted.unwrap_or_else(|error| {
                log::debug!("cannot record the parent process: {}", system(&error));
                false
            })
        };
        if !hand_over(&token) {
            return Ok(token);
        }
        if !self.is_refused(slot, &token) {
            // The token may have expired during the request.
            let is_expired = token
                .expiry_for_tools()
                .is_some_and(|end| end <= (self.clock)());
            return if is_expired { self.token() } else { Ok(token) };
        }
        log::warn!("the cached token was revoked: requesting a new one");
        let token = self
            .obtain(slot, Some(&token))
            .map_err(|error| self.about(error))?;
        hand_over(&token);
        Ok(token)
    }

    /// Returns the issuer's userinfo response for a token, or its refusal.
    ///
    /// # Errors
    /// The issuer does not respond.
    pub fn userinfo(&self, token: &Token) -> Result<Result<Value, Refusal>, Error> {
        let known = self.slot.as_ref().and_then(Slot::read);
        self.ask_userinfo(token, known.map(|e| e.endpoints), self.request.deadline)
            .map_err(|error| self.about(error))
    }

    /// True if the issuer refuses the token; false if it accepts it or does not
    /// respond.
    fn is_refused(&self, slot: &Slot, token: &Token) -> bool {
        log::info!("the same process asks again: checking the token with the issuer");
        let known = slot.read().map(|entry| entry.endpoints);
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        match self.ask_userinfo(token, known, ahead) {
            Ok(answer) => answer.is_err(),
            Err(error) => {
                log::info!("no response: {}", error.report().headline());
                false
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
        let issuer = Issuer::new(&self.request.issuer, &self.request.network, deadline);
        let Some(known) = known else {
            return issuer.userinfo(&issuer.discover()?.userinfo, token);
        };
        let asked = self.with_known(deadline).userinfo(&known.userinfo, token);
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
