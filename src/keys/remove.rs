//! `key remove`: removes a key at ZITADEL.

use super::list::end;
use super::session::Session;
use crate::call::{Answer, World};
use crate::error::{Error, Report};
use crate::grant::KeyId;
use crate::text::quote::{holds_secret, quoted, system};

/// Parses the ID of a key to remove.
///
/// # Errors
/// [`Error::Usage`]: the ID is invalid, or no user can be asked.
pub(super) fn wanted(world: &World<'_>, id: &str, is_sure: bool) -> Result<KeyId, Error> {
    let parsed = KeyId::parse(id).filter(|_| !holds_secret(id));
    let id = parsed.ok_or_else(|| {
        let what = format!("invalid key ID: \"{}\"", quoted(id));
        Error::Usage(Report::new(what).hint("use an ID of zitadel-credential key list"))
    })?;
    if !is_sure && !world.can_ask() {
        let what = format!(
            "key {} not removed: no terminal to ask for confirmation",
            id.as_str()
        );
        return Err(Error::Usage(Report::new(what).hint(
            "add --yes to remove it; programs that use it get no more tokens",
        )));
    }
    Ok(id)
}

/// Removes a key of the session's user, once the user at the terminal agrees.
///
/// # Errors
/// The key is in use or does not exist, or as [`Session::remove`].
pub(super) fn remove(
    world: &World<'_>,
    session: &Session<'_, '_>,
    id: &KeyId,
    is_sure: bool,
) -> Result<Answer, Error> {
    if session.grant().key_id == *id {
        let what = format!("key {} is in use by this profile", id.as_str());
        return Err(Error::Usage(Report::new(what).hint(
            "run zitadel-credential key rotate, which puts a new key in its place before it is removed",
        )));
    }
    let keys = session.list()?;
    let Some(key) = keys.iter().find(|key| key.id == *id) else {
        return Err(unknown(session, id));
    };
    if !is_sure {
        let request = format!(
            "Remove key {}, created {}, expires {}? [y/N] ",
            id.as_str(),
            key.created_at,
            end(key)
        );
        let answer = (world.ask)(&request).map_err(|error| {
            let what = format!("no answer: {}", system(&error));
            Error::Usage(Report::new(what).hint("add --yes to remove it"))
        })?;
        if !["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
            return Ok(Answer::new("nothing removed\n").with_code(1));
        }
    }
    if !session.remove(id)? {
        return Err(unknown(session, id));
    }
    Ok(Answer::new(format!(
        "key {} removed; its tokens stay valid at ZITADEL until they expire\n",
        id.as_str()
    )))
}

fn unknown(session: &Session<'_, '_>, id: &KeyId) -> Error {
    let user = session.user().as_str();
    let what = format!("user {user} has no key {}", id.as_str());
    Error::Final(Report::new(what).hint("run zitadel-credential key list"))
}
