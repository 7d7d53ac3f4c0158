//! Keeps one token in several files, round by round. Clock, issuer and file writer
//! are arguments of each round.

use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pace;
use crate::broker::FailedRenewal;
use crate::error::{Error, Kind};
use crate::sys::access::Access;
use crate::text::clock::UnixTime;
use crate::text::logger;
use crate::token::{Freshness, Token};
use crate::token_file;
use crate::token_file::Seen;

/// The files and their current token.
pub struct Keeper {
    files: Vec<File>,
    access: Access,
    current: Option<Current>,
    /// Failed rounds in a row.
    failures: u32,
    /// The last problem that was logged; `None` after it is over.
    problem: Option<String>,
    /// True once a file was written.
    has_written: bool,
    /// True once all files had a valid token.
    is_ready: bool,
}

struct File {
    path: PathBuf,
    /// The file's state after the current token was written; `None` before that.
    stamp: Option<Seen>,
}

struct Current {
    token: Token,
    since: UnixTime,
    due: UnixTime,
}

/// A token from the broker.
pub struct Fetched {
    /// A valid token.
    pub token: Token,
    /// The reason why the token is not newer, if an attempt to renew it failed.
    pub failed_renewal: Option<FailedRenewal>,
}

/// The outcome of a round.
pub struct Round {
    /// True if a file was replaced.
    pub has_replaced: bool,
    /// True if the token differs from the previous one.
    pub has_new_token: bool,
    /// The kind of the error, if no token was fetched.
    pub not_fetched: Option<Kind>,
    /// The number of files that could not be written.
    pub unwritten: usize,
    /// The errors of this round.
    pub errors: Vec<Error>,
    /// The reason why the token is not newer, if an attempt to renew it failed.
    pub failed_renewal: Option<FailedRenewal>,
    /// True if all files have a fresh token.
    pub is_well: bool,
    /// The time until the next round.
    pub sleep: Duration,
}

impl Keeper {
    /// Creates a keeper of files with this mode and group, none of which is written yet.
    pub fn new(paths: &[PathBuf], access: Access) -> Self {
        let file = |path: &PathBuf| File {
            path: path.clone(),
            stamp: None,
        };
        Self {
            files: paths.iter().map(file).collect(),
            access,
            current: None,
            failures: 0,
            problem: None,
            has_written: false,
            is_ready: false,
        }
    }

