//! The files and the token that they are to hold, round by round. Clock, issuer and
//! writing come with each round.

use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pace;
use crate::broker::PutOff;
use crate::error::Error;
use crate::secret::Secret;
use crate::sys::status::Stamp;
use crate::text::clock::UnixTime;
use crate::text::logger;
use crate::token::{Freshness, Token};
use crate::token_file;

/// Keeps files fresh.
pub struct Keeper {
    files: Vec<File>,
    held: Option<Held>,
    /// Rounds in a row that left something undone.
    troubled: u32,
    /// What is wrong, where that was told.
    wrong: Option<String>,
    /// Whether a file was ever written.
    has_served: bool,
    /// Whether all files held a good token once.
    is_ready: bool,
}

struct File {
    path: PathBuf,
    /// As it was when the token that is held here was written to it.
    stamp: Option<Stamp>,
}

struct Held {
    token: Token,
    since: UnixTime,
    due: UnixTime,
}

/// What the broker handed out.
pub struct Fetched {
    /// A token that is good.
    pub token: Token,
    /// Why it is not a newer one, where that was tried in vain.
    pub put_off: Option<PutOff>,
}

/// What a round came to.
pub struct Round {
    /// Whether a file holds something new.
    pub has_replaced: bool,
    /// What failed.
    pub trouble: Vec<Error>,
    /// Why the token is not a newer one, where that was tried in vain.
    pub put_off: Option<PutOff>,
    /// Whether nothing is left to do.
    pub is_well: bool,
    /// When the next one follows.
    pub sleep: Duration,
}

impl Keeper {
    /// Of files that are yet to be written.
    pub fn new(paths: &[PathBuf]) -> Self {
        let file = |path: &PathBuf| File {
            path: path.clone(),
            stamp: None,
        };
        Self {
            files: paths.iter().map(file).collect(),
            held: None,
            troubled: 0,
            wrong: None,
            has_served: false,
            is_ready: false,
        }
    }

    /// Fetches a token where one is due, writes what is not as it should be, and
    /// says when to come again.
    pub fn round(
        &mut self,
        clock: &dyn Fn() -> UnixTime,
        draw: &mut dyn FnMut() -> f64,
        fetch: &mut dyn FnMut() -> Result<Fetched, Error>,
        write: &mut dyn FnMut(&Path, &Secret) -> Result<(), Error>,
    ) -> Round {
        let (mut trouble, mut put_off, mut is_behind) = (Vec::new(), None, false);
        if self.is_due(clock()) {
            match fetch() {
                Ok(fetched) => {
                    // It took its time, and the token began meanwhile.
                    let now = clock();
                    put_off = fetched.put_off;
                    is_behind = pace::freshness(&fetched.token, now) != Freshness::Fresh;
                    self.hold(fetched.token, now, (!is_behind).then(&mut *draw));
                }
                Err(error) => trouble.push(error),
            }
        }
        let has_replaced = self.write(write, &mut trouble);
        self.is_ready |= self.held.is_some() && self.files.iter().all(|file| file.stamp.is_some());
        let is_well = trouble.is_empty() && !is_behind;
        self.troubled = if is_well {
            0
        } else {
            self.troubled.saturating_add(1)
        };
        let now = clock();
        let due = self.held.as_ref().map(|held| held.due);
        let mut sleep = due.map_or(pace::LONGEST, |due| pace::until(due, now));
        if !is_well {
            let asked = trouble.iter().find_map(|error| error.report().asked_wait());
            let asked = asked.or_else(|| put_off.as_ref().and_then(|put_off| put_off.wait));
            let pause = pace::after_failures(self.troubled, asked, draw());
            let is_due = due.is_none_or(|due| due <= now);
            sleep = if is_due { pause } else { pause.min(sleep) };
        }
        Round {
            has_replaced,
            trouble,
            put_off,
            is_well,
            sleep,
        }
    }

    /// Whether there was ever a token.
    pub fn holds_any(&self) -> bool {
        self.held.is_some()
    }

