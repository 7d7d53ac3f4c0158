//! The directory of `--write`: its owner, and other users who may write to it.

mod readers;

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use predicates::str::contains;

use crate::support::machine::{is_root, is_root_or_skipped};
use crate::support::trace::injecting;
use crate::support::{Run, Running, World, binary};

const NOBODY: u32 = 65534;

/// Returns a world with a token in its cache.
fn with_token() -> World {
    let world = World::new();
    world.zitadel(["token"]).assert().success();
    world
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The working directory does not matter to an absolute path.
#[test]
fn a_working_directory_without_access_does_not_matter() {
    let world = with_token();
    let file = world.home.path().join("token");
    let script = r#"mkdir locked; cd locked; chmod 0 .; exec "$@""#;
    let mut command = world.home.command("sh");
    command.args(["-c", script, "sh"]);
    if is_root() {
        // Without capabilities, modes apply to root too.
        command.args(["setpriv", "--bounding-set", "-all"]);
    }
    command.arg(binary()).args(["token", "--write"]).arg(&file);
    command.assert().success().stderr("");
    assert!(file.exists());
}

/// Another process's sweep removes it if a minute has passed, or if clocks differ by one.
#[test]
fn a_temporary_file_that_is_removed_is_written_again() {
    let world = with_token();
    for (times, code) in [("1", 0), ("1+", 1)] {
        let inject = format!("renameat:error=ENOENT:when={times}");
        let Some(mut command) = injecting(&world.home, &inject) else {
            return;
        };
        command.arg(binary()).args(["token", "--write", "token"]);
        command.assert().code(code);
        let file = world.home.path().join("token");
        assert_eq!(fs::remove_file(file).is_ok(), code == 0);
    }
}

/// Asserts the error of `token` and `agent` for a file that they must not write.
#[track_caller]
fn refused(world: &World, file: &Path, why: &str) {
    let text = file.to_str().unwrap();
    for words in [
        &["token", "--write", text][..],
        &["agent", "--once", "--write", text],
        &["agent", "--write", text],
    ] {
        let refusal = world.zitadel(words).assert().code(1).stdout("");
        refusal.stderr(contains(why));
    }
    let dir = fs::read_dir(file.parent().unwrap()).unwrap();
    let left = dir.filter(|entry| !entry.as_ref().unwrap().path().is_symlink());
    assert_eq!(left.count(), usize::from(file.exists()), "nothing is left");
}

#[track_caller]
fn written(world: &World, file: &Path) {
    let text = file.to_str().unwrap();
    for words in [
        &["token", "--write", text][..],
        &["agent", "--once", "--write", text],
    ] {
        world.zitadel(words).assert().success();
        assert!(fs::read(file).is_ok_and(|token| token.len() > 20));
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_directory_that_others_can_write_to_gets_no_token() {
    let world = with_token();
    let dir = world.home.path().join("dir");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("token");
    for mode in [0o777, 0o707, 0o702, 0o775, 0o770, 0o720, 0o2777] {
        set_mode(&dir, mode);
        let why = format!("other users can write to its directory (mode 0{mode:o})");
        let why = why.replace("mode 02", "mode 2");
        refused(&world, &file, &why);
        let link = world.home.path().join("link");
        symlink(&file, &link).unwrap();
        let text = link.to_str().unwrap();
        let through = world.zitadel(["token", "--write", text]).assert();
        through.code(1).stderr(contains(&why));
        fs::remove_file(link).unwrap();
    }
    for mode in [0o700, 0o755, 0o711, 0o750, 0o1777, 0o1770] {
        set_mode(&dir, mode);
        written(&world, &file);
    }
    // The parents of the directory may be open to others.
    set_mode(&dir, 0o777);
    let within = dir.join("within");
    fs::create_dir(&within).unwrap();
    set_mode(&within, 0o700);
    written(&world, &within.join("token"));
}

#[test]
fn a_link_that_others_can_replace_is_not_followed() {
    let world = with_token();
    let [open, own] = ["open", "own"].map(|name| world.home.path().join(name));
    for dir in [&open, &own] {
        fs::create_dir(dir).unwrap();
    }
    symlink(&own, open.join("link")).unwrap();
    set_mode(&open, 0o777);
    let why = "a symbolic link that other users can replace";
    let file = open.join("link/token");
    let text = file.to_str().unwrap();
    let refusal = world.zitadel(["token", "--write", text]).assert();
    refusal.code(1).stderr(contains(why));
    assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
    set_mode(&open, 0o1777);
    written(&world, &file);
}

#[test]
fn another_users_directory_or_file_gets_no_token() {
    if !is_root_or_skipped() {
        return;
    }
    let world = with_token();
    let theirs = world.home.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    for mode in [0o755, 0o777, 0o1777] {
        set_mode(&theirs, mode);
        chown(&theirs, Some(NOBODY), None).unwrap();
        let why = "its directory belongs to another user";
        refused(&world, &theirs.join("token"), why);
    }
    let sticky = world.home.path().join("sticky");
    fs::create_dir(&sticky).unwrap();
    set_mode(&sticky, 0o1777);
    let file = sticky.join("token");
    fs::write(&file, "theirs").unwrap();
    chown(&file, Some(NOBODY), None).unwrap();
    refused(&world, &file, "the file belongs to another user");
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
}

/// Another user swaps a directory on the path for a link, again and again.
#[test]
fn a_path_swapped_midway_redirects_no_token() {
    if !is_root_or_skipped() {
        return;
    }
    let world = with_token();
    let shared = tempfile::tempdir().unwrap();
    let [ours, trap] = ["ours", "trap"].map(|name| shared.path().join(name));
    for dir in [&ours, &trap] {
        fs::create_dir(dir).unwrap();
        set_mode(dir, 0o755);
    }
    chown(&trap, Some(NOBODY), None).unwrap();
    set_mode(shared.path(), 0o777);
    let script = "echo; while :; do mv ours aside; ln -s trap ours; rm ours; mv aside ours; done";
    let mut swapping = Command::new("setpriv");
    let nobody = format!("--reuid={NOBODY}");
    swapping
        .args([&nobody, "--regid=65534", "--clear-groups"])
        .args(["sh", "-c", script])
        .current_dir(shared.path());
    let mut swapping = Running::start(swapping);
    let file = ours.join("token");
    let file = file.to_str().unwrap();
    let mut outcomes = [0, 0];
    while outcomes.iter().sum::<i32>() < 60 || outcomes.contains(&0) {
        let ended = world.zitadel(["token", "--write", file]).assert();
        outcomes[usize::from(ended.get_output().status.success())] += 1;
        assert!(outcomes.iter().all(|times| *times < 2000), "{outcomes:?}");
    }
    assert!(!swapping.is_over());
    drop(swapping);
    assert_eq!(fs::read_dir(&trap).unwrap().count(), 0);
}
