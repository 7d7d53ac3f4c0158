//! The tools that are wired up, where they change or read their own files.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::target::{Target, read_copy};
use crate::error::{Error, Report};
pub(crate) use crate::sys::process::find;
use crate::sys::process::{Ended, RunError, run_asking, run_limited};
use crate::sys::{Environment, limit, temporary};
use crate::text::clock::Deadline;
use crate::text::quote::{quoted, system};
use crate::text::{input, quote};

/// The most that is read of what a tool prints: a large kubeconfig.
const LIMIT: usize = 8 * 1024 * 1024;

/// A tool's own program.
pub(crate) struct Tool<'d> {
    name: &'static str,
    program: PathBuf,
    deadline: &'d Deadline,
}

impl<'d> Tool<'d> {
    /// Finds it on `PATH`.
    ///
    /// # Errors
    /// [`Error::Usage`]: it is not there.
    pub(crate) fn find(
        name: &'static str,
        environment: &Environment,
        deadline: &'d Deadline,
    ) -> Result<Self, Error> {
        let program = find(name, environment).ok_or_else(|| {
            Error::Usage(
                Report::new(format!("there is no {name} on PATH"))
                    .hint(format!("install {name}: it changes its own files here")),
            )
        })?;
        Ok(Self {
            name,
            program,
            deadline,
        })
    }

    /// A call of it, with nothing on its stdin.
    pub(crate) fn call<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<std::ffi::OsStr>>,
    {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a call to its end: what it printed, or the lines that it said on
    /// stderr.
    ///
    /// # Errors
    /// It cannot be run, floods, or hangs.
    pub(crate) fn run(&self, mut command: Command) -> Result<Result<Ended, Vec<String>>, Error> {
        self.heard(run_limited(&mut command, self.deadline, LIMIT))
    }

    /// As [`Tool::run`], for a call that may ask the person at the terminal.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn run_asking(
        &self,
        mut command: Command,
    ) -> Result<Result<Ended, Vec<String>>, Error> {
        self.heard(run_asking(&mut command, self.deadline, LIMIT))
    }

    fn heard(&self, ended: Result<Ended, RunError>) -> Result<Result<Ended, Vec<String>>, Error> {
        let ended = ended.map_err(|error| {
            let what = format!("{}: {error}", quote::path(&self.program));
            Error::Final(Report::new(what).hint(format!("run {} by hand: it must end", self.name)))
        })?;
        if ended.status.success() {
            return Ok(Ok(ended));
        }
        let said = &ended.stderr[..ended.stderr.len().min(2000)];
        let said = String::from_utf8_lossy(said);
        let lines = said.lines().filter(|line| !line.trim().is_empty());
        let mut lines: Vec<_> = lines.map(quoted).collect();
        if lines.is_empty() {
            // A signal, most likely: of `ulimit -f`, say.
            lines.push(format!("it said nothing, and ended with {}", ended.status));
        }
        Ok(Err(lines))
    }

    /// As [`Tool::run`], where it must succeed.
    ///
    /// # Errors
    /// It does not; with its own words.
    pub(crate) fn run_well(&self, command: Command) -> Result<Ended, Error> {
        self.run(command)?.map_err(|said| self.failed(&said))
    }

    /// As [`Tool::run_well`], of a question: none where it ends with 1.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn ask(&self, mut command: Command) -> Result<Option<Ended>, Error> {
        let ended = run_limited(&mut command, self.deadline, LIMIT);
        if matches!(&ended, Ok(ended) if ended.status.code() == Some(1)) {
            return Ok(None);
        }
        let ended = self.heard(ended)?.map_err(|said| self.failed(&said))?;
        Ok(Some(ended))
    }

    fn failed(&self, said: &[String]) -> Error {
        let what = format!("{} failed: {}", self.name, said.join("; "));
        Error::Final(Report::new(what).hint(format!(
            "nothing was changed; run {} by hand to see more",
            self.name
        )))
    }

    /// Has it change a file, on a copy beside it: what the file is to be. What
    /// it made of that is looked at while it is there.
    ///
    /// # Errors
    /// It fails; with its own words. Or as `check`.
    pub(crate) fn edit<T>(
        &self,
        target: &mut Target,
        call: impl FnOnce(&Path) -> Command,
        check: impl FnOnce(&Path) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let failed = |error: &std::io::Error| {
            let what = format!("{}: {}", quote::path(target.path()), system(error));
            Error::Final(
                Report::new(what)
                    .hint("see who may write in its directory, and whether the disk is full"),
            )
        };
        // In a directory of its own: kubectl writes a program that lies below the
        // kubeconfig's as a path from there, and one beside it as a bare name,
        // which it then looks for on PATH. That one is on the disk of the file.
        let mut builder = temporary::builder();
        builder.permissions(Permissions::from_mode(0o700));
        let own = match target.real().parent().filter(|dir| dir.is_dir()) {
            Some(dir) => builder.tempdir_in(dir),
            None => builder.tempdir(),
        };
        let own = own.map_err(|error| failed(&error))?;
        let copy = own.path().join(temporary::COPY);
        limit::check(target.text().len() as u64).map_err(|error| failed(&error))?;
        input::private_file()
            .write(true)
            .create_new(true)
            .open(&copy)
            .and_then(|mut file| file.write_all(target.text().as_bytes()))
            .map_err(|error| failed(&error))?;
        self.run_well(call(&copy))?;
        // It may have put another file in its place.
        let text = read_copy(&copy).map_err(|reason| self.disbelieved(target, &reason))?;
        let checked = check(&copy)?;
        target.set(text.to_string());
        Ok(checked)
    }

    /// The error where what it made of a file is not to be taken.
    pub(crate) fn disbelieved(&self, target: &Target, reason: &str) -> Error {
        let what = format!(
            "{}: what {} made of it is not taken: {reason}",
            quote::path(target.path()),
            self.name
        );
        Error::Final(Report::new(what).hint(format!(
            "nothing was changed; see what {} is",
            quote::path(&self.program)
        )))
    }
}
