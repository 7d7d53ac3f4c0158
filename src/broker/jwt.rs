//! Tokens for who reads them without asking the issuer: JWTs.

use super::Broker;
use crate::error::{Error, Report};
use crate::token::{MAKE_IT_JWT, Token};

impl Broker<'_> {
    /// A token that is good now and no opaque one.
    ///
    /// # Errors
    /// As [`Broker::token`]; it is opaque.
    pub fn jwt(&self) -> Result<Token, Error> {
        let token = self.token()?;
        if token.is_jwt() {
            return Ok(token);
        }
        // The one that is held stays what it is.
        let hint = format!("{MAKE_IT_JWT}; then zitadel-credential whoami --refresh");
        let report = Report::new("the token is opaque, where a JWT is needed").hint(hint);
        Err(self.about(Error::Final(report)))
    }
}
