//! `agent --kubernetes-secret`: keeps the token in Kubernetes Secrets.
//!
//! 1. The pod's own service account applies it (server-side apply), with only the fields
//!    that the agent owns: other managers' fields stay unchanged.
//! 2. Nothing is forced: a field of another manager is a conflict, with its remedy.
//! 3. Each Secret is applied again within a minute, so that a removed one is created
//!    again. This needs no right to read Secrets.
//! 4. A Secret that fails is retried with its own growing pauses. One that hangs gets only
//!    its share of the time, so that the others get theirs.

mod cluster;
pub mod content;
mod name;
pub mod refusal;

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use cluster::Cluster;
use content::{Kind, Login};
pub(super) use name::SecretName;

use super::keeper::{Keeper, in_a_line};
use super::pace;
use crate::config::{Asker, Config};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::{Environment, signals};
use crate::text::clock::Deadline;
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::{Origin, Scheme};

/// Refusals in a row, in about ten seconds, that end an agent which has written nothing
/// yet. While an API server starts, it refuses requests that it allows later, and a role
/// may be created after the pod.
const REFUSALS: u32 = 5;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Kubernetes Secret to keep fresh, with the pod's service account; may be
    /// repeated
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub kubernetes_secret: Vec<SecretName>,
    /// Content of the Secrets: the token under the key `token`, or a login to
    /// registries for imagePullSecrets
    #[arg(long, value_enum, default_value_t = Kind::Token, hide_possible_values = true,
          value_name = "token|dockerconfigjson", requires = "kubernetes_secret")]
    pub secret_type: Kind,
    /// Registry of the login, which a host rule must name; may be repeated
    #[arg(
        long,
        value_name = "HOST",
        requires = "kubernetes_secret",
        required_if_eq("secret_type", "dockerconfigjson")
    )]
    pub registry: Vec<String>,
}

/// The Secrets and their current token.
pub(super) struct Secrets<'a> {
    args: &'a Args,
    /// `None` without Secrets.
    cluster: Option<Cluster<'a>>,
    places: Vec<Place>,
    setting: RefCell<Setting>,
    /// Failed attempts since the agent started.
    failures: u64,
}

/// The Secrets in the metrics.
pub(super) struct Applied {
    /// True if each Secret has the current token, and its last attempt succeeded.
    pub(super) is_complete: bool,
    /// Failed attempts since the agent started.
    pub(super) failures: u64,
}

/// The values of the last configuration and of the current token.
#[derive(Default)]
struct Setting {
    registries: Vec<Registry>,
    /// The username that belongs to the token.
    user: String,
    timeout: Duration,
}

/// A registry of the login.
struct Registry {
    /// `host[:port]`.
    name: String,
    /// The username of the host rule; `None` for the token's own.
    username: Option<String>,
}

/// One Secret.
struct Place {
    name: SecretName,
    /// The token that was applied last.
    token: Option<Secret>,
    /// Failed attempts in a row.
    failures: u32,
    /// Permanent refusals in a row.
    refusals: u32,
    /// The problem of the last attempt.
    problem: Option<String>,
    /// The problem that was logged; `None` after it is over.
    reported: Option<String>,
    /// The time of the next apply; `None` before the first one.
    due: Option<Instant>,
}

impl<'a> Secrets<'a> {
    /// Creates the Secrets that the options name.
    ///
    /// # Errors
    /// [`Error::Usage`]: this is not a pod, or the options conflict.
    pub fn new(environment: &'a Environment<'a>, args: &'a Args) -> Result<Self, Error> {
        let place = |name: &SecretName| Place::new(name.clone());
        if args.secret_type == Kind::Token && !args.registry.is_empty() {
            let what = "--registry: a Secret with the token alone names no registry";
            let hint = "add --secret-type dockerconfigjson";
            return Err(Error::Usage(Report::new(what).hint(hint)));
        }
        let is_wanted = !args.kubernetes_secret.is_empty();
        Ok(Self {
            args,
            cluster: is_wanted
                .then(|| Cluster::of_pod(environment))
                .transpose()?,
            places: args.kubernetes_secret.iter().map(place).collect(),
            setting: RefCell::default(),
            failures: 0,
        })
    }

