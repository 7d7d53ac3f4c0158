//! Bad disks and directories: the call still returns a token, one warning says why it is
//! not cached, and no other user's file is changed.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::entry::{age, edit, files, only};
use crate::support::machine::{NOBODY, behind_mounts, is_root, is_root_or_skipped};
use crate::support::{Home, Run, Running, World, binary};

/// No such disk is a reason to wait.
const AT_ONCE: Duration = Duration::from_secs(10);

fn run(command: Command) -> Output {
    Running::start(command).output_within(AT_ONCE)
}

/// Returns a command of another program that runs the binary.
fn through(mut command: Command, arguments: &[&str]) -> Command {
    command.arg(binary()).args(arguments);
    command
}

fn plainly(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.home.command(binary());
    command.args(arguments);
    command
}

/// Returns stdout of a call, and asserts that stderr is empty.
fn silent(command: Command) -> String {
    let output = run(command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `token`, which must return the token that it has just minted, with one warning
/// that contains `why`.
fn warned(world: &World, command: Command, why: &str) {
    let minted = world.issuer.token_requests();
    let output = run(command);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let status = output.status;
    assert!(status.success(), "{status}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.starts_with("zitadel-credential: warning: "),
        "{stderr}"
    );
    assert!(stderr.contains(why), "{stderr}");
    assert!(!stderr.contains("os error"), "{stderr}");
    assert_eq!(world.issuer.token_requests(), minted + 1);
    let token = world.issuer.issued_tokens().pop().unwrap();
    assert_eq!(output.stdout, format!("{token}\n").into_bytes());
}

/// Returns a world whose cache has a token with this many seconds left.
fn with_seconds_left(seconds: i64) -> (World, String) {
    let world = World::new();
    let token = silent(plainly(&world, &["token"]));
    age(&only(&world.home), 43_199 - seconds);
    (world, token)
}

/// Returns the directories of the home's cache: the root, the version's and the key's.
fn directories(world: &World) -> [PathBuf; 3] {
    let root = world.home.path().join(".cache/zitadel-credential");
    let v1 = root.join("v1");
    let key = v1.join(&world.user.key_id);
    [root, v1, key]
}

const READ_ONLY: &str = r#"
    mkdir -p "$HOME/.cache"
    mount --bind "$HOME/.cache" "$HOME/.cache"
    mount -o remount,ro,bind "$HOME/.cache"
    exec "$@""#;

#[test]
fn a_read_only_disk_is_still_read() {
    let (world, old) = with_seconds_left(300);
    let Some(command) = behind_mounts(&world.home, READ_ONLY) else {
        return;
    };
    let asked = world.issuer.total_requests();
    assert_eq!(silent(through(command, &["token"])), old, "to be renewed");
    assert_eq!(world.issuer.total_requests(), asked);

    age(&only(&world.home), -40_000);
    for _ in 0..2 {
        let command = behind_mounts(&world.home, READ_ONLY).unwrap();
        assert!(silent(through(command, &["kubectl"])).contains(old.trim_end()));
    }
    for left in ["json", "lock"] {
        fs::remove_file(&files(&world.home, left)[0]).unwrap();
        let command = behind_mounts(&world.home, READ_ONLY).unwrap();
        warned(&world, through(command, &["token"]), "read-only");
    }
}

#[test]
fn an_empty_read_only_disk_gives_one_warning() {
    let world = World::new();
    if let Some(command) = behind_mounts(&world.home, READ_ONLY) {
        warned(&world, through(command, &["token"]), "read-only");
    }
}

/// A small disk with a copy of the cache, filled up; afterwards, partial files are
/// listed.
const FULL: &str = r#"
    cp -a "$HOME/.cache" "$HOME/copy" 2>/dev/null || mkdir "$HOME/copy"
    mkdir -p "$HOME/.cache"
    mount -t tmpfs -o size=16k,mode=700 tmpfs "$HOME/.cache"
    cp -a "$HOME/copy/." "$HOME/.cache"
    rm -r "$HOME/copy"
    cat /dev/zero > "$HOME/.cache/full" 2>/dev/null || true
    "$@"
    find "$HOME/.cache" -name '.zitadel-credential-*' >&2"#;

const NO_INODES: &str = r#"
    mkdir -p "$HOME/.cache"
    mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs "$HOME/.cache"
    exec "$@""#;

#[test]
fn a_full_disk_gives_one_warning_and_loses_no_token() {
    let world = World::new();
    for script in [FULL, NO_INODES] {
        let Some(command) = behind_mounts(&world.home, script) else {
            return;
        };
        warned(
            &world,
            through(command, &["token"]),
            "no space left on device\n",
        );
    }
    assert!(files(&world.home, "json").is_empty(), "it was another disk");

    // Everything but the entry exists.
    let (world, _) = with_seconds_left(300);
    fs::remove_file(only(&world.home)).unwrap();
    let command = behind_mounts(&world.home, FULL).unwrap();
    warned(
        &world,
        through(command, &["token"]),
        "not cached: no space left on device\n",
    );
}

#[test]
fn a_full_disk_does_not_make_each_call_of_the_refresh_window_mint() {
    let (world, old) = with_seconds_left(300);
    let Some(command) = behind_mounts(&world.home, FULL) else {
        return;
    };
    let asked = world.issuer.total_requests();
    assert_eq!(silent(through(command, &["token"])), old);
    let command = behind_mounts(&world.home, FULL).unwrap();
    assert!(silent(through(command, &["kubectl"])).contains(old.trim_end()));
    assert_eq!(world.issuer.total_requests(), asked);
}

/// Above this limit, a write sends SIGXFSZ, which by default ends the process.
fn limited(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.home.command("sh");
    command.args(["-c", "ulimit -f 0; exec \"$@\"", "sh"]);
    through(command, arguments)
}

#[test]
fn a_file_size_limit_gives_one_warning_and_no_signal() {
    let world = World::new();
    warned(&world, limited(&world, &["token"]), "file too large");
    assert!(files(&world.home, "json").is_empty());

    let (world, old) = with_seconds_left(300);
    assert_eq!(silent(limited(&world, &["token"])), old, "to be renewed");
    assert_eq!(world.issuer.token_requests(), 1);
    assert!(silent(limited(&world, &["kubectl"])).contains(old.trim_end()));

    let output = run(limited(&world, &["token", "--write", "to"]));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("to: token not written: file too large"));
    assert!(!world.home.path().join("to").exists());
}

/// An ignored signal would stay ignored in the program, a handled one does not.
#[test]
fn a_program_that_exec_runs_gets_the_signal_of_a_limit_on_file_sizes() {
    const SIGXFSZ: i32 = 25;
    let world = World::new();
    let script = "ulimit -f 0; echo x >file";
    let output = run(plainly(&world, &["exec", "--", "sh", "-c", script]));
    assert_eq!(output.status.signal(), Some(SIGXFSZ), "{output:?}");
}

#[test]
fn an_impossible_cache_directory_gives_one_warning() {
    let world = World::new();
    for place in ["/proc/zitadel-credential", "/dev/null", "/dev/null/x"] {
        let command = plainly(&world, &["token", "--cache-dir", place]);
        warned(&world, command, "continuing without the cache: /");
    }
}

#[test]
fn a_relative_cache_dir_is_in_the_current_directory() {
    let world = World::new();
    for place in ["a", "b/c", "./d"] {
        let asked = || silent(plainly(&world, &["token", "--cache-dir", place]));
        assert_eq!(asked(), asked(), "{place}");
        assert!(world.home.path().join(place).join("v1").is_dir());
    }
}

#[test]
fn without_a_home_there_is_one_warning_and_a_token() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), Permissions::from_mode(0o755)).unwrap();
    let reachable = open.path().join("zitadel-credential");
    fs::copy(binary(), &reachable).unwrap();
    // A user without an entry in passwd has no home.
    let uid = 4_242_424;
    let homeless = |arguments: &[&str]| {
        let mut command = world.home.command("setpriv");
        command
            .args([&format!("--reuid={uid}"), "--regid=65534", "--clear-groups"])
            .arg(&reachable)
            .args(arguments)
            .env_remove("HOME")
            .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
            .env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url())
            .current_dir("/");
        command
    };
    warned(&world, homeless(&["token"]), "no home directory");
    let place = open.path().join("cache");
    fs::create_dir(&place).unwrap();
    chown(&place, Some(uid), None).unwrap();
    let cached = || silent(homeless(&["token", "--cache-dir", place.to_str().unwrap()]));
    assert_eq!(cached(), cached());
}

