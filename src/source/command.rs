//! Runs the commands of a profile, each of which prints a key, a signature, a token or a
//! client secret.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::said::Said;
use crate::error::{Error, Report};
use crate::sys::paths;
use crate::sys::process::{Input, RunError};
use crate::sys::status::Status;
use crate::sys::{Environment, process};
use crate::text::clock::{Deadline, RAISE_TIMEOUT};
use crate::text::input::ReadError;
use crate::text::quote::{quoted, system, word};
use crate::text::waiting::Wait;
use crate::text::{input, quote};

/// The variables with our secrets.
const SECRETS: [&str; 3] = [
    "ZITADEL_CREDENTIAL_KEY",
    "ZITADEL_CREDENTIAL_CLIENT_SECRET",
    "ZITADEL_CREDENTIAL_SHARED_PASSWORD",
];

/// Removes the variables with our secrets from the environment of another program that
/// does not run this one.
pub fn without_secrets(command: &mut Command) -> &mut Command {
    for variable in SECRETS {
        command.env_remove(variable);
    }
    command
}

const WAITS: &str = "run the command by hand: it may be waiting for input or an unlock";

/// The output of a command, which decides its name in the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prints {
    /// A key file or a PEM.
    Key,
    /// The signature of its stdin.
    Signature,
    /// An access token.
    Token,
    /// A client secret.
    ClientSecret,
}

impl Prints {
    /// Returns the profile's key.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Key => "key-command",
            Self::Signature => "sign-command",
            Self::Token => "token-command",
            Self::ClientSecret => "client-secret-command",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Key => "the key",
            Self::Signature => "the signature",
            Self::Token => "the token, or JSON with access_token",
            Self::ClientSecret => "the client secret",
        }
    }
}

/// A command of a profile.
#[derive(Clone, Debug)]
pub struct ProfileCommand {
    /// The kind of its output.
    pub prints: Prints,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// True to drop its stderr: some callers read ours as part of our response.
    pub is_silent: bool,
}

impl fmt::Display for ProfileCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.prints.setting(), self.shown_program())
    }
}

impl ProfileCommand {
    /// Creates a command.
    pub const fn new(prints: Prints, words: Vec<String>) -> Self {
        Self {
            prints,
            words,
            is_silent: false,
        }
    }

    /// Returns the program's name. The arguments are not shown, even if they are in one
    /// string with it: a vault's may contain secrets.
    pub fn shown_program(&self) -> String {
        let program = self.words.first().map_or("", String::as_str);
        let Some((program, _)) = program.trim().split_once(char::is_whitespace) else {
            return quoted(program);
        };
        let shown = quoted(program);
        // A key in its place was already left out.
        if shown.ends_with("[…]") {
            shown
        } else {
            format!("{shown} […]")
        }
    }

    /// Runs the command without a shell, and returns its output. Its stdin is `stdin`, at
    /// most [`Input::LIMIT`] bytes, or empty.
    ///
    /// # Errors
    /// [`Error::Usage`] if it cannot be started, [`Error::Final`] if it fails or prints
    /// nothing or too much, [`Error::Passing`] on a timeout.
    pub fn run(
        &self,
        stdin: &[u8],
        environment: &Environment,
        deadline: &Deadline,
    ) -> Result<Vec<u8>, Error> {
        let Some((_, arguments)) = self.words.split_first() else {
            let what = format!("{} names no program", self.prints.setting());
            return Err(Error::Usage(Report::new(what).hint(self.a_list())));
        };
        let mut command = Command::new(self.program(environment)?);
        command.args(arguments);
        without_secrets(&mut command);
        command.stdin(if stdin.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        // Never our caller's own stderr: a process that the command leaves running keeps
        // it open.
        command.stderr(if self.is_silent {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        let _wait = Wait::of(|| self.to_string());
        let mut said = Said::new(self.prints.setting());
        let mut listener = |part: &[u8]| said.hear(part);
        let stdin = Input::of(stdin);
        let ended = process::run_asking(
            &mut command,
            stdin,
            deadline,
            input::LIMIT,
            Some(&mut listener),
        );
        said.end(!ended.as_ref().is_ok_and(|ended| ended.status.success()));
        match ended {
            Ok(ended) if !ended.status.success() => {
                Err(self.unusable(&format!("failed with {}", ended.status)))
            }
            Ok(ended) if ended.stdout.trim_ascii().is_empty() => {
                Err(self.unusable("printed nothing"))
            }
            Ok(ended) => Ok(ended.stdout),
            Err(RunError::Start(error)) => Err(Error::Usage(
                self.report(&system(&error)).hint(self.a_list()),
            )),
            Err(error @ (RunError::Output(ReadError::TimedOut(_)) | RunError::Late(_))) => {
                let report = self.report(&error.to_string());
                Err(Error::Passing(report.hint(WAITS).hint(RAISE_TIMEOUT)))
            }
            Err(RunError::Output(error)) => Err(self.unusable(&error.to_string())),
            Err(error @ RunError::Wait(_)) => Err(Error::Passing(
                self.report(&error.to_string()).hint(self.run_it()),
            )),
        }
    }

    /// Returns the error of an unusable output.
    pub fn unusable(&self, detail: &str) -> Error {
        Error::Final(self.report(detail).hint(self.run_it()))
    }

    /// Returns the program's path; `None` if there is no program of this name.
    pub fn found(&self, environment: &Environment) -> Option<PathBuf> {
        let name = self.words.first()?;
        if paths::is_path(name) {
            Some(PathBuf::from(name))
        } else {
            process::find(name, environment)
        }
    }

    fn program(&self, environment: &Environment) -> Result<PathBuf, Error> {
        let program = self.found(environment).ok_or_else(|| {
            let what = "not found in any absolute directory of PATH";
            Error::Usage(self.report(what).hint(self.a_list()))
        })?;
        self.refuse_open(&program)?;
        Ok(program)
    }

    /// Refuses a program that every user can change.
    fn refuse_open(&self, program: &Path) -> Result<(), Error> {
        match Status::of(program) {
            Ok(status) if status.is_file() && status.is_writable_by_all() => {
                let mode = status.shown_mode();
                let what = format!("every user can write to {} ({mode})", quote::path(program));
                let hint = format!("run chmod go-w {}", word(program));
                Err(Error::Usage(self.report(&what).hint(hint)))
            }
            _ => Ok(()),
        }
    }

    fn report(&self, detail: &str) -> Report {
        Report::new(format!("{self}: {detail}"))
    }

    fn a_list(&self) -> String {
        format!(
            "set {} to a list of a program on PATH and its arguments, each a string of its own",
            self.prints.setting()
        )
    }

    fn run_it(&self) -> String {
        format!(
            "run the command by hand: it must print only {}, and exit with 0",
            self.prints.what()
        )
    }
}
