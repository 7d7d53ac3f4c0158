//! `--mode` and `--group`: a token file for readers of other users.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use predicates::str::contains;
use rustix::process::Signal;
use snapbox::str;

use crate::support::machine::{NOBODY, is_root_or_skipped};
use crate::support::patience::{patient, renewed_in_time};
use crate::support::{Case, Run, Running, World, binary, trace, until};

fn status(path: &Path) -> (u32, u32, u32) {
    let meta = fs::metadata(path).unwrap();
    (meta.uid(), meta.gid(), meta.mode() & 0o7777)
}

/// Returns a group of `/etc/group` that is not the first.
fn group() -> (String, u32) {
    let list = fs::read_to_string("/etc/group").unwrap();
    let line = list.lines().nth(3).unwrap();
    let mut fields = line.split(':');
    let name = fields.next().unwrap().to_owned();
    (name, fields.nth(1).unwrap().parse().unwrap())
}

#[test]
fn the_mode_does_not_depend_on_the_umask() {
    let world = World::new();
    let file = world.home.path().join("token");
    for (mode, bits) in [
        ("0640", 0o640),
        ("600", 0o600),
        ("0400", 0o400),
        ("0440", 0o440),
        ("0644", 0o644),
    ] {
        for words in ["token --write token", "agent --once --write token"] {
            for umask in ["077", "000", "777"] {
                let mut command = world.home.command("sh");
                let script = "umask $1; shift; exec \"$@\"";
                command.args(["-c", script, "sh", umask]).arg(binary());
                command.args(words.split(' ')).args(["--mode", mode]);
                let output = command.run();
                assert!(output.status.success(), "{output:?}");
                assert_eq!(status(&file).2, bits, "{words} {umask}");
            }
        }
    }
    // Without the option, a file is private again, whatever its mode was.
    world
        .zitadel(["token", "--write", "token"])
        .assert()
        .success();
    assert_eq!(status(&file).2, 0o600);
}

#[test]
fn a_group_is_given_by_name_or_number() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let file = world.home.path().join("token");
    let (name, id) = group();
    for words in ["token --write token", "agent --once --write token"] {
        for (group, id) in [(&*name, id), (&id.to_string(), id), ("54321", 54321)] {
            let words = words.split(' ').chain(["--mode", "0640", "--group", group]);
            world
                .zitadel(words)
                .assert()
                .success()
                .stdout("")
                .stderr("");
            let token = fs::read_to_string(&file).unwrap();
            assert!(world.issuer.accepts(&token));
            assert_eq!(status(&file), (0, id, 0o640));
        }
    }
}

#[test]
fn a_reader_of_the_group_reads_it_and_nobody_else() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let shared = tempfile::tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    fs::set_permissions(shared.path(), mode).unwrap();
    let file = shared.path().join("token");
    let text = file.to_str().unwrap();
    let (name, id) = group();
    let words = [
        "agent", "--once", "--mode", "0640", "--group", &name, "--write", text,
    ];
    world.zitadel(words).assert().success();
    let reads = |groups: &str| {
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([&user, &group, groups]);
        command.args(["cat", text]).run().status.success()
    };
    assert!(reads(&format!("--groups={id}")));
    assert!(!reads("--clear-groups"));
}

#[test]
fn it_never_has_another_group_or_a_wider_mode() {
    let world = World::new();
    if trace::is_missing() || !is_root_or_skipped() {
        return;
    }
    fs::create_dir(world.home.path().join("run")).unwrap();
    let (name, id) = group();
    for _ in 0..2 {
        let mut command = world.home.command("strace");
        command.args(["-f", "-qq", "-o", "calls", "-e"]);
        command.arg("trace=openat,fchown,fchmod,chmod,chown,write,renameat,renameat2,rename");
        command.arg(binary()).args(["agent", "--once", "--refresh"]);
        command.args(["--write", "run/token", "--mode", "0640", "--group", &name]);
        assert!(command.run().status.success());
        let calls = world.home.read("calls");
        let mut calls = calls
            .lines()
            .map(|line| line.split_once(' ').unwrap().1.trim());
        // The file has its final mode and group before the name points to it.
        let opened = calls.find(|call| call.contains("\".zitadel-credential-"));
        let opened = opened.unwrap();
        assert!(
            opened.contains("O_EXCL") && opened.contains("0600"),
            "{opened}"
        );
        let fd = opened.rsplit(' ').next().unwrap();
        let begins = |call: &str| calls.clone().position(|other| other.starts_with(call));
        let group = begins(&format!("fchown({fd}, -1, {id})")).unwrap();
        let mode = begins(&format!("fchmod({fd}, 0640)")).unwrap();
        let renamed = begins("rename").unwrap();
        assert!(group < mode && mode < renamed);
        assert_eq!(status(&world.home.path().join("run/token")), (0, id, 0o640));
    }
}

