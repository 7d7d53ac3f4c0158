//! Other objects in place of the cache's files: each call returns at once with a token
//! that was minted for it, and the next one finds the token if it can.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::support::entry::{edit, files, only};
use crate::support::{Issuer, Run, Running, World, binary};

/// No such file is a reason to wait.
const AT_ONCE: Duration = Duration::from_secs(10);

const LARGE: usize = 50 * 1024 * 1024;

fn run(world: &World, arguments: &[&str]) -> Output {
    let mut command = world.home.command(binary());
    command.args(arguments);
    Running::start(command).output_within(AT_ONCE)
}

/// Returns stdout of a call, and asserts that stderr is empty.
fn silent(world: &World, arguments: &[&str]) -> String {
    let output = run(world, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn token(world: &World) -> String {
    silent(world, &["token"])
}

/// Asserts that `token` returns a token with one warning that contains `why`.
fn warned(world: &World, why: &str) -> String {
    let output = run(world, &["token"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(why), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the issuer's latest token.
fn newest(world: &World) -> String {
    world.issuer.issued_tokens().pop().unwrap() + "\n"
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).run().status.success());
}

fn make_socket(path: &Path) {
    // The socket file stays after the listener is closed.
    UnixListener::bind(path).unwrap();
}

/// Creates a device like `/dev/zero`, if that is allowed.
fn make_device(path: &Path) {
    let mut mknod = Command::new("mknod");
    let output = mknod.arg(path).args(["c", "1", "5"]).run();
    if !output.status.success() {
        eprintln!("skipped: no devices of one's own");
    }
}

/// Replaces a file by something else.
type Break = fn(&Path);

#[test]
fn an_invalid_entry_is_replaced() {
    let breaks: &[(&str, Break)] = &[
        ("truncated", |path| {
            let whole = fs::read(path).unwrap();
            fs::write(path, &whole[..whole.len() - 1]).unwrap();
        }),
        ("empty", |path| fs::write(path, "").unwrap()),
        ("noise", |path| {
            let noise: Vec<u8> = (0..1000).map(|_| fastrand::u8(..)).collect();
            fs::write(path, noise).unwrap();
        }),
        ("half an object", |path| fs::write(path, "{").unwrap()),
        ("an empty object", |path| fs::write(path, "{}").unwrap()),
        ("null", |path| fs::write(path, "null").unwrap()),
        ("NUL characters", |path| {
            fs::write(path, "\0\0\0\0").unwrap();
        }),
        ("another user's ID", |path| {
            edit(path, |entry| entry["user_id"] = "1".into());
        }),
        ("50 MiB of blanks about it", |path| {
            let mut whole = fs::read(path).unwrap();
            whole.resize(LARGE, b' ');
            fs::write(path, whole).unwrap();
        }),
        ("open to others", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }),
        ("a link to it", |path| {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            symlink(elsewhere, path).unwrap();
        }),
        ("a link to nowhere", |path| {
            fs::remove_file(path).unwrap();
            symlink("nowhere", path).unwrap();
        }),
        ("a FIFO", |path| {
            fs::remove_file(path).unwrap();
            make_fifo(path);
        }),
        ("a socket", |path| {
            fs::remove_file(path).unwrap();
            make_socket(path);
        }),
        ("a device without end", |path| {
            fs::remove_file(path).unwrap();
            make_device(path);
        }),
    ];
    let world = World::new();
    for (what, break_it) in breaks {
        token(&world);
        let entry = only(&world.home);
        let minted = world.issuer.token_requests();
        break_it(&entry);
        let token_now = token(&world);
        assert_eq!(token_now, newest(&world), "{what}");
        assert_eq!(world.issuer.token_requests(), minted + 1, "{what}");
        assert_eq!(token(&world), token_now, "{what}: it is mended");
        assert!(!entry.with_file_name("nowhere").exists());
    }
}

#[test]
fn a_directory_in_place_of_an_entry_gives_a_warning_and_a_token() {
    let world = World::new();
    token(&world);
    let entry = only(&world.home);
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    for _ in 0..2 {
        assert_eq!(warned(&world, "token not cached"), newest(&world));
    }
}

#[test]
fn an_entry_of_another_grant_is_replaced() {
    let world = World::new();
    token(&world);
    let ours = only(&world.home);
    let copied_here = |other: &World, what: &str| {
        fs::copy(only(&other.home), &ours).unwrap();
        let minted = world.issuer.issued_tokens().len();
        assert_eq!(token(&world), newest(&world), "{what}");
        assert_eq!(world.issuer.issued_tokens().len(), minted + 1, "{what}");
    };
    // The entry is of another key and user of the same issuer.
    let other = World::with(world.issuer.clone());
    token(&other);
    copied_here(&other, "another key's");

    // The entry is of the same key at another issuer.
    let mut other = World::with(Issuer::start());
    other.issuer.register(&world.user);
    other.user = world.user.clone();
    other.home.write("key.json", world.user.key_json());
    token(&other);
    copied_here(&other, "another issuer's");

    // Only the scopes differ.
    let other = World::with(world.issuer.clone());
    other.home.write("key.json", world.user.key_json());
    silent(&other, &["token", "--scope", "profile"]);
    copied_here(&other, "other scopes'");
}

#[test]
fn an_entry_with_invalid_times_is_replaced() {
    let world = World::new();
    for (field, value) in [
        ("expires_at", Value::from(1)),
        ("expires_at", (-1).into()),
        ("obtained_at", u64::MAX.into()),
        ("expires_at", "soon".into()),
    ] {
        token(&world);
        edit(&only(&world.home), |entry| entry[field] = value.clone());
        let minted = world.issuer.token_requests();
        assert_eq!(token(&world), newest(&world), "{field}: {value}");
        assert_eq!(world.issuer.token_requests(), minted + 1);
    }
}

#[test]
fn an_invalid_lock_gives_one_warning_and_the_token_is_kept() {
    let breaks: &[(&str, Break)] = &[
        ("a FIFO", make_fifo),
        ("a socket", make_socket),
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a link to a file", |path| {
            let elsewhere = path.with_extension("elsewhere");
            fs::write(&elsewhere, "").unwrap();
            symlink(elsewhere, path).unwrap();
        }),
        ("a link to nowhere", |path| {
            symlink("nowhere", path).unwrap();
        }),
    ];
    for (what, break_it) in breaks {
        let world = World::new();
        token(&world);
        let lock = files(&world.home, "lock").remove(0);
        fs::remove_file(only(&world.home)).unwrap();
        fs::remove_file(&lock).unwrap();
        break_it(&lock);
        let why = format!("continuing without the lock {}", lock.display());
        let token_now = warned(&world, &why);
        assert_eq!(token_now, newest(&world), "{what}");
        assert_eq!(token(&world), token_now, "{what}: it is kept");
        assert!(!lock.with_file_name("nowhere").exists());
    }
}

