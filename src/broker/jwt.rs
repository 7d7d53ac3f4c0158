//! JWTs, for readers that verify a token without asking the issuer.

use std::path::PathBuf;

use super::wish::Wish;
use super::{Broker, PAUSE};
use crate::error::{Error, Report};
use crate::text::quote::system;
use crate::token::{MAKE_IT_JWT, Token};

impl Broker<'_> {
    /// Returns a valid token that is a JWT.
    ///
    /// A cached opaque token may be older than a change of the token type in ZITADEL, so
    /// it is replaced, at most once in half a minute.
    ///
    /// # Errors
    /// As [`Broker::token`]; the issuer issues opaque tokens.
    pub fn jwt(&self) -> Result<Token, Error> {
        let mut token = self.token()?;
        if let Some(slot) = &self.slot
            && !token.is_jwt()
            && token.is_older_than(PAUSE, (self.clock)())
        {
            let wish = Wish {
                other_than: Some(&token),
                ..Wish::default()
            };
            let newer = self.obtain(slot, wish);
            token = newer.map_err(|error| self.about(error))?;
        }
        if token.is_jwt() {
            return Ok(token);
        }
        let hint = format!("{MAKE_IT_JWT}, and run the command again half a minute later");
        let report = Report::new("the token is opaque, but this command needs a JWT").hint(hint);
        Err(self.about(Error::Final(report)))
    }

    /// Returns a JWT as [`Broker::jwt`] does, and the path of a file of mode 0600 that
    /// contains it.
    ///
    /// # Errors
    /// As [`Broker::jwt`]; there is no cache for the file, or the write failed.
    pub fn jwt_in_file(&self) -> Result<(Token, PathBuf), Error> {
        const USE_WRITE: &str = "run zitadel-credential token --write FILE, and set AWS_WEB_IDENTITY_TOKEN_FILE to that file";
        let Some(slot) = &self.slot else {
            let what = "no cache directory for the token file";
            return Err(Error::Usage(Report::new(what).hint(USE_WRITE)));
        };
        let token = self.jwt()?;
        match slot.write_token(&token) {
            Ok(file) => Ok((token, file)),
            Err(error) => {
                let what = format!("cannot write the token file: {}", system(&error));
                Err(self.about(Error::Final(Report::new(what).hint(USE_WRITE))))
            }
        }
    }
}
