//! `agent --check FILE`: checks a token file by the note beside it.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use predicates::str::contains;
use rustix::process::Signal;
use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::str;

use crate::support::issuer::Version;
use crate::support::machine::{NOBODY, is_root_or_skipped};
use crate::support::patience::{patient, renewed_in_time};
use crate::support::{Case, Endpoint, Fault, Run, Running, Times, World, binary, trace, until};

const NOTE: &str = ".token.zitadel-credential.json";

fn write(world: &World) {
    world
        .zitadel(["agent", "--once", "--write", "token"])
        .assert()
        .success();
}

fn check(world: &World) -> bool {
    let output = world.zitadel(["agent", "--check", "token"]).run();
    assert!(output.stdout.is_empty());
    assert_eq!(
        output.status.success(),
        output.stderr.is_empty(),
        "{output:?}"
    );
    output.status.success()
}

fn note(world: &World) -> Value {
    serde_json::from_str(&world.home.read(NOTE)).unwrap()
}

/// Changes the expiry in the agent's note.
fn expires_at(world: &World, expiry: impl Into<Value>) {
    let mut note = note(world);
    note["tokens"][0]["expires_at"] = expiry.into();
    world.home.write(NOTE, note.to_string());
}

#[test]
fn an_opaque_token_or_jwt_is_valid_until_it_expires() {
    for version in Version::RECORDED {
        let world = World::new();
        world.issuer.set_version(version);
        write(&world);
        assert!(check(&world));
        let said = world.zitadel(["agent", "--check", "token", "-v"]).assert();
        said.success()
            .stderr(contains("token: the token is valid until 20"));
        expires_at(&world, "2026-01-01T00:00:00Z");
        assert!(!check(&world));
        expires_at(&world, "2999-01-01T00:00:00Z");
        assert!(check(&world));
    }
}

#[test]
fn a_token_of_an_unknown_lifetime_is_good() {
    let world = World::new();
    let without = |answer: &mut Value| {
        answer.as_object_mut().unwrap().remove("expires_in");
    };
    world
        .issuer
        .fault(Endpoint::Token, Fault::edit(without), Times::Forever);
    write(&world);
    assert_eq!(note(&world)["tokens"][0]["expires_at"], Value::Null);
    let said = world.zitadel(["agent", "--check", "token", "-v"]).assert();
    said.success().stderr(contains("no known expiry"));
}

#[test]
fn the_check_needs_no_configuration_no_key_and_no_network() {
    let world = World::new();
    write(&world);
    let requests = world.issuer.total_requests();
    world.home.write_config("not = [valid");
    fs::remove_file(&world.key_file).unwrap();
    assert!(check(&world));
    let Some(mut command) = trace::watched(&world.home) else {
        return;
    };
    command.arg(binary()).args(["agent", "--check", "token"]);
    let calls = trace::Seen::of(&world.home, command, b"");
    assert_eq!(calls.on_sockets(), [""; 0]);
    assert_eq!(calls.on(&world.home.config_path()), [""; 0]);
    assert_eq!(world.issuer.total_requests(), requests);
}

#[test]
fn the_note_has_the_tokens_digest_and_the_mode_of_its_file() {
    let world = World::new();
    for (mode, bits) in [("0600", 0o600), ("0640", 0o640), ("0644", 0o644)] {
        let words = ["agent", "--once", "--write", "token", "--mode", mode];
        world.zitadel(words).assert().success();
        let meta = fs::metadata(world.home.path().join(NOTE)).unwrap();
        assert_eq!(meta.mode() & 0o7777, bits);
    }
    let note = note(&world);
    let expected = json!({
        "version": 1,
        "tokens": [{
            "sha256": note["tokens"][0]["sha256"],
            "expires_at": note["tokens"][0]["expires_at"],
        }],
    });
    assert_eq!(note, expected);
    let mut digest = world.home.command("sha256sum");
    let digest = String::from_utf8(digest.arg("token").run().stdout).unwrap();
    let digest = digest.split(' ').next().unwrap();
    assert_eq!(note["tokens"][0]["sha256"], digest);
    assert!(!note.to_string().contains(&world.home.read("token")));
}

#[test]
fn the_check_never_fails_during_a_renewal() {
    let world = World::new();
    write(&world);
    let mut command = world.home.command("sh");
    let script = "while \"$ZITADEL\" agent --once --refresh --write token; do :; done";
    command.args(["-c", script]).env("ZITADEL", binary());
    let renewing = Running::start(command);
    let asked = world.issuer.token_requests();
    while world.issuer.token_requests() < asked + 10 {
        assert!(check(&world));
    }
    drop(renewing);
}

#[test]
fn a_killed_agent_leaves_a_token_with_its_note() {
    let world = World::new();
    write(&world);
    let Some(_) = trace::watched(&world.home) else {
        return;
    };
    // The kill is before the replacement of each of the two files, and before any write.
    for call in 1..=3 {
        let mut command = world.home.command("strace");
        command.args(["-f", "-o", "/dev/null", "-e", "trace=renameat"]);
        command.args(["-e", &format!("inject=renameat:signal=KILL:when={call}")]);
        command.arg(binary());
        command.args(["agent", "--once", "--no-cache", "--write", "token"]);
        command.run();
        assert!(check(&world), "{call}");
    }
}