    /// Fetches a token if one is due, writes the files that do not have it, and returns
    /// the outcome.
    pub fn round(
        &mut self,
        clock: &dyn Fn() -> UnixTime,
        draw: &mut dyn FnMut() -> f64,
        fetch: &mut dyn FnMut() -> Result<Fetched, Error>,
        write: &mut dyn FnMut(&Path, &Token) -> Result<(), Error>,
    ) -> Round {
        let (mut errors, mut failed_renewal, mut is_stale) = (Vec::new(), None, false);
        let mut has_new_token = false;
        if self.is_due(clock()) {
            match fetch() {
                Ok(fetched) => {
                    // Fetching takes time, and the token's lifetime has begun meanwhile.
                    let now = clock();
                    failed_renewal = fetched.failed_renewal;
                    is_stale = pace::freshness(&fetched.token, now) != Freshness::Fresh;
                    has_new_token =
                        self.set_token(fetched.token, now, (!is_stale).then(&mut *draw));
                }
                Err(error) => errors.push(error),
            }
        }
        let not_fetched = errors.first().map(Error::kind);
        let has_replaced = self.write(write, &mut errors);
        let unwritten = errors.len() - usize::from(not_fetched.is_some());
        self.is_ready |=
            self.current.is_some() && self.files.iter().all(|file| file.stamp.is_some());
        let is_well = errors.is_empty() && !is_stale;
        self.failures = if is_well {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let now = clock();
        let due = self.current.as_ref().map(|current| current.due);
        let mut sleep = due.map_or(pace::LONGEST, |due| pace::until(due, now));
        if !is_well {
            let requested = errors.iter().find_map(|error| error.report().retry_after());
            let requested = requested.or_else(|| {
                failed_renewal
                    .as_ref()
                    .and_then(|failed_renewal| failed_renewal.wait)
            });
            let pause = pace::after_failures(self.failures, requested, draw());
            let is_due = due.is_none_or(|due| due <= now);
            sleep = if is_due { pause } else { pause.min(sleep) };
        }
        Round {
            has_replaced,
            has_new_token,
            not_fetched,
            unwritten,
            errors,
            failed_renewal,
            is_well,
            sleep,
        }
    }

    /// Returns the current token.
    pub fn token(&self) -> Option<&Token> {
        self.current.as_ref().map(|current| &current.token)
    }

    /// Returns true if a token was fetched.
    pub fn has_token(&self) -> bool {
        self.current.is_some()
    }

    /// Returns true if the agent continues after this error: it is temporary, or a file
    /// was written before.
    pub fn continues_after(&self, error: &Error) -> bool {
        // A file that cannot be written is never a temporary error: the setup is wrong,
        // for example with a directory's name.
        self.has_written || matches!(error, Error::Passing(_))
    }

    /// Returns the assignments for the service manager (`sd_notify(3)`).
    pub fn status(&self) -> String {
        let ready = if self.is_ready { "READY=1\n" } else { "" };
        let status = match (&self.problem, &self.current) {
            (Some(problem), _) => problem.clone(),
            (None, None) => "no token yet".to_owned(),
            (None, Some(current)) => match current.token.lifespan() {
                Some(lifespan) => format!("token valid until {}", lifespan.expires_at),
                None => "token without a known lifetime".to_owned(),
            },
        };
        format!("{ready}STATUS={status}")
    }

    /// Returns true if a new token is due, even after the clock was changed.
    fn is_due(&self, now: UnixTime) -> bool {
        self.current.as_ref().is_none_or(|current| {
            current.due <= now
                || now < current.since
                || pace::freshness(&current.token, now) == Freshness::Unusable
        })
    }

    /// Sets the current token, and returns true if it differs from the previous one.
    /// Without a draw, its renewal is due at once.
    fn set_token(&mut self, token: Token, now: UnixTime, draw: Option<f64>) -> bool {
        let is_new = self
            .current
            .as_ref()
            .is_none_or(|current| current.token.expose() != token.expose());
        if is_new {
            for file in &mut self.files {
                file.stamp = None;
            }
        }
        let due = draw.map_or(now, |draw| pace::renewal(&token, now, draw));
        self.current = Some(Current {
            token,
            since: now,
            due,
        });
        is_new
    }

    /// Writes each file that does not have the current token. Returns true if one was
    /// replaced.
    fn write(
        &mut self,
        write: &mut dyn FnMut(&Path, &Token) -> Result<(), Error>,
        errors: &mut Vec<Error>,
    ) -> bool {
        let Some(Current { token, .. }) = &self.current else {
            return false;
        };
        let mut has_replaced = false;
        for file in &mut self.files {
            // Another program may have changed or removed the file, or another agent did.
            let seen = Seen::of(&file.path);
            let holds = || token_file::holds(&file.path, token, &self.access);
            if file.stamp.is_some() && (file.stamp == seen || holds()) {
                file.stamp = seen;
                continue;
            }
            let written = write(&file.path, token);
            file.stamp = Seen::of(&file.path).filter(|_| written.is_ok());
            has_replaced |= written.is_ok();
            self.has_written |= written.is_ok();
            errors.extend(written.err());
        }
        has_replaced
    }

    /// Logs the outcome of a round that is not the last. Each problem is logged once,
    /// until it is over.
    pub fn report(&mut self, round: &Round, now: UnixTime) {
        if round.is_well {
            logger::each_once();
            if mem::take(&mut self.problem).is_some() {
                log::warn!("the files have a fresh token again");
            }
            return;
        }
        let failed = round.errors.iter().map(in_a_line);
        let failed_renewal = round.failed_renewal.iter().map(ToString::to_string);
        for problem in failed.chain(failed_renewal) {
            log::warn!("{problem}");
            self.problem = Some(problem);
        }
        if let Some(lifespan) = self
            .current
            .as_ref()
            .and_then(|current| current.token.lifespan())
            && lifespan.freshness(now) == Freshness::Unusable
        {
            // The same text before and after that time, so that it is logged once.
            log::error!("the token in the files expires at {}", lifespan.expires_at);
        }
    }
}

/// Formats an error with its hint on one line.
pub fn in_a_line(error: &Error) -> String {
    let report = error.report();
    match report.advice() {
        Some(advice) => format!("{} ({advice})", report.headline()),
        None => report.headline(),
    }
}

#[cfg(test)]
mod tests;
