//! Paths and programs' names, as people and other programs write them.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Returns where a path leads, without links, and without the `\\?\` that the system puts
/// before it where other programs understand the path without.
///
/// # Errors
/// The system's own reason.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// True if a program of this path is called by this name: `.exe` and the letters' case
/// do not count.
pub fn is_called(program: &Path, name: &str) -> bool {
    let file = program.file_name().and_then(|file| file.to_str());
    let stem = file.map(|file| match file.len().checked_sub(ENDING.len()) {
        Some(end)
            if file
                .get(end..)
                .is_some_and(|e| e.eq_ignore_ascii_case(ENDING)) =>
        {
            &file[..end]
        }
        _ => file,
    });
    stem.is_some_and(|stem| stem.eq_ignore_ascii_case(name))
}

const ENDING: &str = ".exe";

/// Returns the name of the file of a program that is called by this name.
pub fn file_of(name: &str) -> Cow<'_, str> {
    format!("{name}{ENDING}").into()
}

/// True if a program is given by its path, and is not searched for in `PATH`.
pub fn is_path(program: &str) -> bool {
    program.contains(['/', '\\', ':'])
}

/// Returns a path as a POSIX shell takes it, without its quotes: with slashes, which
/// programs understand too.
pub fn in_shell(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy().replace('\\', "/").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_by_its_files_name_without_its_ending() {
        for (file, is_git) in [
            (r"C:\bin\git-credential-zitadel.exe", true),
            (r"C:\bin\GIT-credential-Zitadel.EXE", true),
            ("git-credential-zitadel", true),
            ("git-credential-zitadel.exe.exe", false),
            ("git-credential-zitadel.cmd", false),
            ("docker-credential-zitadel.exe", false),
            (".exe", false),
            ("ü.exe", false),
        ] {
            let is = is_called(Path::new(file), "git-credential-zitadel");
            assert_eq!(is, is_git, "{file}");
        }
    }

    #[test]
    fn a_path_is_shown_without_what_the_system_puts_before_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = canonicalize(dir.path()).expect("a path");
        assert!(!path.to_string_lossy().contains('?'), "{path:?}");
        assert_eq!(in_shell(Path::new(r"C:\a b\c.exe")), "C:/a b/c.exe");
    }
}
