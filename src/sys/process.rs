//! Runs other programs to their end, with limits on time and output.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use zeroize::Zeroizing;

use super::children::{Children, Leader};
use super::environment::Environment;
use super::exec::{USUAL_PATH, with_ending};
use super::status::Status;
use super::streams::{Pipe, Piped, wait_either};
use crate::text::clock::Deadline;
use crate::text::input;
use crate::text::input::ReadError;
use crate::text::quote;
use crate::text::waiting::Wait;

/// The exit status and the output of a program.
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// All of its stderr, if that is a pipe.
    pub stderr: Vec<u8>,
}

/// The reason why a program was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program could not be started.
    #[error("{}", crate::text::quote::system(.0))]
    Start(io::Error),
    /// Its output could not be read, or exceeded the limit.
    #[error("{0}")]
    Output(ReadError),
    /// The program closed its stdout, and did not exit within these seconds.
    #[error("it did not end within {0} s")]
    Late(u64),
    /// The system did not report its exit status.
    #[error("{}", crate::text::quote::system(.0))]
    Wait(io::Error),
}

/// Returns the first program of that name in a directory of `PATH`. Relative directories
/// are skipped: they depend on the current directory, such as a clone.
pub fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
    let path = environment("PATH").unwrap_or_else(|| USUAL_PATH.into());
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .find_map(|dir| with_ending(&dir.join(name), environment))
}

/// Returns true for a file that at least one user may run.
pub fn is_program(path: &Path) -> bool {
    Status::of(path).is_ok_and(|status| status.is_program())
}

/// The stdin of a program: the text to sign. With IDs of at most 128 bytes and the issuer's
/// URL, it stays below 4 KiB, which a pipe buffers at once.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// The maximum number of bytes, as many as a pipe usually buffers. For a user above
    /// Linux's `pipe-user-pages-soft`, a pipe has one or two pages (pipe(7)): a longer
    /// input then waits until the program reads it.
    pub const LIMIT: usize = 16 * 1024;

    /// Creates the input; bytes beyond [`Input::LIMIT`] are cut off.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(&bytes[..bytes.len().min(Self::LIMIT)])
    }
}

/// Receives a part of a program's stderr; an empty part after a moment without output.
pub type Listener<'a> = dyn FnMut(&[u8]) + 'a;

/// Runs a program to its end, with the command's stdin and stderr. If it prints more than
/// [`input::LIMIT`], has not exited by the deadline, or this process ends, it is killed
/// with its descendants.
///
/// # Errors
/// [`RunError`].
pub fn run(command: &mut Command, deadline: &Deadline) -> Result<Ended, RunError> {
    run_limited(command, deadline, input::LIMIT)
}

/// Runs a program as [`run`] does, with another limit on each stream, in bytes.
///
/// # Errors
/// [`RunError`].
pub fn run_limited(
    command: &mut Command,
    deadline: &Deadline,
    limit: usize,
) -> Result<Ended, RunError> {
    run_in(command, Input::of(&[]), false, deadline, limit, None)
}

/// Runs a program as [`run_limited`] does; it may ask at the terminal. It reads `stdin`
/// if the command's stdin is a pipe. With a listener, stderr is neither kept nor limited.
///
/// # Errors
/// [`RunError`].
pub fn run_asking(
    command: &mut Command,
    stdin: Input<'_>,
    deadline: &Deadline,
    limit: usize,
    listener: Option<&mut Listener<'_>>,
) -> Result<Ended, RunError> {
    run_in(command, stdin, true, deadline, limit, listener)
}

/// The leader of the process group that runs now, if any.
static RUNNING: Mutex<Option<Leader>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<Leader>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills the program that runs now with its descendants, when this process ends. No other
/// program is started from then on.
pub fn end_running() {
    let running = running();
    if let Some(leader) = &*running {
        leader.end(&Deadline::after(REAPING));
    }
    std::mem::forget(running);
}

