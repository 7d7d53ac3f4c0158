//! Tokens for who reads them without asking the issuer: JWTs.

use std::path::PathBuf;

use super::{Broker, PAUSE};
use crate::error::{Error, Report};
use crate::text::quote::system;
use crate::token::{MAKE_IT_JWT, Token};

impl Broker<'_> {
    /// A token that is good now and no opaque one.
    ///
    /// One that is opaque may be from before that was changed in ZITADEL: another
    /// is got in its place, but not more than once in half a minute.
    ///
    /// # Errors
    /// As [`Broker::token`]; it is opaque.
    pub fn jwt(&self) -> Result<Token, Error> {
        let mut token = self.token()?;
        if let Some(slot) = &self.slot
            && !token.is_jwt()
            && token.is_older_than(PAUSE, (self.clock)())
        {
            let newer = self.obtain(slot, Some(&token));
            token = newer.map_err(|error| self.about(error))?;
        }
        if token.is_jwt() {
            return Ok(token);
        }
        let hint = format!("{MAKE_IT_JWT}; half a minute later that is noticed");
        let report = Report::new("the token is opaque, where a JWT is needed").hint(hint);
        Err(self.about(Error::Final(report)))
    }

    /// As [`Broker::jwt`], and a file of mode 0600 that holds it.
    ///
    /// # Errors
    /// As [`Broker::jwt`]; there is no cache for the file to lie in, or it could
    /// not be written.
    pub fn jwt_in_file(&self) -> Result<(Token, PathBuf), Error> {
        const ELSEWHERE: &str = "zitadel-credential token --write FILE puts it elsewhere: name that in AWS_WEB_IDENTITY_TOKEN_FILE";
        let Some(slot) = &self.slot else {
            let what = "there is no cache for the token's file to lie in";
            return Err(Error::Usage(Report::new(what).hint(ELSEWHERE)));
        };
        let token = self.jwt()?;
        match slot.write_token(&token) {
            Ok(file) => Ok((token, file)),
            Err(error) => {
                let what = format!("the token's file was not written: {}", system(&error));
                Err(self.about(Error::Final(Report::new(what).hint(ELSEWHERE))))
            }
        }
    }
}