    /// Whether this is no reason to end: it may pass, or a file was written
    /// before.
    pub fn goes_on_after(&self, error: &Error) -> bool {
        // With a token and not one file nobody is served: a directory misspelt, say.
        self.has_served || (self.held.is_none() && matches!(error, Error::Passing(_)))
    }

    /// How it goes, as a service manager is told.
    pub fn status(&self) -> String {
        let ready = if self.is_ready { "READY=1\n" } else { "" };
        let status = match (&self.wrong, &self.held) {
            (Some(wrong), _) => wrong.clone(),
            (None, None) => "no token yet".to_owned(),
            (None, Some(held)) => match held.token.lifespan() {
                Some(lifespan) => format!("a token until {}", lifespan.expires_at),
                None => "a token".to_owned(),
            },
        };
        format!("{ready}STATUS={status}")
    }

    /// By the clock of now: it may have been set back or forth.
    fn is_due(&self, now: UnixTime) -> bool {
        self.held.as_ref().is_none_or(|held| {
            held.due <= now
                || now < held.since
                || pace::freshness(&held.token, now) == Freshness::Unusable
        })
    }

    /// Holds a token until it is due: at once where there is no draw.
    fn hold(&mut self, token: Token, now: UnixTime, draw: Option<f64>) {
        let is_new = self
            .held
            .as_ref()
            .is_none_or(|held| held.token.expose() != token.expose());
        if is_new {
            for file in &mut self.files {
                file.stamp = None;
            }
        }
        let due = draw.map_or(now, |draw| pace::renewal(&token, now, draw));
        self.held = Some(Held {
            token,
            since: now,
            due,
        });
    }

    /// Writes each file that is not as it should be. Returns whether one was
    /// replaced.
    fn write(
        &mut self,
        write: &mut dyn FnMut(&Path, &Secret) -> Result<(), Error>,
        trouble: &mut Vec<Error>,
    ) -> bool {
        let Some(Held { token, .. }) = &self.held else {
            return false;
        };
        let text = Secret::new(token.expose().to_owned());
        let mut has_replaced = false;
        for file in &mut self.files {
            // Somebody may have changed it or taken it away, or another agent keeps it.
            let seen = Stamp::of(&file.path);
            if file.stamp.is_some() && (file.stamp == seen || token_file::holds(&file.path, &text))
            {
                file.stamp = seen;
                continue;
            }
            let written = write(&file.path, &text);
            file.stamp = Stamp::of(&file.path).filter(|_| written.is_ok());
            has_replaced |= written.is_ok();
            self.has_served |= written.is_ok();
            trouble.extend(written.err());
        }
        has_replaced
    }

    /// Tells how a round went that is not the last. The log says each thing once,
    /// until all is well.
    pub fn tell(&mut self, round: &Round, now: UnixTime) {
        if round.is_well {
            logger::each_once();
            if mem::take(&mut self.wrong).is_some() {
                log::warn!("the files hold a fresh token again");
            }
            return;
        }
        let failed = round.trouble.iter().map(in_a_line);
        // In the broker's own words: it says so itself where it is no passing thing.
        let put_off = round.put_off.iter();
        let put_off = put_off.map(|off| format!("the token cannot be renewed: {}", off.why));
        for wrong in failed.chain(put_off) {
            log::warn!("{wrong}");
            self.wrong = Some(wrong);
        }
        if let Some(lifespan) = self.held.as_ref().and_then(|held| held.token.lifespan())
            && lifespan.freshness(now) == Freshness::Unusable
        {
            log::error!("the token in the files ends at {}", lifespan.expires_at);
        }
    }
}

/// What failed and what to do, on one line.
pub fn in_a_line(error: &Error) -> String {
    let report = error.report();
    match report.advice() {
        Some(advice) => format!("{} ({advice})", report.headline()),
        None => report.headline(),
    }
}

#[cfg(test)]
mod tests;