fn run_in(
    command: &mut Command,
    stdin: Input<'_>,
    may_ask: bool,
    deadline: &Deadline,
    limit: usize,
    listener: Option<&mut Listener<'_>>,
) -> Result<Ended, RunError> {
    let mut now = running();
    let mut children = Children::of(command, may_ask);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(RunError::Start)?;
    *now = children.follow(&child);
    drop(now);
    let name = Path::new(command.get_program()).file_name();
    let _wait = Wait::of(|| quote::path(name.unwrap_or_default()));
    if let Some(mut pipe) = child.stdin.take() {
        // A program that does not read its stdin may not need it.
        let _ = pipe.write_all(stdin.0);
    }
    let ended = attend(&mut child, deadline, limit, listener);
    *running() = None;
    if ended.is_err() {
        // A program of another user cannot be killed; it is left running.
        children.kill(&child);
        let _ = child.kill();
        reap(&mut child);
    }
    ended
}

/// Reads a child's output until the child has exited. Its descendants may keep its
/// streams open: only its own exit counts, unless it has printed nothing yet.
fn attend(
    child: &mut Child,
    deadline: &Deadline,
    limit: usize,
    mut listener: Option<&mut Listener<'_>>,
) -> Result<Ended, RunError> {
    let mut stdout = Stream::of(child.stdout.take());
    let mut stderr = Stream::of(child.stderr.take());
    let mut pause = PAUSE;
    loop {
        let status = child.try_wait().map_err(RunError::Wait)?;
        let is_over = status.is_some_and(|status| {
            stdout.pipe.is_none() || !status.success() || !stdout.said.is_empty()
        });
        let left = deadline.remaining();
        let patience = match stdout.pipe {
            _ if is_over => Duration::ZERO,
            // The child will exit soon.
            None => left.min(PAUSE),
            Some(_) => left.min(pause),
        };
        pause = (pause * 2).min(LONGEST_PAUSE);
        let has_come = wait_either(stdout.pipe.as_ref(), stderr.pipe.as_ref(), patience);
        let [from_stdout, from_stderr] =
            has_come.map_err(|error| RunError::Output(error.into()))?;
        if from_stdout {
            stdout.read(limit, None).map_err(RunError::Output)?;
        }
        if from_stderr {
            let listener = listener.as_deref_mut();
            stderr.read(limit, listener).map_err(RunError::Output)?;
        } else if let Some(listener) = listener.as_deref_mut() {
            listener(&[]);
        }
        if let (Some(status), true, false) = (status, is_over, from_stdout || from_stderr) {
            return Ok(Ended {
                status,
                stdout: stdout.said,
                stderr: stderr.said,
            });
        }
        if deadline.remaining().is_zero() {
            let seconds = deadline.budget_secs();
            return Err(match stdout.pipe {
                Some(_) => RunError::Output(ReadError::TimedOut(seconds)),
                None => RunError::Late(seconds),
            });
        }
    }
}

/// The longest interval between two checks of a child.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The shortest interval.
const PAUSE: Duration = Duration::from_millis(2);

/// Time limit for the exit of a killed child.
const REAPING: Duration = Duration::from_millis(100);

fn reap(child: &mut Child) {
    let patience = Deadline::after(REAPING);
    while matches!(child.try_wait(), Ok(None)) && !patience.remaining().is_zero() {
        thread::sleep(PAUSE);
    }
}

/// A child's output on one pipe; `None` once the child has closed it.
struct Stream<P> {
    pipe: Option<Pipe<P>>,
    said: Vec<u8>,
}

impl<P: Piped> Stream<P> {
    fn of(pipe: Option<P>) -> Self {
        let said = Vec::new();
        let pipe = pipe.map(Pipe::new);
        Self { pipe, said }
    }

    /// Reads the available output: keeps it, or passes it to a listener.
    fn read(&mut self, limit: usize, listener: Option<&mut Listener<'_>>) -> Result<(), ReadError> {
        let mut part = Zeroizing::new([0; 4096]);
        let read = match &mut self.pipe {
            Some(pipe) => pipe.read(&mut *part),
            None => Ok(0),
        };
        match (read, listener) {
            (Ok(0), _) => self.pipe = None,
            (Ok(read), Some(listener)) => listener(&part[..read]),
            (Ok(read), None) => self.said.extend_from_slice(&part[..read]),
            (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => {}
            (Err(error), _) => return Err(error.into()),
        }
        if self.said.len() > limit {
            return Err(ReadError::TooLarge(limit));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