    /// Takes over the configuration of the registries.
    ///
    /// # Errors
    /// [`Error::Usage`]: no host rule of the agent's profile names a registry.
    pub fn configure(&self, config: &Config<'_>) -> Result<(), Error> {
        let names = self.args.registry.iter();
        let registries = names.map(|name| Registry::of(config, name));
        let registries = registries.collect::<Result<_, _>>()?;
        let mut setting = self.setting.borrow_mut();
        setting.registries = registries;
        setting.timeout = Duration::from_secs(config.deadline().budget_secs());
        Ok(())
    }

    /// Sets the username that belongs to a new token. After a failed renewal, the current
    /// token keeps its own.
    pub fn set_user(&self, user: String) {
        self.setting.borrow_mut().user = user;
    }

    /// Applies the token to each Secret that is due, and returns the errors, which
    /// [`Secrets::report`] logs.
    pub fn apply(&mut self, token: Option<&Token>) -> Vec<Error> {
        let (Some(cluster), Some(token)) = (&self.cluster, token) else {
            return Vec::new();
        };
        // A signal that waited for the write of a file must not wait for the requests too:
        // Kubernetes kills a pod after 30 s. From here on, a signal ends the agent at once.
        signals::end_if_asked();
        let setting = self.setting.borrow();
        let logins = setting.logins();
        // One deadline for all: an unreachable server must not delay the files for long.
        let whole = Deadline::after(setting.timeout);
        let now = Instant::now();
        let due = self.places.iter_mut();
        let due: Vec<_> = due.filter(|place| place.is_due(now, token)).collect();
        let mut left = due.len();
        let mut errors = Vec::new();
        for place in due {
            // The request of one Secret may hang, for example in an admission webhook.
            let deadline = whole.share(left);
            left -= 1;
            let send = |name: &SecretName| {
                cluster.apply(name, self.args.secret_type, token, &logins, deadline)
            };
            errors.extend(place.apply(&Instant::now, &mut fastrand::f64, token, send));
        }
        self.failures += errors.len() as u64;
        errors
    }

    /// Returns the state for the metrics.
    pub fn applied(&self, token: Option<&Token>) -> Applied {
        let has = |place: &Place| place.failures == 0 && place.has(token);
        Applied {
            is_complete: self.places.iter().all(has),
            failures: self.failures,
        }
    }

    /// Returns the assignments for the service manager (`sd_notify(3)`): those about the
    /// files, and the missing Secrets.
    pub fn status(&self, of_files: &str) -> String {
        let all_have = self.places.iter().all(|place| place.token.is_some());
        let problem = self.places.iter().find_map(|place| place.problem.as_ref());
        let (ready, status) = match of_files.strip_prefix("READY=1\n") {
            Some(status) if all_have => ("READY=1\n", status),
            Some(status) => ("", status),
            None => ("", of_files),
        };
        match problem {
            Some(problem) => format!("{ready}STATUS={problem}"),
            None => format!("{ready}{status}"),
        }
    }

    /// Returns true once a Secret had the token.
    pub fn has_applied(&self) -> bool {
        self.places.iter().any(|place| place.token.is_some())
    }

    /// Returns true if a Secret was refused often enough for its error to end the agent.
    pub fn has_given_up(&self) -> bool {
        self.places.iter().any(|place| place.refusals >= REFUSALS)
    }

    /// Logs the start and the end of each problem once.
    pub fn report(&mut self) {
        self.places.iter_mut().for_each(Place::report);
    }

