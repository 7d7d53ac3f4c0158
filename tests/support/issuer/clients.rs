//! Service users' client secrets (RFC 6749, section 4.4).

use std::collections::HashMap;

use super::answers::Refusal;
use super::applications::basic;
use super::tokens::random;
use super::users::Users;
use crate::support::Request;

/// ZITADEL's own secret length.
const LENGTH: usize = 64;

/// The secrets by user ID; a user has one, and a new one replaces it.
#[derive(Default)]
pub(super) struct Clients {
    secrets: HashMap<String, String>,
}

impl Clients {
    pub(super) fn renew(&mut self, user_id: &str) -> String {
        let secret = random(LENGTH / 2);
        self.secrets.insert(user_id.to_owned(), secret.clone());
        secret
    }

    pub(super) fn remove(&mut self, user_id: &str) {
        self.secrets.remove(user_id);
    }

    /// Returns the user whose name and secret a request has, in its header or its form.
    pub(super) fn check(&self, request: &Request, users: &Users) -> Result<String, Refusal> {
        let from_form = || {
            Some((
                request.form_value("client_id")?,
                request.form_value("client_secret")?,
            ))
        };
        let (name, secret) = basic(request)
            .map(|(name, secret)| (decoded(&name), decoded(&secret)))
            .or_else(from_form)
            .ok_or(Refusal::NoClient)?;
        let user_id = users.by_username(&name).ok_or(Refusal::UnknownClient)?;
        if users.is_inactive(&user_id) {
            return Err(Refusal::Inactive);
        }
        match self.secrets.get(&user_id) {
            None => Err(Refusal::NoSecret),
            Some(known) if *known != secret => Err(Refusal::WrongSecret),
            Some(_) => Ok(user_id),
        }
    }
}

/// Decodes a half of the header, which is encoded like a form (RFC 6749, section 2.3.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.unwrap_or(b'?'));
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
