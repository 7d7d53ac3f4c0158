//! Paths and programs' names, as people and other programs write them.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Returns where a path leads, without links.
///
/// # Errors
/// The system's own reason.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Returns the name by which a program of this path is called; `None` if it is not UTF-8.
pub fn called(program: &Path) -> Option<Cow<'_, str>> {
    Some(program.file_name()?.to_str()?.into())
}

/// True if a program of this path is called by this name.
pub fn is_called(program: &Path, name: &str) -> bool {
    called(program).is_some_and(|called| called == name)
}

/// True if two paths lead to the same program.
pub fn is_same_program(one: &Path, other: &Path) -> bool {
    canonicalize(one).is_ok_and(|one| canonicalize(other).is_ok_and(|other| one == other))
}

/// Returns the command by which a person gives a program another name.
pub fn link_command(program: &str, link: &str) -> String {
    format!("ln -s {program} {link}")
}

/// Returns the command by which a person gives a program another name, in place of what
/// has that name now.
pub fn relink_command(program: &str, link: &str) -> String {
    format!("ln -sf {program} {link}")
}

/// Returns the name of the file of a program that is called by this name.
pub fn file_of(name: &str) -> Cow<'_, str> {
    name.into()
}

/// True if a program is given by its path, and is not searched for in `PATH`.
pub fn is_path(program: &str) -> bool {
    program.contains('/')
}

/// Returns a path as a POSIX shell takes it, without its quotes.
pub fn in_shell(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

/// True if a backslash before a character escapes it in a path that is pasted from a shell.
pub const ESCAPES: bool = true;

/// Returns the path of a `file:` URL, which is decoded already.
pub fn of_url(path: &str) -> &str {
    path
}

/// Returns a text as one word of a shell's command.
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
    fn a_program_is_the_same_by_its_links() {
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
