//! The names in the store, and what is read and written under them.
//!
//! | name | value |
//! |---|---|
//! | `zc1:{NAME}:t` | the entry, sealed |
//! | `zc1:{NAME}:l:GEN` | the lock of who replaces the entry of this generation |
//! | `zc1:{NAME}:n` | the pause after a failure, sealed |
//! | `zc1:ban:POOL` | for how many seconds the issuer takes no request of a pool |

use std::thread;
use std::time::Duration;

use super::client::{Client, not_a_store, refusal};
use super::entry::SKEW;
use super::resp::{LIMIT, Reply};
use super::seal::{Opened, Seal};
use super::{Settings, entry};
use crate::error::{Error, Report};
use crate::grant::{Grant, digest};
use crate::net::wire::Patience;
use crate::sys::Environment;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::{Endpoints, IssuerUrl};

/// How long a lock is kept.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long everybody pauses after a failure that may pass.
pub const PAUSE: Duration = Duration::from_secs(30);

/// The longest ban that is believed.
pub const LONGEST_BAN: Duration = Duration::from_secs(90);

/// The generation of no entry.
const NONE: &str = "0";

/// The longest text of a pause, in characters.
const LONGEST_TEXT: usize = 400;

/// How long the store may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one step of a try.
    pub step: Duration,
    /// For all tries.
    pub all: Duration,
}

impl Limits {
    /// While a token is at hand.
    pub const HELD: Self = Self {
        step: Duration::from_millis(200),
        all: Duration::from_millis(200),
    };

    /// While there is none.
    pub const NEEDED: Self = Self {
        step: Duration::from_millis(500),
        all: Duration::from_secs(5),
    };
}

/// A command, and whether the login may use it.
pub type Right = (&'static str, Result<(), Error>);

/// The store, as one call uses it.
pub struct Store<'a> {
    client: Client<'a>,
    seal: Seal,
    ban: String,
    limits: Limits,
    deadline: Deadline,
}

/// What is in the store.
pub struct Look {
    /// The entry, if it unseals; its times are not checked.
    pub entry: Option<Opened>,
    /// The failure after which everybody pauses.
    pub pause: Option<String>,
    /// For how long at most the issuer takes no request.
    pub ban: Option<Duration>,
    /// True if this call has the lock, or why there is none to have.
    pub lock: Result<bool, Error>,
}

impl Look {
    /// Returns the name of the entry's generation.
    pub fn generation(&self) -> &str {
        let entry = self.entry.as_ref();
        entry.map_or(NONE, |entry| entry.generation.as_str())
    }
}

impl<'a> Store<'a> {
    /// Creates a store. Opens and reads nothing yet.
    pub fn new(
        settings: &'a Settings,
        environment: &'a Environment,
        seal: Seal,
        grant: &Grant,
        (limits, deadline): (Limits, Deadline),
    ) -> Self {
        let issuer = grant.issuer.as_ref().map_or("", IssuerUrl::as_str);
        Self {
            client: Client::new(settings, environment),
            seal,
            ban: format!("zc1:ban:{}", digest(["ban", issuer, &settings.pool])),
            limits,
            deadline,
        }
    }

    /// Reads everything in one request.
    ///
    /// # Errors
    /// The store is not available.
    pub fn look(&mut self, now: UnixTime) -> Result<Look, Error> {
        self.read(None, now)
    }

    /// Tries to take the lock of a generation, and then reads everything, in one request.
    ///
    /// # Errors
    /// The store is not available.
    pub fn contend(&mut self, generation: &str, now: UnixTime) -> Result<Look, Error> {
        self.read(Some(generation), now)
    }

