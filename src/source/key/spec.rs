//! Reads a key from a file, the environment or a command.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::said::Said;
use super::{Key, KeyId, UserId, is_path};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::process::RunError;
use crate::sys::status::Status;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::input::ReadError;
use crate::text::input::encoding::{self, NotText};
use crate::text::quote::{quoted, system, word};
use crate::text::waiting::Wait;
use crate::text::{input, quote};

const A_LIST: &str =
    "set key-command to a list of a program on PATH and its arguments, each a string of its own";
const RUN_IT: &str = "run the command by hand: it must print only the key, and exit with 0";
const WAITS: &str = "run the command by hand: it may be waiting for input or an unlock";
const MAKE_PRIVATE: &str = "run chmod 600 on the key file, and create a new key if other users may know or have changed it";
const RAISE_TIMEOUT: &str = "give it more time with --timeout";

/// The source of a key.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A key file or a bare PEM.
    File(PathBuf),
    /// The key file's text, from `ZITADEL_CREDENTIAL_KEY`.
    Environment(Secret),
    /// A program with its arguments that prints a key file or a PEM.
    Command(Vec<String>),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key file {}", quote::path(path)),
            Self::Environment(_) => f.write_str("ZITADEL_CREDENTIAL_KEY"),
            Self::Command(words) => write!(f, "key-command {}", program_of(words)),
        }
    }
}

/// Returns the name of a command's program. The arguments are not shown, also if they are
/// in one string with it: a vault's may contain secrets.
pub fn program_of(command: &[String]) -> String {
    let program = command.first().map_or("", String::as_str);
    let Some((program, _)) = program.trim().split_once(char::is_whitespace) else {
        return quoted(program);
    };
    let shown = quoted(program);
    // A key in its place is left out already.
    if shown.ends_with("[…]") {
        shown
    } else {
        format!("{shown} […]")
    }
}

impl KeySource {
    /// True if the source can be read only once, like a pipe (`<(…)`).
    pub fn is_read_once(&self) -> bool {
        match self {
            Self::File(path) => !path.is_file(),
            Self::Environment(_) | Self::Command(_) => false,
        }
    }
}

/// A key that is not read yet, and the IDs from flags or profile.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// The key's source.
    pub source: KeySource,
    /// `--key-id`.
    pub id: Option<KeyId>,
    /// `--user-id`.
    pub user: Option<UserId>,
    /// True to drop a command's stderr: some callers read it as part of our
    /// response.
    pub is_silent: bool,
    /// True if the caller itself shows who else can use the key file.
    pub is_exposure_shown: bool,
}

impl KeySpec {
    /// Returns both IDs if they are known without reading the key: a cached token
    /// needs neither the file nor the command then.
    pub fn ids(&self) -> Option<(KeyId, UserId)> {
        self.id.clone().zip(self.user.clone())
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`Error::Usage`] if the source cannot be read, [`Error::Final`] if it is not
    /// a key, [`Error::Passing`] on a timeout.
    pub fn load(&self, environment: &Environment, deadline: &Deadline) -> Result<Key, Error> {
        let source = &self.source;
        let bytes = match source {
            KeySource::File(path) => input::read_believed(path, input::LIMIT, deadline)
                .map_err(|error| self.unread(&error)),
            KeySource::Environment(text) => Ok(Zeroizing::new(text.expose().as_bytes().to_owned())),
            KeySource::Command(words) => self.run(words, environment, deadline),
        }?;
        let text = encoding::text(&bytes).map_err(|fault| {
            Error::Final(match fault {
                NotText::Utf16 => {
                    Report::new(format!("{source}: {fault}")).hint("save it as UTF-8")
                }
                NotText::Other => Report::new(format!("{source}: binary data, not text"))
                    .hint("use the JSON file from ZITADEL, or PEM; DER is not supported"),
            })
        })?;
        Key::parse(text, self.id.as_ref(), self.user.as_ref()).map_err(|error| {
            match (source, error.map(|report| report.about(source))) {
                // The variable beside this one was meant: a slip in the configuration.
                (KeySource::Environment(_), Error::Final(report)) if is_path(text) => {
                    Error::Usage(report)
                }
                (_, error) => error,
            }
        })
    }

    fn unread(&self, error: &ReadError) -> Error {
        let source = &self.source;
        let is_command = matches!(source, KeySource::Command(_));
        let report = Report::new(format!("{source}: {error}"));
        match error {
            ReadError::TimedOut(_) if is_command => {
                Error::Passing(report.hint(WAITS).hint(RAISE_TIMEOUT))
            }
            _ if is_command => Error::Final(report.hint(RUN_IT)),
            ReadError::TooLarge(_) => Error::Final(
                report.hint("name the key file that you downloaded from ZITADEL: it has about 2 KiB"),
            ),
            ReadError::TimedOut(_) => Error::Passing(
                report
                    .hint("check the program that writes to this pipe")
                    .hint(RAISE_TIMEOUT),
            ),
            ReadError::Writable(_) => Error::Final(report.hint(MAKE_PRIVATE)),
            ReadError::Io(_) => Error::Usage(report.hint(
                "set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read",
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
                let what = "not found in any absolute directory of PATH";
                Error::Usage(failed(what.into()).hint(A_LIST))
            })?
        };
        if let Ok(status) = Status::of(&program)
            && status.is_file()
            && status.is_writable_by_all()
        {
            let mode = status.shown_mode();
            let what = format!("every user can write to {} ({mode})", quote::path(&program));
            let hint = format!("run chmod go-w {}", word(&program));
            return Err(Error::Usage(failed(what).hint(hint)));
        }
        let mut command = Command::new(program);
        command
            .args(arguments)
            // The command does not need another key.
            .env_remove("ZITADEL_CREDENTIAL_KEY")
            .stdin(Stdio::null());
        // Never our caller's own: what the command leaves running would keep it open.
        command.stderr(if self.is_silent {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        let _wait = Wait::of(|| self.source.to_string());
        let mut said = Said::new();
        let mut listener = |part: &[u8]| said.hear(part);
        let ended = process::run_asking(&mut command, deadline, input::LIMIT, Some(&mut listener));
        said.end(!ended.as_ref().is_ok_and(|ended| ended.status.success()));
        match ended {
            Ok(ended) if !ended.status.success() => Err(Error::Final(
                failed(format!("failed with {}", ended.status)).hint(RUN_IT),
            )),
            Ok(ended) if ended.stdout.trim_ascii().is_empty() => {
                Err(Error::Final(failed("printed nothing".into()).hint(RUN_IT)))
            }
            Ok(ended) => Ok(ended.stdout),
            Err(RunError::Start(error)) => Err(Error::Usage(failed(system(&error)).hint(A_LIST))),
            Err(RunError::Output(error)) => Err(self.unread(&error)),
            Err(error @ RunError::Late(_)) => Err(Error::Passing(
                failed(error.to_string()).hint(WAITS).hint(RAISE_TIMEOUT),
            )),
            Err(error @ RunError::Wait(_)) => {
                Err(Error::Passing(failed(error.to_string()).hint(RUN_IT)))
            }
        }
    }
}
