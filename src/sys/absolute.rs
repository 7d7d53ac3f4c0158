//! Absolute paths without `..`, for writing into files.

use std::io;
use std::path::{Component, Path, PathBuf, is_separator};

use super::paths::canonicalize;

/// Returns a path from the root on, without `.` and `..`. Links are kept, except one
/// before a `..`: the parent is that of its target.
///
/// # Errors
/// The current directory is unknown, or the path is empty.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if !path.components().any(|part| part == Component::ParentDir) {
        return Ok(path);
    }
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        if part != Component::ParentDir {
            cleaned.push(part);
            continue;
        }
        if cleaned.is_symlink() {
            cleaned = canonicalize(&cleaned)?;
        }
        // The root is its own parent.
        cleaned.pop();
    }
    Ok(cleaned)
}

/// True if a path denotes a directory, whatever is there: it ends in a separator, or in
/// one and a `.`. Its last component could pass for a file name.
pub fn names_directory(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let text = text.strip_suffix(b".").unwrap_or(text);
    text.last()
        .is_some_and(|last| is_separator(char::from(*last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_is_cleaned_without_leaving_its_links() {
        for (path, expected) in [
            ("/a/b/../key.json", "/a/key.json"),
            ("/a/./b/../../key.json", "/key.json"),
            ("/../../key.json", "/key.json"),
            ("/a/b/..", "/a"),
            ("/a//b/key.json", "/a/b/key.json"),
            ("/a/..b/key.json", "/a/..b/key.json"),
        ] {
            assert_eq!(
                absolute(path.as_ref()).ok().as_deref(),
                Some(expected.as_ref()),
                "{path}"
            );
        }
        assert!(absolute(Path::new("")).is_err());
    }

    #[cfg(windows)]
    #[test]
    fn a_path_is_cleaned_and_has_its_drive() {
        for (path, expected) in [
            (r"C:\a\b\..\key.json", r"C:\a\key.json"),
            ("C:/a/./b/../../key.json", r"C:\key.json"),
            (r"C:\..\..\key.json", r"C:\key.json"),
            (r"C:\a\..b\key.json", r"C:\a\..b\key.json"),
            (r"\\server\share\a\..\key.json", r"\\server\share\key.json"),
        ] {
            assert_eq!(
                absolute(path.as_ref()).ok().as_deref(),
                Some(expected.as_ref()),
                "{path}"
            );
        }
        assert!(absolute(Path::new("")).is_err());
    }

    /// Few users of Windows may create a link.
    #[cfg(unix)]
    #[test]
    fn the_parent_of_a_link_is_that_of_its_target() {
        use std::fs;
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a path");
        fs::create_dir_all(root.join("far/deep")).expect("directories");
        symlink(root.join("far/deep"), root.join("link")).expect("a link");
        let cleaned = |path: &str| absolute(&root.join(path)).expect("a path");
        assert_eq!(cleaned("link/../key.json"), root.join("far/key.json"));
        assert_eq!(cleaned("link/a/../key.json"), root.join("link/key.json"));
        assert_eq!(cleaned("x/../link/key.json"), root.join("link/key.json"));
    }

    #[test]
    fn a_slash_at_the_end_names_a_directory() {
        for (path, is_directory) in [
            ("x/", true),
            ("x//", true),
            ("a/x/.", true),
            ("/", true),
            ("./", true),
            ("x", false),
            ("x.", false),
            ("a/x", false),
            (".", false),
        ] {
            assert_eq!(names_directory(Path::new(path)), is_directory, "{path}");
        }
        for path in [r"x\", r"a\x\.", r"C:\"] {
            assert_eq!(names_directory(Path::new(path)), cfg!(windows), "{path}");
        }
    }
}