    fn read(&mut self, generation: Option<&str>, now: UnixTime) -> Result<Look, Error> {
        let (ban, entry, pause) = (self.ban.clone(), self.place("t"), self.place("n"));
        let lock = generation.map(|generation| self.lock(generation));
        let lease = LEASE.as_millis().to_string();
        let mut commands: Vec<Vec<&[u8]>> = Vec::new();
        if let Some(lock) = &lock {
            let lock = lock.as_bytes();
            commands.push(vec![b"SET", lock, b"1", b"NX", b"PX", lease.as_bytes()]);
        }
        commands.push(vec![b"GET", ban.as_bytes()]);
        commands.push(vec![b"MGET", entry.as_bytes(), pause.as_bytes()]);
        let mut replies = self.run(&commands)?.into_iter();
        let lock = match lock.and_then(|_| replies.next()) {
            None | Some(Reply::Nothing) => Ok(false),
            Some(Reply::Status(_)) => Ok(true),
            Some(Reply::Error(code)) => Err(refusal(&code)),
            Some(_) => return Err(not_a_store()),
        };
        let ban = match replies.next() {
            Some(Reply::Nothing) => None,
            Some(Reply::Value(value)) => ban_of(&value),
            Some(Reply::Error(code)) => return Err(refusal(&code)),
            _ => return Err(not_a_store()),
        };
        let (sealed, paused) = match replies.next() {
            Some(Reply::Values(values)) => {
                let values: Result<[_; 2], _> = values.try_into();
                values.map_err(|_| not_a_store())?.into()
            }
            Some(Reply::Error(code)) => return Err(refusal(&code)),
            _ => return Err(not_a_store()),
        };
        let sealed = sealed.and_then(|value| self.seal.open(&entry, &value));
        let paused = paused.and_then(|value| self.seal.open(&pause, &value));
        Ok(Look {
            entry: sealed,
            pause: paused.and_then(|opened| pause_of(&opened, now)),
            ban,
            lock,
        })
    }

    /// Publishes a token for this long, and gives up the lock: a store that drops the entry
    /// at once has nobody wait for it.
    ///
    /// # Errors
    /// The store is not available, or the token is too large.
    pub fn publish(
        &mut self,
        token: &Token,
        endpoints: Option<&Endpoints>,
        times: (UnixTime, UnixTime),
        (ttl, lock): (Duration, Option<&str>),
    ) -> Result<(), Error> {
        let place = self.place("t");
        let content = entry::write(token, endpoints);
        if content.len() > LIMIT / 2 {
            return Err(Error::Final(Report::new("the token is too large to share")));
        }
        let value = self.seal.seal(&place, times, &content);
        let value = value.map_err(Error::Final)?;
        self.set(&place, &value, ttl, lock)
    }

    /// Has everybody pause after a failure, and gives up the lock.
    ///
    /// # Errors
    /// The store is not available.
    pub fn pause(&mut self, why: &str, lock: Option<&str>, now: UnixTime) -> Result<(), Error> {
        let place = self.place("n");
        let why: String = why.chars().take(LONGEST_TEXT).collect();
        let times = (now, now.plus(PAUSE));
        let value = self.seal.seal(&place, times, why.as_bytes());
        self.set(&place, &value.map_err(Error::Final)?, PAUSE, lock)
    }

    /// Tells the pool that the issuer takes no request for this long, and gives up the lock.
    ///
    /// # Errors
    /// The store is not available.
    pub fn set_ban(&mut self, length: Duration, lock: Option<&str>) -> Result<(), Error> {
        let length = length.min(LONGEST_BAN);
        let ban = self.ban.clone();
        let value = length.as_secs().max(1).to_string();
        self.set(&ban, value.as_bytes(), length, lock)
    }

    /// Gives up the lock of a generation.
    ///
    /// # Errors
    /// The store is not available.
    pub fn unlock(&mut self, generation: &str) -> Result<(), Error> {
        let lock = self.lock(generation);
        let replies = self.run(&[vec![b"DEL", lock.as_bytes()]])?;
        replies.into_iter().try_for_each(accepted)
    }

    fn set(
        &mut self,
        name: &str,
        value: &[u8],
        ttl: Duration,
        unlocked: Option<&str>,
    ) -> Result<(), Error> {
        let ttl = ttl.as_millis().max(1).to_string();
        let lock = unlocked.map(|generation| self.lock(generation));
        let mut commands: Vec<Vec<&[u8]>> =
            vec![vec![b"SET", name.as_bytes(), value, b"PX", ttl.as_bytes()]];
        if let Some(lock) = &lock {
            commands.push(vec![b"DEL", lock.as_bytes()]);
        }
        let replies = self.run(&commands)?;
        replies.into_iter().try_for_each(accepted)
    }