#[test]
fn a_lock_file_may_have_any_content() {
    let world = World::new();
    token(&world);
    let lock = File::options();
    let lock = lock
        .clone()
        .write(true)
        .open(&files(&world.home, "lock")[0]);
    let lock = lock.unwrap();
    lock.write_all_at(&[0xff; 1000], 0).unwrap();
    lock.set_len(LARGE as u64).unwrap();
    silent(&world, &["token", "--refresh"]);
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn an_invalid_table_of_parents_is_silently_ignored() {
    let breaks: &[(&str, Break)] = &[
        ("noise", |path| {
            let noise: Vec<u8> = (0..10_000).map(|_| fastrand::u8(..)).collect();
            fs::write(path, noise).unwrap();
        }),
        ("torn", |path| fs::write(path, [0xff; 7]).unwrap()),
        ("50 MiB", |path| {
            File::create(path).unwrap().set_len(LARGE as u64).unwrap();
        }),
        ("a FIFO", make_fifo),
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a link to nowhere", |path| {
            symlink("nowhere", path).unwrap();
        }),
    ];
    for (what, break_it) in breaks {
        let world = World::new();
        let first = silent(&world, &["kubectl"]);
        let table = only(&world.home).with_extension("parents");
        fs::remove_file(&table).unwrap();
        break_it(&table);
        for _ in 0..2 {
            assert_eq!(silent(&world, &["kubectl"]), first, "{what}");
        }
        assert_eq!(world.issuer.token_requests(), 1, "{what}");
        assert!(!table.with_file_name("nowhere").exists());
    }
}

/// FUSE, some network file systems and some sandboxes do this.
#[test]
fn a_file_system_without_chmod_still_gets_cached_and_written_tokens() {
    let world = World::new();
    if crate::support::trace::watched(&world.home).is_none() {
        return;
    }
    let refusing = |words: &[&str], umask: &str| {
        let mut command = world.home.command("sh");
        let script = format!("umask {umask}; exec \"$@\"");
        command.args(["-c", &script, "sh", "strace", "-f", "-o", "calls"]);
        command.args(["-e", "trace=/chmod|getrlimit|prlimit64"]);
        command.args(["-e", "inject=/chmod|getrlimit|prlimit64:error=EPERM"]);
        command.arg(binary()).args(words);
        let output = Running::start(command).output_within(AT_ONCE);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    };
    refusing(&["kubectl"], "022");
    assert_eq!(world.issuer.token_requests(), 1);
    let parents = files(&world.home, "parents");
    assert_eq!((files(&world.home, "json").len(), parents.len()), (1, 1));
    for command in [["token"].as_slice(), &["agent", "--once"]] {
        let words = [command, &["--write", "written"]].concat();
        refusing(&words, "000");
        let written = world.home.path().join("written");
        assert_eq!(
            fs::metadata(&written).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::remove_file(written).unwrap();
    }
    let profile = [
        "setup",
        "profile",
        "two",
        "--key-file",
        "key.json",
        "--issuer",
    ];
    let issuer = world.issuer.url();
    refusing(&[&profile[..], &[&issuer]].concat(), "077");
    assert!(
        world
            .home
            .read(".config/zitadel-credential/config.toml")
            .contains("two")
    );
    // A setup tests its key with a separate token.
    assert_eq!(world.issuer.token_requests(), 2);
}
