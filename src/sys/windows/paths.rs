//! Paths and program names, as users and other programs write them.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::files::read_at;
use super::status::Status;

/// Resolves a path, with all its links, and removes the system's prefix `\\?\` if other
/// programs understand the path without it.
///
/// # Errors
/// The operating system's error.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// Returns the name of the program at a path, in small letters and without `.exe`:
/// neither matters here. `None` if it is not Unicode.
pub fn called(program: &Path) -> Option<Cow<'_, str>> {
    let mut name = program.file_name()?.to_str()?.to_ascii_lowercase();
    if name.ends_with(ENDING) {
        name.truncate(name.len() - ENDING.len());
    }
    Some(name.into())
}

/// True if the program at a path has this name.
pub fn is_called(program: &Path, name: &str) -> bool {
    called(program).is_some_and(|called| called == name)
}

/// True if two paths resolve to the same program, or to copies of it: without links, a
/// program has several names by hard links or copies.
pub fn is_same_program(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (Status::of(one), Status::of(other)) else {
        return false;
    };
    let is_one_file = first.identity() == second.identity();
    is_one_file || first.size() == second.size() && has_same_content(one, other).unwrap_or(false)
}

fn has_same_content(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    let (mut first, mut second) = (vec![0; PART], vec![0; PART]);
    let mut offset = 0;
    loop {
        let read = read_at(&one, &mut first, offset)?;
        if read != read_at(&other, &mut second, offset)? || first[..read] != second[..read] {
            return Ok(false);
        }
        if read < PART {
            return Ok(true);
        }
        offset += read as u64;
    }
}

/// Number of bytes that are compared at a time.
const PART: usize = 64 * 1024;

/// The remedy if the path of this program is unknown.
pub const FIND_PROGRAM: &str = "run it by its whole path";

/// Returns the command that gives a program another name: the same in cmd and in
/// PowerShell.
pub fn link_command(program: &str, link: &str) -> String {
    format!("copy {program} {link}")
}

/// Returns the command that gives a program another name, and replaces the file that has
/// the name now.
pub fn relink_command(program: &str, link: &str) -> String {
    link_command(program, link)
}

const ENDING: &str = ".exe";

/// Returns the file name of a program with this name.
pub fn file_of(name: &str) -> Cow<'_, str> {
    format!("{name}{ENDING}").into()
}

/// True if a program is given by its path, and not searched for in `PATH`.
pub fn is_path(program: &str) -> bool {
    program.contains(['/', '\\', ':'])
}

/// Returns a path as a POSIX shell expects it, without quotes: with slashes, which
/// programs accept too.
pub fn in_shell(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy().replace('\\', "/").into()
}

/// True if a backslash escapes the next character in a path pasted from a shell.
pub const ESCAPES: bool = false;

/// Returns the path of a `file:` URL that is already decoded: a drive has a slash before
/// it there.
pub fn of_url(path: &str) -> &str {
    match path.strip_prefix('/') {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => rest,
        _ => path,
    }
}

/// Returns a text as one word of a command, in cmd and in PowerShell.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || r"\/._-+~:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_is_its_file_name_without_extension() {
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
    fn a_program_equals_its_hard_links_and_copies() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = |name: &str| dir.path().join(name);
        let content = vec![7; PART + 1];
        let other = [&content[..PART], &[8]].concat();
        for (name, content) in [
            ("a.exe", &content),
            ("copy.exe", &content),
            ("b.exe", &other),
        ] {
            std::fs::write(place(name), content).expect("written");
        }
        std::fs::hard_link(place("a.exe"), place("link.exe")).expect("linked");
        for (name, is_same) in [
            ("a.exe", true),
            ("link.exe", true),
            ("copy.exe", true),
            ("b.exe", false),
            ("absent.exe", false),
        ] {
            let is = is_same_program(&place(name), &place("a.exe"));
            assert_eq!(is, is_same, "{name}");
        }
    }

    #[test]
    fn a_word_of_a_command_is_one_word() {
        assert_eq!(word(r"C:\a\b.exe"), r"C:\a\b.exe");
        assert_eq!(word(r"C:\Jane Doe\it's"), "\"C:\\Jane Doe\\it's\"");
        assert_eq!(word(""), "\"\"");
    }

    #[test]
    fn a_path_is_shown_without_the_verbatim_prefix() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = canonicalize(dir.path()).expect("a path");
        assert!(!path.to_string_lossy().contains('?'), "{path:?}");
        assert_eq!(in_shell(Path::new(r"C:\a b\c.exe")), "C:/a b/c.exe");
    }
}
