//! Tokens from another program: a file that one minter keeps fresh, a personal access
//! token, a cloud's secret store. No key is involved.

pub mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use text::Supplied;

use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::source::command::ProfileCommand;
use crate::source::exposure;
use crate::sys::Environment;
use crate::text::clock::{Clock, Deadline, UnixTime};
use crate::text::input::{ReadError, encoding};
use crate::text::{input, quote};
use crate::token::{Lifespan, Token};

/// Size limit of a token in bytes, like that of an issuer's response.
const LIMIT: usize = 1024 * 1024;

/// A file or a program that supplies tokens.
#[derive(Clone, Debug)]
pub enum Supplier {
    /// A file, which is read for each call.
    File(PathBuf),
    /// A program that prints a token.
    Command(ProfileCommand),
}

impl fmt::Display for Supplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "token-file {}", quote::path(path)),
            Self::Command(command) => command.fmt(f),
        }
    }
}

impl Supplier {
    /// Drops a command's stderr.
    pub fn silence(&mut self) {
        if let Self::Command(command) = self {
            command.is_silent = true;
        }
    }

    /// Returns replacements for the key ID and the user ID: a name of the command in the
    /// cache, and a username for tokens without a subject.
    pub fn ids(&self, environment: &Environment) -> (KeyId, UserId) {
        let id = match self {
            Self::File(_) => KeyId::derived("command", []),
            Self::Command(command) => {
                // Another PATH may have another program of this name.
                let program = command.found(environment).unwrap_or_default();
                let program = program.to_string_lossy();
                let words = command.words.iter().map(String::as_str);
                KeyId::derived("command", [&*program].into_iter().chain(words))
            }
        };
        (id, UserId::of_token())
    }

    /// Returns the current token of the file or the command.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file cannot be read or the command cannot be started,
    /// [`Error::Final`] if it has no token, [`Error::Passing`] if the token has expired.
    pub fn token(
        &self,
        environment: &Environment,
        deadline: &Deadline,
        clock: &Clock,
    ) -> Result<Token, Error> {
        let asked_at = clock();
        let (bytes, obtained_at) = match self {
            Self::File(path) => {
                // The time is taken before the file is read: a file replaced meanwhile is
                // newer.
                let written_at = written_at(path).map_or(asked_at, |at| at.min(asked_at));
                exposure::warn(path, self);
                let bytes = input::read_believed(path, LIMIT, deadline);
                (bytes.map_err(|error| self.unread(&error))?, written_at)
            }
            Self::Command(command) => (command.run(&[], environment, deadline)?, asked_at),
        };
        let text = encoding::text(&bytes).map_err(|fault| self.no_token(&fault.to_string()))?;
        if text.trim().is_empty() {
            let report = Report::new(format!("{self}: empty"));
            return Err(Error::Passing(report.hint(self.renew())));
        }
        let Supplied { token, expires_at } = text::parse(text, obtained_at)
            .map_err(|objection| self.no_token(&objection.to_string()))?;
        let lifespan = expires_at.map(|expires_at| Lifespan {
            // The clock that set the expiry may be behind ours.
            obtained_at: obtained_at.min(expires_at.minus(Duration::from_secs(1))),
            expires_at,
        });
        let now = clock();
        if let Some(end) = expires_at.filter(|end| *end <= now) {
            let report = Report::new(format!("{self}: its token expired at {end}"))
                .found(format!("the local clock says {now}"));
            return Err(Error::Passing(report.hint(self.renew())));
        }
        Token::new(token, lifespan).ok_or_else(|| self.no_token("not a bearer token"))
    }

    fn renew(&self) -> &'static str {
        match self {
            Self::File(_) => {
                "check what writes this file: it must replace it before its token expires"
            }
            Self::Command(_) => {
                "run the command by hand: it must print a token that is still valid"
            }
        }
    }

    fn no_token(&self, detail: &str) -> Error {
        let report = Report::new(format!("{self}: {detail}"));
        let verb = match self {
            Self::File(_) => "hold",
            Self::Command(_) => "print",
        };
        Error::Final(report.hint(format!(
            "it must {verb} one token and nothing else, or JSON with access_token and expires_at or expires_in"
        )))
    }

    fn unread(&self, error: &ReadError) -> Error {
        let report = Report::new(format!("{self}: {error}"));
        match error {
            ReadError::TimedOut(_) => {
                Error::Passing(report.hint(input::CHECK_WRITER))
            }
            ReadError::TooLarge(_) => Error::Final(report.hint("name a file with one token, or JSON with access_token")),
            ReadError::Writable(_) | ReadError::Exposed(_) => Error::Final(
                report.hint("run chmod go-w on the file: other users can replace the token"),
            ),
            ReadError::Io(_) => Error::Usage(report.hint(
                "set --token-file, ZITADEL_CREDENTIAL_TOKEN_FILE or the profile's token-file to a file that you can read",
            )),
        }
    }
}

/// Returns the time of a file's last write.
fn written_at(path: &Path) -> Option<UnixTime> {
    let time = path.metadata().ok()?.modified().ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(UnixTime::from_secs(since.as_secs()))
}