#[test]
fn a_lookup_without_a_thread_is_a_temporary_error() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), Permissions::from_mode(0o755)).unwrap();
    let reachable = open.path().join("zitadel-credential");
    fs::copy(binary(), &reachable).unwrap();
    let mut command = world.home.command("setpriv");
    command
        .args(["--reuid=4242425", "--regid=65534", "--clear-groups"])
        .args(["prlimit", "--nproc=1"])
        .arg(&reachable)
        .args(["token", "--no-cache"])
        .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
        .env("ZITADEL_CREDENTIAL_ISSUER", "http://localhost:9")
        .env("HOME", open.path())
        .current_dir("/");
    let output = command.run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains("cannot look up the host name"), "{stderr}");
    assert!(!stderr.contains("a bug"), "{stderr}");
}

/// Returns a world whose cached token would be recognised in a response.
fn poisoned() -> World {
    let (world, _) = with_seconds_left(40_000);
    edit(&only(&world.home), |entry| {
        entry["access_token"] = "poison".into();
    });
    assert_eq!(silent(plainly(&world, &["token"])), "poison\n");
    world
}

#[test]
fn a_directory_that_others_can_write_to_is_not_used() {
    let world = poisoned();
    for directory in directories(&world) {
        for mode in [0o770, 0o707, 0o1777] {
            fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
            let named = format!("{}: another user", directory.display());
            warned(&world, plainly(&world, &["token"]), &named);
        }
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(silent(plainly(&world, &["token"])), "poison\n", "untouched");
}

#[test]
fn a_directory_of_another_user_is_not_used() {
    let world = poisoned();
    if !is_root() {
        let command = plainly(&world, &["token", "--cache-dir", "/usr"]);
        return warned(&world, command, "/usr: another user");
    }
    for directory in directories(&world) {
        chown(&directory, Some(NOBODY), None).unwrap();
        let named = format!("{}: another user", directory.display());
        warned(&world, plainly(&world, &["token"]), &named);
        chown(&directory, Some(0), None).unwrap();
    }
    chown(only(&world.home), Some(NOBODY), None).unwrap();
    let token = silent(plainly(&world, &["token"]));
    assert!(world.issuer.accepts(token.trim_end()), "another's entry");
}

#[test]
fn a_cache_root_that_leads_to_another_users_directory_is_not_used() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let theirs = Home::new();
    fs::create_dir(world.home.path().join(".cache")).unwrap();
    let link = world.home.path().join(".cache/zitadel-credential");
    symlink(theirs.path(), &link).unwrap();
    chown(theirs.path(), Some(NOBODY), None).unwrap();
    for mode in [0o700, 0o777] {
        fs::set_permissions(theirs.path(), Permissions::from_mode(mode)).unwrap();
        warned(&world, plainly(&world, &["token"]), "another user");
        let by_flag = ["token", "--cache-dir", link.to_str().unwrap()];
        warned(&world, plainly(&world, &by_flag), "another user");
        assert_eq!(fs::read_dir(theirs.path()).unwrap().count(), 0);
    }
}

/// `sudo` may keep HOME: directories that root created there would lock the owner out.
#[test]
fn root_makes_nothing_in_the_home_of_another_user() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let cache = world.home.path().join(".cache");
    let owned_by_nobody = |path: &Path, mode| {
        chown(path, Some(NOBODY), None).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o755, 0o777] {
        owned_by_nobody(world.home.path(), mode);
        warned(&world, plainly(&world, &["token"]), "sudo -H");
        assert!(!cache.exists());
    }
    fs::create_dir(&cache).unwrap();
    owned_by_nobody(&cache, 0o700);
    warned(&world, plainly(&world, &["token"]), "sudo -H");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);

    // A directory for everybody, like /tmp, is not private.
    owned_by_nobody(&cache, 0o1777);
    silent(plainly(&world, &["token"]));
    assert_eq!(fs::metadata(only(&world.home)).unwrap().uid(), 0);
}
