//! A setup tried out once the files are written: the call that the tool makes, and what
//! it answers.

use std::process::{Command, Stdio};

use super::tool::{piped, shown};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::sys::process::{Input, run_asking};
use crate::text::clock::Deadline;
use crate::text::quote::quoted;

/// The most that is read of an answer.
const LIMIT: usize = 1024 * 1024;

/// One call of a tool.
pub(crate) struct Trial {
    /// The tool that makes the call.
    pub(crate) tool: &'static str,
    /// The host, the user or the file that the token is for.
    pub(crate) host: String,
    /// The words after `setup` that undo it.
    pub(crate) undo: String,
    /// The call as a person types it.
    pub(crate) call: &'static str,
    pub(crate) command: Command,
    /// What the call reads from stdin.
    pub(crate) input: String,
    /// True if the setup is of use without a token: then there is a warning only.
    pub(crate) only_warns: bool,
    /// Returns the username of an answer, which may be empty.
    ///
    /// # Errors
    /// The answer has no token: why not, if it says so.
    pub(crate) read: fn(&str) -> Result<String, Option<String>>,
}

impl Trial {
    /// Makes the call. Returns a line that says what works.
    ///
    /// # Errors
    /// The answer has no token.
    pub(super) fn run(mut self, deadline: &Deadline) -> Result<String, Error> {
        self.command
            .stdin(piped(&self.input)?)
            .stderr(Stdio::piped());
        let ended = run_asking(&mut self.command, Input::of(&[]), deadline, LIMIT, None)
            .map_err(|error| self.failed(1, &[error.to_string()]))?;
        let code = ended.status.code().unwrap_or(1);
        let answer = String::from_utf8_lossy(&ended.stdout);
        let read = (self.read)(&answer);
        match read {
            Ok(username) if ended.status.success() => {
                let Self { call, host, .. } = self;
                let with = if username.is_empty() {
                    String::new()
                } else {
                    format!(", with the username {}", quoted(&username))
                };
                Ok(format!("{call} answers for {}{with}", quoted(&host)))
            }
            read => {
                let why = read.err().flatten().unwrap_or_default();
                let why = why.lines().map(|line| quoted(line.trim_start()));
                let said = String::from_utf8_lossy(&ended.stderr);
                let said = why.chain(said.lines().filter_map(shown));
                Err(self.failed(code, &said.collect::<Vec<_>>()))
            }
        }
    }

    fn failed(&self, code: i32, said: &[String]) -> Error {
        const TEMPORARY: i32 = 75;
        let (tool, host) = (self.tool, quoted(&self.host));
        // Its first line is most likely ours.
        let ours = "zitadel-credential: error: ";
        let mut said = said.iter().map(|line| line.trim_start_matches(ours));
        let why = said.next().unwrap_or("no token in its answer");
        let report = Report::new(format!(
            "{host} is set up, but {tool} gets no login for it: {why}"
        ));
        let of_doctor = match HostPattern::parse(&self.host) {
            Some(host) => format!(" {host}"),
            None => String::new(),
        };
        let add = |report: Report, line: &str| match line.trim_start().split_once(": ") {
            Some(("hint", hint)) => report.hint(hint),
            Some(("with", with)) => report.with(with),
            Some(("found", fact)) => report.found(fact),
            _ => report.found(line),
        };
        let report = said.fold(report, add).hint(format!(
            "zitadel-credential doctor{of_doctor} says more; zitadel-credential setup {} --undo takes it back",
            quoted(&self.undo)
        ));
        if code == TEMPORARY {
            Error::Passing(report)
        } else {
            Error::Final(report)
        }
    }
}

/// Makes all calls. Returns the lines of those that got a token, and the error of the
/// others.
pub(super) fn run_all(trials: Vec<Trial>, deadline: &Deadline) -> (Vec<String>, Option<Error>) {
    let mut lines = Vec::new();
    let mut failed: Option<Error> = None;
    for trial in trials {
        let only_warns = trial.only_warns;
        match trial.run(deadline) {
            Ok(line) => lines.push(line),
            Err(error) if only_warns => {
                lines.push(format!("warning: {}", error.report().headline()));
            }
            Err(error) => {
                failed = Some(match failed {
                    None => error,
                    Some(first) => {
                        let also = error.report().headline();
                        first.map(|report| report.found(also))
                    }
                });
            }
        }
    }
    (lines, failed)
}
