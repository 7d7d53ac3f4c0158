//! git and kubectl, which read and write their own files.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io, thread};

use super::file_lock::{PATIENCE, PAUSE, held, wait};
use crate::error::{Error, Report};
use crate::source::command::without_secrets;
use crate::sys::files::{open_private, symlink_dir};
pub(crate) use crate::sys::process::find;
use crate::sys::process::{Ended, RunError, run_limited};
use crate::sys::{Environment, temporary};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::{quoted, system};

/// Size limit for a tool's output: a large kubeconfig.
const LIMIT: usize = 8 * 1024 * 1024;

/// A tool's executable.
#[derive(Clone)]
pub(crate) struct Tool {
    name: &'static str,
    /// The option of `TOOL config` that names its file.
    file_option: &'static str,
    program: PathBuf,
    deadline: Deadline,
}

impl Tool {
    /// Finds the tool on `PATH`.
    ///
    /// # Errors
    /// [`Error::Usage`]: it is not there.
    pub(crate) fn find(
        name: &'static str,
        file_option: &'static str,
        environment: &Environment,
        deadline: &Deadline,
    ) -> Result<Self, Error> {
        let program = find(name, environment).ok_or_else(|| {
            Error::Usage(
                Report::new(format!("{name} is not on PATH"))
                    .hint(format!("install {name}: setup runs it to change its files")),
            )
        })?;
        Ok(Self {
            name,
            file_option,
            program,
            deadline: *deadline,
        })
    }

    /// Returns a call of the tool, with an empty stdin.
    pub(crate) fn call<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Returns a call of `TOOL config` on a file.
    pub(crate) fn config(&self, file: &Path, words: &[String]) -> Command {
        let mut call = self.call(["config", self.file_option]);
        // `shown` knows the English messages.
        call.arg(file).args(words).env("LC_ALL", "C");
        call
    }

    /// Runs a call, which needs none of our secrets, to its end.
    fn end(&self, mut command: Command) -> Result<Ended, RunError> {
        run_limited(without_secrets(&mut command), &self.deadline, LIMIT)
    }

    /// Returns the output of a call, or, if it fails, the lines that it wrote to stderr.
    fn ended(&self, ended: Result<Ended, RunError>) -> Result<Result<Ended, Vec<String>>, Error> {
        let ended = ended.map_err(|error| {
            let what = format!("{}: {error}", quote::path(&self.program));
            Error::Final(Report::new(what).hint(format!("run {} by hand: it must exit", self.name)))
        })?;
        if ended.status.success() {
            return Ok(Ok(ended));
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        let mut lines: Vec<_> = said.lines().filter_map(shown).collect();
        if said.trim().is_empty() {
            // Most likely a signal: of `ulimit -f`, for example.
            lines.push(format!("no message, {}", ended.status));
        } else if lines.is_empty() {
            let told = "its message is not shown, as it may quote values of its file";
            lines.push(format!("{told} ({})", ended.status));
        }
        Ok(Err(lines))
    }

    /// Runs a call that must succeed.
    ///
    /// # Errors
    /// The call fails, cannot be run, prints too much, or hangs.
    pub(crate) fn run(&self, command: Command) -> Result<Ended, Error> {
        let ended = self.end(command);
        self.ended(ended)?.map_err(|said| self.failed(&said))
    }

    /// Runs a query; `None` if it exits with 1, which means that there is no value.
    ///
    /// # Errors
    /// As [`Tool::run`].
    pub(crate) fn ask(&self, command: Command) -> Result<Option<Ended>, Error> {
        let ended = self.end(command);
        if matches!(&ended, Ok(ended) if ended.status.code() == Some(1)) {
            return Ok(None);
        }
        let ended = self.ended(ended)?.map_err(|said| self.failed(&said))?;
        Ok(Some(ended))
    }

    fn failed(&self, said: &[String]) -> Error {
        let what = format!("{} failed: {}", self.name, said.join("; "));
        Error::Final(Report::new(what).hint(format!("run {} by hand to see more", self.name)))
    }

    /// Lets the tool change a copy of a file. Returns the path of the copy, which is
    /// removed with the directory around it.
    ///
    /// # Errors
    /// The copy cannot be made, or the tool fails.
    pub(crate) fn try_on_copy(
        &self,
        file: &Path,
        real: &Path,
        text: &str,
        words: &[String],
    ) -> Result<(PathBuf, tempfile::TempDir), Error> {
        let failed = |error: &io::Error| {
            let what = format!("{}: {}", quote::path(file), system(error));
            Error::Final(
                Report::new(what).hint("check the directory's permissions and the free disk space"),
            )
        };
        // A separate directory has room for the tool's lock file. It is beside the file,
        // so that a kubeconfig's secrets reach no other disk.
        let own = temporary::copy_dir(real.parent()).map_err(|error| failed(&error))?;
        let copy = own.path().join(temporary::COPY);
        open_private()
            .write(true)
            .create_new(true)
            .open(&copy)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed(&error))?;
        self.run(self.config(&copy, words))?;
        Ok((copy, own))
    }

