//! Tests a setup after the files are written: the call that the tool makes, and its
//! answer.

use std::process::{Command, Stdio};

use super::tool::{piped, shown};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::sys::process::{Input, run_asking};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::{quoted, word};

/// Size limit for an answer.
const LIMIT: usize = 1024 * 1024;

/// One call of a tool.
pub(crate) struct Trial {
    /// The tool that makes the call.
    pub(crate) tool: &'static str,
    /// The host, the user or the file that the token is for.
    pub(crate) host: String,
    /// The words after `setup` and the tool by which the undo finds this setup.
    pub(crate) undo: Vec<String>,
    /// The call as the user types it.
    pub(crate) call: &'static str,
    pub(crate) command: Command,
    /// The input of the call.
    pub(crate) input: String,
    /// True if the setup is useful without a token: then a failure is only a warning.
    pub(crate) only_warns: bool,
    /// Returns the username of an answer, which may be empty.
    ///
    /// # Errors
    /// The answer has no token: its reason, if it gives one.
    pub(crate) read: fn(&str) -> Result<String, Option<String>>,
}

impl Trial {
    /// Makes the call. Returns a line about its success. `config` is the option that names
    /// the setup's config file.
    ///
    /// # Errors
    /// The answer has no token.
    fn run(mut self, config: &str, deadline: &Deadline) -> Result<String, Error> {
        self.command
            .stdin(piped(&self.input)?)
            .stderr(Stdio::piped());
        let ended = run_asking(&mut self.command, Input::of(&[]), deadline, LIMIT, None)
            .map_err(|error| self.failed(1, &[error.to_string()], config))?;
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
                Ok(format!("{call} answers for {}{with}", quote::path(&host)))
            }
            read => {
                let why = read.err().flatten().unwrap_or_default();
                let why = why.lines().map(|line| quoted(line.trim_start()));
                let said = String::from_utf8_lossy(&ended.stderr);
                let said = why.chain(said.lines().filter_map(shown));
                Err(self.failed(code, &said.collect::<Vec<_>>(), config))
            }
        }
    }

    fn failed(&self, code: i32, said: &[String], config: &str) -> Error {
        const TEMPORARY: i32 = 75;
        let (tool, host) = (self.tool, quote::path(&self.host));
        // Its first line is most likely from this program.
        let ours = "zitadel-credential: error: ";
        let mut said = said.iter().map(|line| line.trim_start_matches(ours));
        let why = said.next().unwrap_or("no token in its answer");
        let report = Report::new(format!(
            "{host} is set up, but {tool} gets no login for it: {why}"
        ));
        let of_doctor = match HostPattern::parse(&self.host) {
            Some(host) => format!(" {}", word(&host.to_string())),
            None => String::new(),
        };
        let undo = self
            .undo
            .iter()
            .flat_map(|text| [" ".to_owned(), word(text)]);
        let undo = undo.collect::<String>();
        let add = |report: Report, line: &str| match line.trim_start().split_once(": ") {
            Some(("hint", hint)) => report.hint(hint),
            Some(("with", with)) => report.with(with),
            Some(("found", fact)) => report.found(fact),
            _ => report.found(line),
        };
        let report = said
            .fold(report, add)
            .hint(format!(
                "run zitadel-credential doctor{of_doctor}{config} to see more"
            ))
            .hint(format!(
                "run zitadel-credential setup {tool}{undo}{config} --undo to undo the setup"
            ));
        if code == TEMPORARY {
            Error::Passing(report)
        } else {
            Error::Final(report)
        }
    }
}

/// Returns the words by which an undo finds a file that was named by an option; none if it
/// was not.
pub(crate) fn file_words<T>(option: &str, given: Option<&T>, file: String) -> Vec<String> {
    given.map_or_else(Vec::new, |_| vec![option.to_owned(), file])
}

/// Makes all calls, as of a setup with this option for the config file. Returns the lines
/// of those that got a token, and the error of the others.
pub(super) fn run_all(
    trials: Vec<Trial>,
    config: &str,
    deadline: &Deadline,
) -> (Vec<String>, Option<Error>) {
    let mut lines = Vec::new();
    let mut failed: Option<Error> = None;
    for trial in trials {
        let only_warns = trial.only_warns;
        match trial.run(config, deadline) {
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