#[test]
fn a_removed_or_damaged_note_is_written_again() {
    patient(|| {
        let world = World::new();
        world.issuer.set_lifetime(4);
        let mut command = world.home.command(binary());
        command.args(["agent", "--write", "token"]);
        let running = Running::start(command);
        let note = world.home.path().join(NOTE);
        until("it is written", || note.exists());
        fs::remove_file(&note).unwrap();
        until("it is there again", || check(&world));
        world.home.write(NOTE, "[]");
        until("it is good again", || check(&world));
        running.signal(Signal::TERM);
        let told = String::from_utf8(running.output().stderr).unwrap();
        renewed_in_time(&told);
        assert_eq!(told, "");
    });
}

#[test]
fn an_unwritable_note_gives_one_warning() {
    let world = World::new();
    fs::create_dir(world.home.path().join(NOTE)).unwrap();
    let written = world
        .zitadel(["agent", "--once", "--write", "token"])
        .assert();
    written.success().stderr(contains(
        "zitadel-credential: warning: token: the token's expiry is not noted beside it: ",
    ));
    assert!(world.issuer.accepts(&world.home.read("token")));
    assert!(!check(&world));
}

#[test]
fn a_link_is_followed_to_the_file_and_its_note() {
    let world = World::new();
    let run = world.home.path().join("run");
    fs::create_dir(&run).unwrap();
    symlink("run/real", world.home.path().join("token")).unwrap();
    write(&world);
    assert!(run.join(".real.zitadel-credential.json").exists());
    assert!(check(&world));
    let real = world.zitadel(["agent", "--check", "run/real"]).assert();
    real.success();
}

#[test]
fn a_reader_of_the_group_checks_it_too() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let shared = tempfile::tempdir().unwrap();
    fs::set_permissions(shared.path(), Permissions::from_mode(0o711)).unwrap();
    let file = shared.path().join("token");
    let text = file.to_str().unwrap();
    let reachable: PathBuf = shared.path().join("zitadel-credential");
    // Another process makes the copy: a child of this one, forked meanwhile, would keep
    // it open.
    let mut copy = std::process::Command::new("cp");
    assert!(copy.arg(binary()).arg(&reachable).run().status.success());
    let words = ["--mode", "0640", "--group", "4", "--write", text];
    let once = world.zitadel([&["agent", "--once"], &words[..]].concat());
    { once }.assert().success();
    let checked = |groups: &str| {
        let mut command = world.home.command("setpriv");
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([&user, &group, groups]).arg(&reachable);
        command.args(["agent", "--check", text]).current_dir("/");
        command.run().status.code()
    };
    assert_eq!(checked("--groups=4"), Some(0));
    assert_eq!(checked("--clear-groups"), Some(1));
}

#[test]
fn the_check_says_why_a_file_is_invalid() {
    let case = Case::new();
    let world = &case.world;
    let fails = |stderr: Inline| {
        case.run(["agent", "--check", "token"]).fails(1, stderr);
    };
    fails(str![[r#"
zitadel-credential: error: token: no such file or directory
  hint: let zitadel-credential agent --write keep this file, and see its log

"#]]);
    world
        .zitadel(["token", "--write", "token"])
        .assert()
        .success();
    fails(str![[r#"
zitadel-credential: error: token: there is no note of its expiry beside it
  hint: let zitadel-credential agent --write keep this file, and see its log

"#]]);
    write(world);
    world.home.write(NOTE, r#"{"version":2,"tokens":[]}"#);
    fails(str![[r#"
zitadel-credential: error: token: the note of its expiry is malformed, or of another version
  hint: let zitadel-credential agent --write keep this file, and see its log

"#]]);
    write(world);
    world.home.write("token", "another");
    fails(str![[r#"
zitadel-credential: error: token: its token was not written by the agent
  hint: find the other program that writes to it; a running agent rewrites it within a minute

"#]]);
    write(world);
    expires_at(world, "tomorrow");
    fails(str![[r#"
zitadel-credential: error: token: the note of its expiry is malformed
  hint: let zitadel-credential agent --write keep this file, and see its log

"#]]);
    fs::remove_file(world.home.path().join("token")).unwrap();
    fs::create_dir(world.home.path().join("token")).unwrap();
    fails(str![[r#"
zitadel-credential: error: token: not a regular file
  hint: let zitadel-credential agent --write keep this file, and see its log

"#]]);
    case.run(["agent", "--check", "token", "--write", "token"])
        .fails(
            2,
            str![[r#"
zitadel-credential: error: the argument '--check <FILE>' cannot be used with '--write <FILE>'
  hint: usage: zitadel-credential agent --check <FILE>
  hint: run zitadel-credential agent -h for the options

"#]],
        );
    case.run(["agent", "--check", "token", "--mode", "0640"])
        .fails(
            2,
            str![[r#"
zitadel-credential: error: the argument '--check <FILE>' cannot be used with '--mode <MODE>'
  hint: usage: zitadel-credential agent --check <FILE>
  hint: run zitadel-credential agent -h for the options

"#]],
        );
}

#[test]
fn several_files_must_all_be_good() {
    let world = World::new();
    write(&world);
    let both = |other: &str| {
        let words = ["agent", "--check", "token", "--check", other];
        world.zitadel(words).run().status.code()
    };
    assert_eq!([both("token"), both("other")], [Some(0), Some(1)]);
}

#[test]
fn no_token_is_written_over_a_note() {
    let world = World::new();
    write(&world);
    for words in ["token --write", "agent --once --write"] {
        let refusal = world.zitadel(words.split(' ').chain([NOTE])).assert();
        refusal
            .code(2)
            .stderr(contains("the token would replace an agent's note"));
    }
}
