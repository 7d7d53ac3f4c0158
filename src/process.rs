//! Other programs: run to their end, within a bound of time and of what they
//! print.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Deadline;
use crate::input::{self, Patient, ReadError};
use crate::issuer::Environment;

/// How a program ended, and what it printed.
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// All of its stdout.
    pub stdout: Zeroizing<Vec<u8>>,
}

/// Why there is no end to tell of.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("{}", crate::quote::system(.0))]
    Start(io::Error),
    /// What it printed could not be read, or went past the limit.
    #[error("{0}")]
    Output(ReadError),
    /// It printed all it had to say, and did not end within these seconds.
    #[error("it did not end within {0} s")]
    Late(u64),
    /// The system could not tell how it ended.
    #[error("{}", crate::quote::system(.0))]
    Wait(io::Error),
}

/// The first program of that name in a directory of `PATH`. One that is relative
/// is passed over: it would lie wherever this is called, in a clone, say.
pub fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
    // As the C libraries have it where there is no PATH.
    let path = environment("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|program| is_program(program))
}

/// Whether there is a file that somebody may run.
pub fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs a program to its end; its stdin and stderr are as the command says.
/// One that prints more than [`input::LIMIT`], or has not ended by the
/// deadline, is killed.
///
/// # Errors
/// [`RunError`].
pub fn run(command: &mut Command, deadline: &Deadline) -> Result<Ended, RunError> {
    run_limited(command, deadline, input::LIMIT)
}

/// As [`run`], with another limit on what is printed, in bytes.
///
/// # Errors
/// [`RunError`].
pub fn run_limited(
    command: &mut Command,
    deadline: &Deadline,
    limit: usize,
) -> Result<Ended, RunError> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(RunError::Start)?;
    let stdout = match child.stdout.take() {
        Some(stdout) => input::read_all(Patient::new(stdout, *deadline), limit),
        None => Ok(Zeroizing::default()),
    };
    let status = match &stdout {
        Ok(_) => wait(&mut child, deadline),
        Err(_) => Ok(None),
    };
    if matches!(status, Ok(None)) {
        // One that runs as another user cannot be killed; it is left behind.
        let _ = child.kill();
        let _ = wait(&mut child, &Deadline::after(REAPING));
    }
    let stdout = stdout.map_err(RunError::Output)?;
    match status {
        Ok(Some(status)) => Ok(Ended { status, stdout }),
        Ok(None) => Err(RunError::Late(deadline.budget_secs())),
        Err(error) => Err(RunError::Wait(error)),
    }
}

/// How long a killed child has to go.
const REAPING: Duration = Duration::from_millis(100);

/// Waits for the end of a child that has closed its output; none where it has
/// not come by the deadline.
fn wait(child: &mut Child, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if deadline.remaining().is_zero() => return Ok(None),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_program_is_read_to_its_end() {
        let deadline = Deadline::after(Duration::from_secs(10));
        let ended = run(&mut shell("printf abc; exit 3"), &deadline).expect("an end");
        assert_eq!(
            (ended.status.code(), &ended.stdout[..]),
            (Some(3), &b"abc"[..])
        );
        let absent = run(&mut Command::new("/nowhere/program"), &deadline);
        assert!(matches!(absent, Err(RunError::Start(_))));
    }

    #[test]
    fn a_program_is_found_in_absolute_directories_alone() {
        let with = |path: Option<&str>| {
            let path = path.map(Into::into);
            find("sh", &move |_| path.clone())
        };
        let usual = Some(PathBuf::from("/bin/sh"));
        // Where cargo runs this, all of these lead to the root.
        let up = "../../../../../../../../../../../..";
        for path in [
            None,
            Some("/bin"),
            Some("::.:/nowhere:/bin"),
            Some(&*format!("{up}/usr/bin:/bin")),
        ] {
            assert_eq!(with(path), usual, "{path:?}");
        }
        for path in ["", ":", ".", &format!("{up}/bin"), "/nowhere"] {
            assert_eq!(with(Some(path)), None, "{path}");
        }
        assert_eq!(find("", &|_| Some("/bin".into())), None);
    }

    #[test]
    fn one_that_says_too_much_or_stays_is_ended() {
        let start = Instant::now();
        let soon = || Deadline::after(Duration::from_millis(100));
        let chatty = run_limited(&mut shell("yes"), &Deadline::after(REAPING * 50), 10);
        assert!(matches!(
            chatty,
            Err(RunError::Output(ReadError::TooLarge(10)))
        ));
        let silent = run(&mut shell("exec sleep 60"), &soon());
        assert!(matches!(
            silent,
            Err(RunError::Output(ReadError::TimedOut(_)))
        ));
        let lingering = run(&mut shell("exec >&-; exec sleep 60"), &soon());
        assert!(matches!(lingering, Err(RunError::Late(_))));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