#[test]
fn a_group_that_we_may_not_set_is_named_and_nothing_is_left() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let (name, id) = group();
    let run = world.home.path().join("run");
    fs::create_dir(&run).unwrap();
    let reachable = world.home.path().join("zitadel-credential");
    // Another process makes the copy: a child of this one, forked meanwhile, would keep
    // it open.
    let mut copy = Command::new("cp");
    assert!(copy.arg(binary()).arg(&reachable).run().status.success());
    let mut command = Command::new("chown");
    command.args(["-R", "nobody"]).arg(world.home.path());
    assert!(command.run().status.success());
    let as_nobody = |groups: &str, words: &str| {
        let mut command = world.home.command("setpriv");
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([&user, &group, groups]).arg(&reachable);
        let words = words.split(' ').chain(["--group", &name, "--mode", "0640"]);
        command.args(words).run()
    };
    for words in [
        "token --write run/token",
        "agent --once --write run/token",
        "agent --write run/token",
    ] {
        let output = as_nobody("--clear-groups", words);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let why = "run/token: token not written: this user is not a member of its group";
        assert!(stderr.contains(why), "{stderr}");
        assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
    }
    let output = as_nobody(&format!("--groups={id}"), "token --write run/token");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(status(&run.join("token")), (NOBODY, id, 0o640));
}

#[test]
fn an_agent_gives_a_changed_file_its_mode_and_group_again() {
    patient(|| {
        if !is_root_or_skipped() {
            return;
        }
        let world = World::new();
        // A renewal is due every half minute, so that the agent checks the file again.
        world.issuer.set_lifetime(4);
        let file = world.home.path().join("token");
        let (name, id) = group();
        let mut command = world.home.command(binary());
        command.args([
            "agent", "--write", "token", "--mode", "0640", "--group", &name,
        ]);
        let running = Running::start(command);
        until("it is written", || file.exists());
        for change in [
            |file: &Path| chown(file, None, Some(NOBODY)).unwrap(),
            |file: &Path| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
                fs::set_permissions(file, mode).unwrap();
            },
        ] {
            change(&file);
            until("it is as before", || status(&file) == (0, id, 0o640));
        }
        running.signal(Signal::TERM);
        let output = running.output_within(Duration::from_secs(10));
        let told = String::from_utf8(output.stderr).unwrap();
        renewed_in_time(&told);
        assert!(output.status.success() && told.is_empty(), "{told}");
    });
}

#[test]
fn an_invalid_mode_or_group_fails_before_any_request() {
    let case = Case::new();
    case.run(["token", "--write", "t", "--mode", "0660"])
        .fails(2, str![[r#"
zitadel-credential: error: invalid value '0660' for '--mode <MODE>': only the owner may write to a token file
  hint: run zitadel-credential token -h for the options

"#]]);
    case.run(["agent", "--write", "t", "--mode", "4640"])
        .fails(2, str![[r#"
zitadel-credential: error: invalid value '4640' for '--mode <MODE>': give only permissions to read and to write, such as 0640
  hint: run zitadel-credential agent -h for the options

"#]]);
    case.run(["agent", "--write", "t", "--mode", "rw-r-----"])
        .fails(2, str![[r#"
zitadel-credential: error: invalid value 'rw-r-----' for '--mode <MODE>': give an octal number, such as 0640
  hint: run zitadel-credential agent -h for the options

"#]]);
    case.run(["agent", "--write", "t", "--mode", "0040"])
        .fails(2, str![[r#"
zitadel-credential: error: invalid value '0040' for '--mode <MODE>': the owner must be able to read the token file
  hint: run zitadel-credential agent -h for the options

"#]]);
    case.run([
        "agent",
        "--write",
        "t",
        "--mode",
        "0640",
        "--group",
        "none-such",
    ])
    .fails(
        2,
        str![[r#"
zitadel-credential: error: --group none-such: no such group
  hint: name a group of /etc/group, or give its number

"#]],
    );
    case.run([
        "token",
        "--write",
        "t",
        "--mode",
        "0640",
        "--group",
        "4294967295",
    ])
    .fails(
        2,
        str![[r#"
zitadel-credential: error: --group 4294967295: no such group
  hint: name a group of /etc/group, or give its number

"#]],
    );
    case.run(["token", "--write", "t", "--group", "adm"]).fails(
        2,
        str![[r#"
zitadel-credential: error: missing argument --mode <MODE>
  hint: usage: zitadel-credential token --write <FILE> --mode <MODE> --group <NAME>
  hint: run zitadel-credential token -h for the options

"#]],
    );
    case.run(["token", "--mode", "0640"]).fails(
        2,
        str![[r#"
zitadel-credential: error: missing argument --write <FILE>
  hint: usage: zitadel-credential token --write <FILE> --mode <MODE>
  hint: run zitadel-credential token -h for the options

"#]],
    );
    assert_eq!(case.requests(), 0);
    assert!(!case.world.home.path().join("t").exists());
}

#[test]
fn a_directory_that_others_can_write_to_gets_no_token_for_a_group_either() {
    let world = World::new();
    let dir = world.home.path().join("dir");
    fs::create_dir(&dir).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o770);
    fs::set_permissions(&dir, mode).unwrap();
    for words in ["token --write dir/t", "agent --once --write dir/t"] {
        let words = words.split(' ').chain(["--mode", "0640"]);
        let refusal = world.zitadel(words).assert().code(1);
        refusal.stderr(contains("other users can write to its directory"));
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}
