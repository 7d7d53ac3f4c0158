//! Whose token it is, and whether it still is good: what the issuer is asked
//! about a token that is there.

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
    /// A token for a process that asks again when its last one was refused.
    ///
    /// The same parent asking for a token that is still good has most likely
    /// got a 401 for it: then the issuer is asked, and a new token is minted
    /// only if the issuer refuses the old one.
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
                log::debug!("this parent is not remembered: {}", system(&error));
                false
            })
        };
        if !hand_over(&token) {
            return Ok(token);
        }
        if !self.is_refused(slot, &token) {
            // Asking took its time, of which the token may have had little left.
            let has_run_out = token.told_expiry().is_some_and(|end| end <= (self.clock)());
            return if has_run_out { self.token() } else { Ok(token) };
        }
        log::warn!("the token in the cache was revoked: minting another");
        let token = self
            .obtain(slot, Some(&token))
            .map_err(|error| self.about(error))?;
        hand_over(&token);
        Ok(token)
    }

    /// Asks the issuer whose token it is: its answer, or its refusal.
    ///
    /// # Errors
    /// No answer.
    pub fn userinfo(&self, token: &Token) -> Result<Result<Value, Refusal>, Error> {
        let known = self.slot.as_ref().and_then(Slot::read);
        self.ask_userinfo(token, known.map(|e| e.endpoints), self.request.deadline)
            .map_err(|error| self.about(error))
    }

    /// Whether the issuer says no to a token; where it says nothing, it is good.
    fn is_refused(&self, slot: &Slot, token: &Token) -> bool {
        log::info!("the same process asks again: asking the issuer whether the token is good");
        let known = slot.read().map(|entry| entry.endpoints);
        let ahead = Deadline::after(self.request.deadline.remaining().min(AHEAD));
        match self.ask_userinfo(token, known, ahead) {
            Ok(answer) => answer.is_err(),
            Err(error) => {
                log::info!("no answer: {}", error.report().headline());
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
        let issuer = Issuer::new(&self.request.issuer, &self.request.network, deadline);
        let Some(known) = known else {
            return issuer.userinfo(&issuer.discover()?.userinfo, token);
        };
        let asked = self.with_known(deadline).userinfo(&known.userinfo, token);
        // What we remember may be of yesterday.
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
