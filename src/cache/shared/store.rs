//! Reads and writes the values in the store under these names:
//!
//! | name | value |
//! |---|---|
//! | `zc1:{NAME}:t` | the entry, sealed |
//! | `zc1:{NAME}:l:GEN` | the lock for replacing the entry of this generation: a random value of its holder |
//! | `zc1:{NAME}:n` | the pause after a failure, sealed |
//! | `zc1:ban:POOL` | the end of the issuer's ban of a pool, in seconds since 1970 |

use std::thread;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::client::{Client, not_a_store, refusal};
use super::pauses::{LONGEST_BAN, PAUSE, ban_of, pause_of};
use super::resp::{LIMIT, Reply};
use super::seal::{Opened, Seal};
use super::{Settings, entry};
use crate::error::{Error, Report};
use crate::grant::{Grant, digest};
use crate::net::wire::Patience;
use crate::sys::Environment;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::digest::hex;
use crate::token::Token;
use crate::url::{Endpoints, IssuerUrl};

/// The lifetime of a lock.
pub const LEASE: Duration = Duration::from_secs(15);

/// The generation before the first entry.
const NONE: &str = "0";

/// The longest text of a failure, in characters.
const LONGEST_TEXT: usize = 400;

/// The time limits for the store.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The limit of one step of an attempt.
    pub step: Duration,
    /// The limit of all attempts.
    pub all: Duration,
}

impl Limits {
    /// The limits while there is a valid token.
    pub const HELD: Self = Self {
        step: Duration::from_millis(200),
        all: Duration::from_millis(200),
    };

    /// The limits without a valid token.
    pub const NEEDED: Self = Self {
        step: Duration::from_millis(500),
        all: Duration::from_secs(5),
    };
}

/// A command, and the error if the login may not use it.
pub type Right = (&'static str, Result<(), Error>);

/// The store, as one call uses it.
pub struct Store<'a> {
    client: Client<'a>,
    seal: Seal,
    ban: String,
    /// The value of this call's locks. It differs from those of other machines: if
    /// the reply to a lock is lost, the retry finds this call's own lock.
    mark: String,
    limits: Limits,
    deadline: Deadline,
}

/// The content of the store.
pub struct Look {
    /// The entry, if it unseals; its times are not checked.
    pub entry: Option<Opened>,
    /// The failure after which all machines pause.
    pub pause: Option<String>,
    /// The longest time for which the issuer still refuses requests.
    pub ban: Option<Duration>,
    /// True if this call has the lock; the error if no lock can be taken.
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
    /// Creates a store. Opens and reads nothing.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn new(
        settings: &'a Settings,
        environment: &'a Environment<'a>,
        seal: Seal,
        grant: &Grant,
        (limits, deadline): (Limits, Deadline),
    ) -> Result<Self, Error> {
        let issuer = grant.issuer.as_ref().map_or("", IssuerUrl::as_str);
        Ok(Self {
            client: Client::new(settings, environment),
            seal,
            ban: format!("zc1:ban:{}", digest(["ban", issuer, &settings.pool])),
            mark: mark()?,
            limits,
            deadline,
        })
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
        let (mark, lease) = (self.mark.clone(), LEASE.as_millis().to_string());
        let mut commands: Vec<Vec<&[u8]>> = Vec::new();
        if let Some(lock) = &lock {
            let (lock, mark) = (lock.as_bytes(), mark.as_bytes());
            commands.push(vec![b"SET", lock, mark, b"NX", b"PX", lease.as_bytes()]);
        }
        let mut names = vec![entry.as_bytes(), pause.as_bytes()];
        names.extend(lock.as_deref().map(str::as_bytes));
        commands.push(vec![b"GET", ban.as_bytes()]);
        commands.push([&[b"MGET".as_slice()], names.as_slice()].concat());
        let mut replies = self.run(&commands)?.into_iter();
        let set = lock.as_ref().and_then(|_| replies.next());
        let ban = match replies.next() {
            Some(Reply::Nothing) => None,
            Some(Reply::Value(value)) => ban_of(&value, now),
            Some(Reply::Error(code)) => return Err(refusal(&code)),
            _ => return Err(not_a_store()),
        };
        let mut values = match replies.next() {
            Some(Reply::Values(values)) if values.len() == names.len() => values.into_iter(),
            Some(Reply::Error(code)) => return Err(refusal(&code)),
            _ => return Err(not_a_store()),
        };
        let mut next = || values.next().flatten();
        let (sealed, paused, holder) = (next(), next(), next());
        let lock = match set {
            None => Ok(false),
            Some(Reply::Status(_)) => Ok(true),
            Some(Reply::Nothing) => Ok(holder.is_some_and(|holder| holder == mark.as_bytes())),
            Some(Reply::Error(code)) => Err(refusal(&code)),
            Some(_) => return Err(not_a_store()),
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

    /// Publishes a token with this lifetime, and releases the lock, so that nobody waits
    /// if the token is too large or the store drops the entry.
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
            if let Some(lock) = lock {
                self.unlock(lock)?;
            }
            return Err(Error::Final(Report::new("the token is too large to share")));
        }
        let value = self.seal.seal(&place, times, &content);
        let value = value.map_err(Error::Final)?;
        self.set(&place, &value, ttl, lock)
    }

    /// Makes all machines pause after a failure, and releases the lock.
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

    /// Publishes for the pool how long the issuer refuses requests, and releases the
    /// lock.
    ///
    /// # Errors
    /// The store is not available.
    pub fn set_ban(
        &mut self,
        length: Duration,
        lock: Option<&str>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let length = length.min(LONGEST_BAN);
        let ban = self.ban.clone();
        let value = now.plus(length).as_secs().to_string();
        self.set(&ban, value.as_bytes(), length, lock)
    }

    /// Releases the lock of a generation.
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

    /// Checks that a login has all needed rights, and returns the result of each step.
    /// Leaves nothing in the store.
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

    /// Connects: a separate step of `doctor`.
    ///
    /// # Errors
    /// The store is not available.
    pub fn connect(&mut self) -> Result<(), Error> {
        let patience = self.patience(&Deadline::after(self.limits.all));
        self.client.connect(patience)
    }

    /// Sends commands, and retries after a temporary failure, within the limits.
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

/// Returns a random value for one call's locks.
fn mark() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        let what = "the operating system has no random numbers";
        Error::Final(Report::new(what))
    })?;
    Ok(hex(&bytes))
}

/// Returns the error of a reply after which a retry may succeed.
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
