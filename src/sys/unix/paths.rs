//! Paths and program names, as users and other programs write them.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Resolves a path, with all its links.
///
/// # Errors
/// The operating system's error.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Returns the name of the program at a path; `None` if it is not UTF-8.
pub fn called(program: &Path) -> Option<Cow<'_, str>> {
    Some(program.file_name()?.to_str()?.into())
}

/// True if the program at a path has this name.
pub fn is_called(program: &Path, name: &str) -> bool {
    called(program).is_some_and(|called| called == name)
}

/// True if two paths resolve to the same program.
pub fn is_same_program(one: &Path, other: &Path) -> bool {
    canonicalize(one).is_ok_and(|one| canonicalize(other).is_ok_and(|other| one == other))
}

/// The remedy if the path of this program is unknown.
#[cfg(target_os = "linux")]
pub const FIND_PROGRAM: &str = "mount /proc, which Linux needs for that";

/// The remedy if the path of this program is unknown.
#[cfg(not(target_os = "linux"))]
pub const FIND_PROGRAM: &str = "run it by its whole path";

/// Returns the command that gives a program another name.
pub fn link_command(program: &str, link: &str) -> String {
    format!("ln -s {program} {link}")
}

/// Returns the command that gives a program another name, and replaces the file that has
/// the name now.
pub fn relink_command(program: &str, link: &str) -> String {
    format!("ln -sf {program} {link}")
}

/// Returns the file name of a program with this name.
pub fn file_of(name: &str) -> Cow<'_, str> {
    name.into()
}

/// True if a program is given by its path, and not searched for in `PATH`.
pub fn is_path(program: &str) -> bool {
    program.contains('/')
}

/// Returns a path as a POSIX shell expects it, without quotes.
pub fn in_shell(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

/// True if a backslash escapes the next character in a path pasted from a shell.
pub const ESCAPES: bool = true;

/// Returns the path of a `file:` URL that is already decoded.
pub fn of_url(path: &str) -> &str {
    path
}

/// Returns a text as one word of a shell command.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+~:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_command_is_one_word() {
        assert_eq!(word("/a/b.c"), "/a/b.c");
        assert_eq!(word("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_program_equals_its_links() {
        let dir = tempfile::tempdir().expect("a directory");
        let [program, link, copy] = ["a", "b", "c"].map(|name| dir.path().join(name));
        for path in [&program, &copy] {
            std::fs::write(path, "x").expect("written");
        }
        std::os::unix::fs::symlink(&program, &link).expect("linked");
        assert!(is_same_program(&link, &program));
        assert!(!is_same_program(&copy, &program));
        let absent = dir.path().join("absent");
        assert!(!is_same_program(&absent, &absent));
    }
}
