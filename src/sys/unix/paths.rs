//! Paths and programs' names, as people and other programs write them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Returns where a path leads, without links.
///
/// # Errors
/// The system's own reason.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// True if a program of this path is called by this name.
pub fn is_called(program: &Path, name: &str) -> bool {
    program.file_name() == Some(OsStr::new(name))
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
