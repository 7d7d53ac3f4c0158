//! Where a key comes from: a file, the environment or a command.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::{Key, KeyId, UserId};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::process::RunError;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::input::ReadError;
use crate::text::quote::{quoted, system};
use crate::text::{input, quote};

const A_LIST: &str =
    "key-command is a list: a program on PATH, then its arguments, each on its own";
const RUN_IT: &str = "run it by hand: it must print the key and nothing else, and exit 0";
const WAITS: &str =
    "run it by hand: it may wait for somebody to unlock something; --timeout waits longer";

/// Where a key is read from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A key file or a bare PEM.
    File(PathBuf),
    /// The key file's text, from `ZITADEL_CREDENTIAL_KEY`.
    Environment(Secret),
    /// A program and its arguments that print either form.
    Command(Vec<String>),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key file {}", quote::path(path)),
            Self::Environment(_) => f.write_str("ZITADEL_CREDENTIAL_KEY"),
            // The arguments stay unshown: a vault's may name more than it should.
            Self::Command(words) => {
                let program = words.first().map_or("", String::as_str);
                write!(f, "key-command {}", quoted(program))
            }
        }
    }
}

impl KeySource {
    /// Whether reading uses it up, as it does a pipe (`<(…)`).
    pub fn is_read_once(&self) -> bool {
        match self {
            Self::File(path) => !path.is_file(),
            Self::Environment(_) | Self::Command(_) => false,
        }
    }
}

/// A key that is yet to be read, and the ids given beside it.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// Where it is read from.
    pub source: KeySource,
    /// `--key-id`.
    pub id: Option<KeyId>,
    /// `--user-id`.
    pub user: Option<UserId>,
    /// Whether what a command says on stderr is dropped: there are callers that
    /// read it as part of our answer.
    pub is_silent: bool,
}

impl KeySpec {
    /// Both ids where they are known without reading the key: then a cached
    /// token needs neither the file nor the command.
    pub fn ids(&self) -> Option<(KeyId, UserId)> {
        self.id.clone().zip(self.user.clone())
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is nothing to read, [`Error::Final`] where
    /// it is no key, [`Error::Passing`] where it took too long.
    pub fn load(&self, environment: &Environment, deadline: &Deadline) -> Result<Key, Error> {
        let source = &self.source;
        let bytes = match source {
            KeySource::File(path) => {
                input::read_file(path, input::LIMIT, deadline).map_err(|error| self.unread(&error))
            }
            KeySource::Environment(text) => Ok(Zeroizing::new(text.expose().as_bytes().to_owned())),
            KeySource::Command(words) => self.run(words, environment, deadline),
        }?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Error::Final(Report::new(format!("{source}: it is not text")).hint(
                "a key file is JSON as ZITADEL lets you download it, or PEM; DER is not read",
            ))
        })?;
        Key::parse(text, self.id.as_ref(), self.user.as_ref())
            .map_err(|error| error.map(|report| report.about(source)))
    }

    fn unread(&self, error: &ReadError) -> Error {
        let source = &self.source;
        let is_command = matches!(source, KeySource::Command(_));
        let report = Report::new(format!("{source}: {error}"));
        match error {
            ReadError::TimedOut(_) if is_command => Error::Passing(report.hint(WAITS)),
            _ if is_command => Error::Final(report.hint(RUN_IT)),
            ReadError::TooLarge(_) => Error::Final(report.hint(
                "a key file has about 2 KiB: name the file that ZITADEL let you download",
            )),
            ReadError::TimedOut(_) => Error::Passing(
                report.hint("it is a pipe: see what should write to it; --timeout waits longer"),
            ),
            ReadError::Io(_) => Error::Usage(report.hint(
                "--key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file must name a file that you can read",
            )),
        }
    }

    fn run(
        &self,
        words: &[String],
        environment: &Environment,
        deadline: &Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = |detail: String| Report::new(format!("{}: {detail}", self.source));
        let Some((program, arguments)) = words.split_first() else {
            let report = Report::new("key-command names no program");
            return Err(Error::Usage(report.hint(A_LIST)));
        };
        let program = if program.contains('/') {
            PathBuf::from(program)
        } else {
            process::find(program, environment).ok_or_else(|| {
                let what = "it is in no absolute directory of PATH";
                Error::Usage(failed(what.into()).hint(A_LIST))
            })?
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            // It has no use for a key of ours.
            .env_remove("ZITADEL_CREDENTIAL_KEY")
            .stdin(Stdio::null());
        if self.is_silent {
            command.stderr(Stdio::null());
        }
        match process::run_asking(&mut command, deadline, input::LIMIT) {
            Ok(ended) if !ended.status.success() => Err(Error::Final(
                failed(format!("it ended with {}", ended.status)).hint(RUN_IT),
            )),
            Ok(ended) if ended.stdout.trim_ascii().is_empty() => Err(Error::Final(
                failed("it printed nothing".into()).hint(RUN_IT),
            )),
            Ok(ended) => Ok(ended.stdout),
            Err(RunError::Start(error)) => Err(Error::Usage(failed(system(&error)).hint(A_LIST))),
            Err(RunError::Output(error)) => Err(self.unread(&error)),
            Err(error @ RunError::Late(_)) => {
                Err(Error::Passing(failed(error.to_string()).hint(WAITS)))
            }
            Err(error @ RunError::Wait(_)) => {
                Err(Error::Passing(failed(error.to_string()).hint(RUN_IT)))
            }
        }
    }
}