    /// Sleeps this long, and applies the token to Secrets that are due meanwhile.
    ///
    /// # Errors
    /// The error that ends the agent.
    pub fn sleep(&mut self, span: Duration, keeper: &Keeper) -> Result<(), Error> {
        let end = Instant::now() + span;
        loop {
            let now = Instant::now();
            let left = end.saturating_duration_since(now);
            let next = self.places.iter().filter_map(|place| place.due).min();
            match next.map(|due| due.saturating_duration_since(now)) {
                Some(nap) if nap < left => {
                    thread::sleep(nap);
                    let mut errors = self.apply(keeper.token());
                    let is_last =
                        |error: &Error| !self.has_applied() && !keeper.continues_after(error);
                    if self.has_given_up()
                        && let Some(at) = errors.iter().position(is_last)
                    {
                        return Err(errors.remove(at));
                    }
                    self.report();
                }
                _ => {
                    thread::sleep(left);
                    return Ok(());
                }
            }
        }
    }
}

impl Place {
    const fn new(name: SecretName) -> Self {
        Self {
            name,
            token: None,
            failures: 0,
            refusals: 0,
            problem: None,
            reported: None,
            due: None,
        }
    }

    /// Returns true if the token must be sent now.
    fn is_due(&self, now: Instant, token: &Token) -> bool {
        let is_new = !self.has(Some(token));
        // The pause after a failed attempt applies to a new token too.
        self.due.is_none_or(|due| due <= now) || (self.failures == 0 && is_new)
    }

    /// Returns true if this token was applied last.
    fn has(&self, token: Option<&Token>) -> bool {
        let both = self.token.as_ref().zip(token);
        both.is_some_and(|(text, token)| token.is(text))
    }

    /// Sends the token, and returns the error.
    fn apply(
        &mut self,
        clock: &dyn Fn() -> Instant,
        draw: &mut dyn FnMut() -> f64,
        token: &Token,
        send: impl FnOnce(&SecretName) -> Result<(), Error>,
    ) -> Option<Error> {
        let error = send(&self.name).err();
        let pause = match &error {
            None => {
                (self.failures, self.refusals) = (0, 0);
                self.token = Some(Secret::new(token.expose().to_owned()));
                self.problem = None;
                pace::LONGEST
            }
            Some(error) => {
                self.failures = self.failures.saturating_add(1);
                self.refusals = match error {
                    Error::Passing(_) => 0,
                    _ => self.refusals.saturating_add(1),
                };
                self.problem = Some(in_a_line(error));
                pace::after_failures(self.failures, error.report().retry_after(), draw())
            }
        };
        // The attempt took time: the pause begins after it.
        self.due = Some(clock() + pause);
        error
    }

    fn report(&mut self) {
        if self.problem == self.reported {
            return;
        }
        match &self.problem {
            Some(problem) => log::warn!("{problem}"),
            None => log::warn!("Secret {} has a fresh token again", self.name),
        }
        self.reported.clone_from(&self.problem);
    }
}

impl Setting {
    /// Returns the logins to the registries.
    fn logins(&self) -> Vec<Login> {
        let login = |registry: &Registry| Login {
            registry: registry.name.clone(),
            username: registry.username.as_ref().unwrap_or(&self.user).clone(),
        };
        self.registries.iter().map(login).collect()
    }
}

impl Registry {
    /// Returns the registry, which has a host rule.
    ///
    /// # Errors
    /// [`Error::Usage`]: no host rule of the agent's profile names it.
    fn of(config: &Config<'_>, name: &str) -> Result<Self, Error> {
        let origin = Origin::new(Scheme::Https, name).ok_or_else(|| {
            let what = format!("--registry: invalid host: \"{}\"", quoted(name));
            Error::Usage(Report::new(what).hint("write host or host:port, without scheme and path"))
        })?;
        let rule = config
            .rules()
            .find(&origin, None)
            .map_err(|miss| Error::Usage(miss.report(&origin).about(&"--registry")))?;
        let ours = config.profile_for(&Asker::default());
        if let Some(theirs) = &rule.profile
            && ours.as_ref() != Some(theirs)
        {
            let theirs = quoted(theirs);
            let what = format!(
                "--registry: the host rule {} is for profile {theirs}, not for the agent's",
                rule.pattern
            );
            let hint = format!("run another agent for it, with --profile {theirs}");
            return Err(Error::Usage(Report::new(what).hint(hint)));
        }
        Ok(Self {
            name: origin.authority(),
            username: rule.username.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