    /// Tries whether a login has all rights that are needed, and returns what each step
    /// says: nothing is left behind.
    ///
    /// # Errors
    /// The store is not available.
    pub fn try_rights(&mut self) -> Result<Vec<Right>, Error> {
        let name = self.place("d");
        let name = name.as_bytes();
        let commands = [
            vec![b"PING".as_slice()],
            vec![b"SET", name, b"1", b"NX", b"PX", b"1000"],
            vec![b"GET", name],
            vec![b"MGET", name],
            vec![b"DEL", name],
        ];
        let names = ["ping", "set", "get", "mget", "del"];
        let replies = self.run(&commands)?;
        Ok(names
            .into_iter()
            .zip(replies.into_iter().map(accepted))
            .collect())
    }

    /// Replaces the limits of all further requests.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Connects: a step of its own for `doctor`.
    ///
    /// # Errors
    /// The store is not available.
    pub fn connect(&mut self) -> Result<(), Error> {
        let patience = self.patience(&Deadline::after(self.limits.all));
        self.client.connect(patience)
    }

    /// Sends commands, and tries again after a failure that may pass, within the limits.
    fn run(&mut self, commands: &[Vec<&[u8]>]) -> Result<Vec<Reply>, Error> {
        let all = Deadline::after(self.limits.all.min(self.deadline.remaining()));
        let mut pause = Duration::from_millis(20);
        loop {
            let patience = self.patience(&all);
            let error = match self.client.exchange(commands, patience) {
                Ok(replies) => match replies.iter().find_map(passing) {
                    None => return Ok(replies),
                    Some(error) => error,
                },
                Err(error) => error,
            };
            let left = all.remaining();
            if !matches!(error, Error::Passing(_)) || left <= pause {
                return Err(error);
            }
            log::debug!("shared cache: {}; trying again", error.report().headline());
            thread::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0));
            pause = (pause * 2).min(Duration::from_millis(320));
        }
    }

    fn patience(&self, all: &Deadline) -> Patience {
        Patience {
            step: self.limits.step,
            deadline: *all,
        }
    }

    fn place(&self, kind: &str) -> String {
        format!("zc1:{{{}}}:{kind}", self.seal.name())
    }

    fn lock(&self, generation: &str) -> String {
        self.place(&format!("l:{generation}"))
    }
}

/// Returns the error of a reply after which another try may succeed.
fn passing(reply: &Reply) -> Option<Error> {
    match reply {
        Reply::Error(code) => {
            Some(refusal(code)).filter(|error| matches!(error, Error::Passing(_)))
        }
        _ => None,
    }
}

fn accepted(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Error(code) => Err(refusal(&code)),
        _ => Ok(()),
    }
}

/// Returns a ban's length: the key itself ends with it.
fn ban_of(value: &[u8]) -> Option<Duration> {
    let is_plain = (1..=2).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_plain)?;
    let length = Duration::from_secs(text.parse().ok()?);
    (!length.is_zero() && length <= LONGEST_BAN).then_some(length)
}

/// Returns the text of a pause that is not over: a store could keep it for ever.
fn pause_of(opened: &Opened, now: UnixTime) -> Option<String> {
    let is_now = opened.obtained_at.since(now) <= SKEW && now.since(opened.expires_at) <= SKEW;
    let is_short = opened.expires_at.since(opened.obtained_at) <= PAUSE;
    let text = std::str::from_utf8(&opened.content).ok()?;
    (is_now && is_short).then(|| quoted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_a_short_number_of_seconds() {
        let secs = |secs| Some(Duration::from_secs(secs));
        for (value, ban) in [
            ("1", secs(1)),
            ("90", secs(90)),
            ("91", None),
            ("0", None),
            ("", None),
            ("999999999999", None),
            ("-5", None),
            ("6e1", None),
        ] {
            assert_eq!(ban_of(value.as_bytes()), ban, "{value}");
        }
    }

    #[test]
    fn a_pause_ends_by_the_clock_too() {
        let at = UnixTime::from_secs;
        let opened = |from, to| Opened {
            obtained_at: at(from),
            expires_at: at(to),
            generation: String::new(),
            content: b"down".to_vec(),
        };
        assert!(pause_of(&opened(1000, 1030), at(1000)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(940)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(939)).is_none());
        assert!(pause_of(&opened(1000, 1030), at(1090)).is_some());
        assert!(pause_of(&opened(1000, 1030), at(1091)).is_none());
        assert!(pause_of(&opened(1000, 9000), at(1000)).is_none());
    }
}
