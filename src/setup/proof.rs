//! The test of a profile: a token with it, and the token's user.

use serde_json::Value as Json;

use crate::broker::{Broker, Request};
use crate::error::{Error, Report};
use crate::source::issuer::Refusal;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::token::Token;

/// Gets a token, and returns the line on this profile's test.
///
/// # Errors
/// There is no token, or the issuer refuses it.
pub(super) fn line(
    name: &str,
    request: &Request<'_>,
    broker: &Broker<'_>,
) -> Result<String, Error> {
    let (token, untried) = broker.proof()?;
    let (name, kind, source) = (quote::path(name), kind(&token), &request.source);
    if broker.no_userinfo().is_some() {
        return Ok(format!("profile {name}: {source} gave {kind}"));
    }
    let answer = broker.userinfo(&token)?;
    let giver = match &request.issuer {
        Some(issuer) if source.is_exchanged() => issuer.as_str().to_owned(),
        _ => source.to_string(),
    };
    match (answer, untried) {
        (Err(_), Some(error)) => Err(error),
        (Err(refusal), None) => Err(broker.about(refused(&refusal))),
        (Ok(claims), None) => {
            let who = who(&claims, broker, &token);
            Ok(format!("profile {name}: {giver} gave {kind} for {who}"))
        }
        (Ok(claims), Some(error)) => {
            let who = who(&claims, broker, &token);
            Ok(format!(
                "warning: profile {name}: the key was not tried now: {}; {giver} accepts a cached token of this key, {kind} for {who}",
                error.report().headline()
            ))
        }
    }
}

fn kind(token: &Token) -> &'static str {
    if token.is_jwt() {
        "a JWT"
    } else {
        "an opaque token"
    }
}

fn who(claims: &Json, broker: &Broker<'_>, token: &Token) -> String {
    let user = broker
        .user_id()
        .map_or_else(|| broker.username(token), ToOwned::to_owned);
    let names = ["name", "preferred_username"];
    let name = names
        .iter()
        .find_map(|key| claims.get(key).and_then(Json::as_str));
    match name.map(quoted) {
        Some(name) => format!("{name}, user {user}"),
        None => format!("user {user}"),
    }
}

fn refused(refusal: &Refusal) -> Error {
    let what = format!(
        "the issuer refuses the token that it issued: {}",
        refusal.description
    );
    Error::Final(
        Report::new(what)
            .hint("check in ZITADEL that the user is active; nothing was written")
            .hint("try again later: ZITADEL gives the same answer for an internal error"),
    )
}
