//! Runs another program in place of this one.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{children, signals};
use crate::sys::environment::Environment;

/// Search path for programs without a `PATH`: empty.
pub const USUAL_PATH: &str = "";

/// The endings of programs without a `PATHEXT`.
const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// Runs the command to its end, and ends this process with its exit code: here a process
/// cannot become another one. The command handles Ctrl-C itself; if this process is
/// ended, so is the command.
///
/// Returns only if the command cannot be started, with the operating system's error.
#[expect(
    clippy::disallowed_methods,
    reason = "in place of exec(2), and it finds programs as the system does"
)]
pub fn exec(command: &mut Command) -> io::Error {
    let environment = |name: &str| std::env::var_os(name);
    let mut named = Command::new(resolved(command.get_program(), &environment));
    named.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => named.env(name, value),
            None => named.env_remove(name),
        };
    }
    signals::leave_to_child();
    let mut child = match named.spawn() {
        Ok(child) => child,
        Err(error) => return error,
    };
    let job = children::job();
    if let Some(job) = &job {
        children::put(job, &child);
    }
    let status = child.wait();
    if let Some(job) = &job {
        children::let_go(job);
    }
    match status {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// Returns the file of a program that is named as in a shell: std finds only `.exe`.
fn resolved(program: &OsStr, environment: &Environment) -> PathBuf {
    let path = Path::new(program);
    if path.components().count() == 1 && !path.is_absolute() {
        let search = environment("PATH").unwrap_or_default();
        let mut dirs = std::env::split_paths(&search).filter(|dir| dir.is_absolute());
        let found = dirs.find_map(|dir| with_ending(&dir.join(path), environment));
        return found.unwrap_or_else(|| path.to_owned());
    }
    with_ending(path, environment).unwrap_or_else(|| path.to_owned())
}

/// Returns the file that a shell runs for this path: `PATHEXT` may add an ending.
pub fn with_ending(path: &Path, environment: &Environment) -> Option<PathBuf> {
    let endings = environment("PATHEXT").filter(|endings| !endings.is_empty());
    let endings = endings.unwrap_or_else(|| ENDINGS.into());
    let endings = endings.to_string_lossy();
    let endings = || endings.split(';').filter(|ending| ending.starts_with('.'));
    let own = path.extension().map(|own| own.to_string_lossy());
    let is_whole = |own: &str| endings().any(|ending| ending[1..].eq_ignore_ascii_case(own));
    if own.is_some_and(|own| is_whole(&own)) {
        return path.is_file().then(|| path.to_owned());
    }
    let with = |ending: &str| {
        let mut name = OsString::from(path);
        name.push(ending.to_ascii_lowercase());
        PathBuf::from(name)
    };
    endings().map(with).find(|program| program.is_file())
}

/// Does nothing: a program's name is that of its file.
pub fn set_name(_: &mut Command, _: &str) {}

/// Does nothing: the system dumps no memory to a file unless asked.
pub fn forbid_core_dumps() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_each_ending_that_programs_have() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["a.exe", "b.cmd", "c.txt", "d.EXE"] {
            std::fs::write(dir.path().join(name), "").expect("written");
        }
        let found = |name: &str, endings: Option<&str>| {
            let endings = endings.map(OsString::from);
            let found = with_ending(&dir.path().join(name), &move |_| endings.clone())?;
            Some(found.file_name()?.to_str()?.to_owned())
        };
        for (name, endings, expected) in [
            ("a", None, Some("a.exe")),
            ("a.exe", None, Some("a.exe")),
            ("b", None, Some("b.cmd")),
            ("b", Some(".EXE"), None),
            ("c", None, None),
            ("c.txt", None, None),
            ("c", Some(".TXT"), Some("c.txt")),
            ("d.exe", None, Some("d.exe")),
            ("e", None, None),
        ] {
            assert_eq!(found(name, endings).as_deref(), expected, "{name}");
        }
    }
}