    /// Lets the tool change a file through a link to the file's directory. The tool's
    /// lock file is at the same place as without the link.
    ///
    /// # Errors
    /// As [`Tool::change`], or the link cannot be created.
    pub(crate) fn change_by_link(
        &self,
        file: &Path,
        real: &Path,
        words: &[String],
    ) -> Result<(), Error> {
        let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else {
            return self.change(file, real, words);
        };
        let linked = || {
            let own = temporary::copy_dir(real.parent())?;
            let link = own.path().join(temporary::COPY);
            symlink_dir(dir, &link)?;
            Ok((link, own))
        };
        let (link, _own) = linked().map_err(|error: io::Error| {
            Error::Final(Report::new(format!("a temporary link: {}", system(&error))))
        })?;
        self.change(&link.join(name), real, words)
    }

    /// Lets the tool change the file itself, under its own lock.
    ///
    /// # Errors
    /// Another program is changing the file, or the tool fails.
    pub(crate) fn change(&self, file: &Path, real: &Path, words: &[String]) -> Result<(), Error> {
        let patience = Deadline::after(PATIENCE);
        loop {
            wait(file, real, &patience)?;
            let ended = self.end(self.config(file, words));
            let Err(said) = self.ended(ended)? else {
                return Ok(());
            };
            // It does not wait for its lock itself.
            let is_locked = said.iter().any(|line| line == LOCKED) || held(file, real).is_some();
            if !is_locked {
                return Err(self.failed(&said));
            }
            if patience.remaining().is_zero() {
                return Err(Error::Passing(self.failed(&said).into_report()));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Returns the error for a result that is not the requested change.
    pub(crate) fn disbelieved(&self, file: &Path, reason: &str) -> Error {
        let what = format!(
            "{}: rejected the change that {} made: {reason}",
            quote::path(file),
            self.name
        );
        let program = quote::path(&self.program);
        Error::Final(Report::new(what).hint(format!("check the program {program}")))
    }
}

/// Shown for a tool's message that another program has its lock.
const LOCKED: &str = "another program is changing its file (its lock file exists)";

/// The system's own words at the end of a line, and what is shown for them.
const SYSTEM: &[(&str, &str)] = &[
    // of git
    (": File exists", LOCKED),
    // of kubectl
    (".lock: file exists", LOCKED),
    (
        ": Device or resource busy",
        "its file is a mount point, which it cannot replace (resource busy)",
    ),
    (": Read-only file system", "read-only file system"),
    (": No space left on device", "no space left on device"),
    (": Disk quota exceeded", "disk quota exceeded"),
    (": Permission denied", "permission denied"),
];

/// Returns the part of a tool's stderr line that may be shown; `None` if the line could
/// quote a value of the tool's files, or comes from another program that the tool runs.
pub(super) fn shown(line: &str) -> Option<String> {
    const OURS: [&str; 4] = ["zitadel-credential: ", "  with: ", "  found: ", "  hint: "];
    const LINE: &str = "bad config line ";
    if OURS.iter().any(|start| line.starts_with(start)) {
        return Some(quoted(line));
    }
    if let Some((_, shown)) = SYSTEM.iter().find(|(end, _)| line.ends_with(end)) {
        return Some((*shown).to_owned());
    }
    let (_, rest) = line.split_once(LINE)?;
    let number = rest.split(' ').next()?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| format!("{LINE}{number}"))
}

/// Returns a short text as a program's stdin.
///
/// # Errors
/// The operating system's error.
pub(crate) fn piped(text: &str) -> Result<fs::File, Error> {
    use std::io::Seek;
    let failed = |error: io::Error| {
        Error::Final(Report::new(format!("a temporary file: {}", system(&error))))
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_message_is_shown_only_if_it_can_quote_no_value() {
        for (line, expected) in [
            (
                "zitadel-credential: error: no key is configured",
                Some("zitadel-credential: error: no key is configured"),
            ),
            ("  hint: give --key-file", Some("  hint: give --key-file")),
            (
                "fatal: bad config line 3 in file /home/ci/.gitconfig",
                Some("bad config line 3"),
            ),
            (
                "error: could not write config file /root/.gitconfig: Device or resource busy",
                Some("its file is a mount point, which it cannot replace (resource busy)"),
            ),
            ("fatal: bad config line hunter2 in file x", None),
            (
                "fatal: bad numeric config value 'hunter2' for 'http.postbuffer' in file x",
                None,
            ),
            ("error: users: {a {root hunter2}}: duplicate name", None),
            ("sh: 1: hunter2: not found", None),
            ("", None),
        ] {
            let expected = expected.map(quoted);
            assert_eq!(shown(line), expected, "{line}");
        }
    }
}
