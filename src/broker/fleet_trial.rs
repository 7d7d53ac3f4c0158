//! Tests the shared cache, for `doctor`.

use std::time::Instant;

use super::Broker;
use super::wish::Step;
use crate::cache::shared::entry;
use crate::cache::shared::store::Limits;
use crate::error::Error;
use crate::net::wire::Place;
use crate::token::Freshness;

impl Broker<'_> {
    /// True if the profile has a shared cache.
    pub const fn is_shared(&self) -> bool {
        self.request.shared.is_some()
    }

    /// Tests the shared cache, and returns the result of each step, up to the first
    /// failure: the connection, the login, the rights, the entry.
    pub fn try_shared(&self) -> Vec<Result<Step, Error>> {
        let mut steps = Vec::new();
        if let Err(error) = self.try_steps(&mut steps) {
            steps.push(Err(error));
        }
        steps
    }

    fn try_steps(&self, steps: &mut Vec<Result<Step, Error>>) -> Result<(), Error> {
        let Some(settings) = &self.request.shared else {
            return Ok(());
        };
        let mut store = self.store_of(settings, Limits::NEEDED, self.request.deadline)?;
        let address = &settings.address;
        let of_server = |error: Error| error.map(|report| report.about(address));
        store.connect().map_err(of_server)?;
        let security = match address.place() {
            Place::Host { is_tls: true, .. } => "TLS",
            Place::Host { .. } => "plain text, on this machine",
            Place::Local(_) => "a socket file",
        };
        steps.push(Ok(Step::Done(format!("{address}: connected, {security}"))));
        let start = Instant::now();
        let rights = store.try_rights().map_err(of_server)?;
        let millis = start.elapsed().as_millis();
        let user = settings.username.as_deref().unwrap_or("default");
        let login = match settings.password {
            Some(_) => format!("user {user}, answers in {millis} ms"),
            None => format!("no password, answers in {millis} ms"),
        };
        // A server that needs a login refuses each command.
        let mut rights = rights.into_iter();
        rights.next().map_or(Ok(()), |(_, ping)| ping)?;
        steps.push(Ok(Step::Done(login)));
        for (command, right) in rights {
            right.map_err(|error| error.map(|report| report.about(&command)))?;
        }
        let what = "get, mget, set and del are allowed".to_owned();
        steps.push(Ok(Step::Done(what)));
        let now = (self.clock)();
        let look = store.look(now).map_err(of_server)?;
        let entry = look.entry.as_ref();
        let shared = entry.and_then(|opened| entry::read(opened, now));
        let usable = shared.filter(|shared| shared.lifespan.freshness(now) != Freshness::Unusable);
        steps.push(Ok(match (look.ban, look.pause, entry, usable) {
            (Some(ban), ..) => Step::Remark(
                format!(
                    "the issuer is refusing requests from this pool for up to {} s",
                    ban.as_secs()
                ),
                "wait, and see which programs of this address send many requests",
            ),
            (None, Some(why), ..) => Step::Remark(
                format!("all machines pause after a failure: {why}"),
                "try again in half a minute",
            ),
            (None, None, _, Some(shared)) => Step::Done(format!(
                "a token of this profile, valid until {}",
                shared.lifespan.expires_at
            )),
            (None, None, Some(opened), None) => Step::Remark(
                format!(
                    "a token of this profile that this clock takes for invalid: it was obtained at {}, and this clock says {now}",
                    opened.obtained_at
                ),
                "set the local clock (NTP)",
            ),
            (None, None, None, None) => {
                Step::Done("none of this profile yet: the first machine shares its own".to_owned())
            }
        }));
        Ok(())
    }
}
