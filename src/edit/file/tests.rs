use std::fs;

use super::*;

fn open(path: &Path) -> FileChange {
    match FileChange::open(path) {
        Ok(file) => file,
        Err(report) => panic!("{report}"),
    }
}

#[test]
fn a_new_file_is_private_and_revert_removes_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a/b/file");
    let mut file_change = open(&file);
    assert_eq!(file_change.before(), None);
    file_change.set(String::new());
    assert!(!file_change.is_changed(), "nothing is not written");
    file_change.set("new".into());
    file_change.apply().expect("written");
    let status = |path: &Path| Status::of(path).expect("there");
    assert!(status(&file).has_private_mode());
    assert!(status(&dir.path().join("a")).is_private());
    file_change.revert().expect("removed");
    assert!(!file.exists());
}

#[test]
fn directories_and_binary_files_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let refused = |path: &Path| {
        let error = FileChange::open(path).err().expect("refused");
        error.headline()
    };
    assert!(refused(dir.path()).ends_with("not a regular file"));
    let binary = dir.path().join("binary");
    fs::write(&binary, b"\xff").expect("written");
    assert!(refused(&binary).ends_with("it is not UTF-8"));
}

#[test]
fn a_concurrent_change_of_a_file_is_detected() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    let none = open(&file);
    assert!(none.look_again().is_ok());
    fs::write(&file, "old").expect("written");
    assert!(none.look_again().is_err());
    let old = open(&file);
    assert!(old.look_again().is_ok());
    fs::write(&file, "new").expect("written");
    assert!(matches!(old.look_again(), Err(Error::Passing(_))));
    fs::remove_file(&file).expect("removed");
    assert!(old.look_again().is_err());
}

#[test]
fn changes_by_others_are_neither_overwritten_nor_reverted() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "old").expect("written");
    let mut change = open(&file);
    change.set("new".into());
    fs::write(&file, "theirs").expect("written");
    assert!(matches!(change.apply(), Err(Error::Passing(_))));
    fs::write(&file, "old").expect("written");
    change.apply().expect("applied");
    fs::write(&file, "theirs").expect("written");
    assert!(change.revert().is_err());
    assert_eq!(fs::read_to_string(&file).expect("text"), "theirs");
}

#[test]
fn hard_links_of_a_file_are_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, "old").expect("written");
    let mut change = open(&file);
    change.set("new".into());
    assert_eq!(change.line_of_links(), None);
    fs::hard_link(&file, dir.path().join("other")).expect("a link");
    let mut change = open(&file);
    assert_eq!(change.line_of_links(), None, "it does not change");
    change.set("new".into());
    assert!(change.line_of_links().is_some());
}

/// Windows has no modes, and few of its users may create a link.
#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_the_link_to_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
        let link = dir.path().join("link");
        symlink("file", &link).expect("a link");
        let mut file_change = open(&link);
        file_change.set("new".into());
        file_change.apply().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "new");
        assert!(link.is_symlink());
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        file_change.revert().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "old");
    }

    #[test]
    fn new_directories_are_their_owners_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut file_change = open(&dir.path().join("a/b/file"));
        file_change.set("new".into());
        file_change.apply().expect("written");
        let status = Status::of(&dir.path().join("a")).expect("there");
        assert_eq!(status.shown_mode(), "mode 0700");
    }

    #[test]
    fn a_dangling_link_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let dangling = dir.path().join("dangling");
        symlink("nowhere", &dangling).expect("a link");
        let error = FileChange::open(&dangling).err().expect("refused");
        assert!(error.headline().ends_with("dangling symbolic link"));
    }

    #[test]
    fn a_file_has_one_name_through_any_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a directory");
        fs::create_dir(root.join("real")).expect("a directory");
        symlink("real", root.join("link")).expect("a link");
        let file = root.join("real/a/b/file");
        let name = || open(&root.join("link/../link/a/b/file")).name();
        assert_eq!(name(), file.display().to_string());
        fs::create_dir_all(file.parent().expect("a directory")).expect("directories");
        assert_eq!(name(), file.display().to_string());
        fs::write(&file, "").expect("written");
        assert_eq!(name(), file.display().to_string());
    }
}
