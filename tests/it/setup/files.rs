//! How the files are changed, whatever happens meanwhile.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use super::{BACKUP, CONFIG, Desk, JOURNAL, PROFILE};
use crate::support::issuer::TokenKind;
use crate::support::machine::behind_mounts;
use crate::support::{Running, binary, until};

const LOGINS: &str = ".docker/config.json";

/// What falls as it may in a temporary file's name.
const LEFT: &str = "0123456789abcdefghijKLMNOPQRSTUV";

pub(super) fn desk() -> Desk {
    let desk = Desk::with_config(PROFILE);
    desk.home.write(LOGINS, "{}");
    desk.home.link("docker-credential-zitadel");
    desk
}

/// A program in `bin` that says where it is and hangs.
fn hanging(desk: &Desk, name: &str) {
    let script = "#!/bin/sh\ntouch \"$HOME/hangs\"\nsleep 60 &\necho $! > \"$HOME/child\"\nwait\n";
    let program = desk.home.write(format!("bin/{name}"), script);
    fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
}

pub(super) fn start(desk: &Desk, words: &str) -> Running {
    let mut command = desk.home.command(binary());
    command.arg("setup").args(words.split(' '));
    command.env("PATH", desk.home.path_with_bin());
    Running::start(command)
}

/// Ctrl-C, while git or kubectl hangs.
#[test]
fn a_signal_leaves_nothing_that_is_in_the_next_ones_way() {
    for (tool, words) in [("git", "git g.dev"), ("kubectl", "kubectl --user u")] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let desk = desk();
            hanging(&desk, tool);
            let before = desk.files();
            let running = start(&desk, words);
            let child = desk.path().join("child");
            until("the tool hangs", || {
                fs::read_to_string(&child).is_ok_and(|pid| pid.ends_with('\n'))
            });
            running.signal(signal);
            assert_eq!(running.output().status.signal(), Some(signal.as_raw()));
            end(&desk);
            let mut after = desk.files();
            after.retain(|name, _| !["hangs", "child"].contains(&name.as_str()));
            assert_eq!(after, before);
            desk.done("docker r.dev");
        }
    }
}

/// git hangs on its copy of the file: that goes too.
#[test]
fn a_signal_leaves_no_working_copy() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let desk = desk();
        let script = "#!/bin/sh\n[ \"$4\" = --add ] || exit 1\ntouch \"$3.lock\"\nsleep 60 &\n\
                      echo $! > \"$HOME/child\"\nwait\n";
        let program = desk.home.write("bin/git", script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        desk.home.write(".gitconfig", "[user]\n\tname = x\n");
        let before = desk.files();
        let running = start(&desk, "git g.dev");
        let child = desk.path().join("child");
        until("git hangs", || {
            fs::read_to_string(&child).is_ok_and(|pid| pid.ends_with('\n'))
        });
        let copies = |desk: &Desk| {
            let files = desk.files();
            files.keys().filter(|name| name.contains("/copy")).count()
        };
        assert_eq!(copies(&desk), 2, "it and its lock");
        running.signal(signal);
        assert_eq!(running.output().status.signal(), Some(signal.as_raw()));
        end(&desk);
        let mut after = desk.files();
        after.remove("child");
        assert_eq!(after, before);
    }
}

/// Ends what the hanging program started.
fn end(desk: &Desk) {
    let pid = desk.home.read("child").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}

#[test]
fn a_tool_that_hangs_is_ended_with_what_it_started() {
    let desk = desk();
    hanging(&desk, "git");
    let output = start(&desk, "git g.dev --timeout 1").output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bin/git: not complete within 1 s"), "{said}");
    let pid = desk.home.read("child");
    let stat = format!("/proc/{}/stat", pid.trim());
    until("its child ends", || {
        // What nobody waits for stays as a zombie.
        fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
}

/// It leaves its own lock file, of a copy that nobody else knows.
#[test]
fn a_tool_that_hangs_leaves_nothing_beside_the_file() {
    let desk = desk();
    let script = "#!/bin/sh\n[ \"$4\" = --add ] || exit 1\ntouch \"$3.lock\" \"$HOME/hangs\"\nexec sleep 60\n";
    let program = desk.home.write("bin/git", script);
    fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
    let before = desk.files();
    let output = start(&desk, "git g.dev --timeout 1").output();
    assert_eq!(output.status.code(), Some(1));
    let mut after = desk.files();
    assert!(after.remove("hangs").is_some());
    assert_eq!(after, before);
}

#[test]
fn setups_at_once_all_come_to_be() {
    let desk = desk();
    let hosts: Vec<_> = (0..8).map(|n| format!("r{n}.dev")).collect();
    thread::scope(|scope| {
        for host in &hosts {
            let words = format!("docker {host}");
            let desk = &desk;
            scope.spawn(move || desk.done(&words));
        }
    });
    for file in [LOGINS, CONFIG, JOURNAL] {
        let text = desk.home.read(file);
        for host in &hosts {
            assert!(text.contains(host), "{file}: {text}");
        }
    }
    for host in &hosts {
        desk.done(&format!("docker {host} --undo"));
    }
    assert_eq!(desk.home.read(LOGINS), "{}");
    assert!(!desk.exists(JOURNAL));
}

#[test]
fn another_setup_is_waited_for_and_then_left() {
    let desk = desk();
    let dir = desk.path().join(CONFIG);
    let dir = File::open(dir.parent().unwrap()).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    let said = desk.refused(75, "docker r.dev --timeout 1");
    assert!(said.contains("another setup is under way"), "{said}");
    desk.done("docker r.dev --dry-run");
    drop(dir);
    desk.done("docker r.dev");
}

/// By another config file, whose directory is another.
#[test]
fn another_setup_of_the_same_file_is_waited_for_too() {
    let desk = desk();
    let dir = File::open(desk.path().join(".docker")).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    let said = desk.refused(75, "docker r.dev --timeout 1");
    assert!(
        said.contains(".docker: another setup is under way"),
        "{said}"
    );
    desk.done("docker r.dev --dry-run");
    drop(dir);
    desk.done("docker r.dev");
    // Not for itself.
    desk.done("docker r.dev --authfile .config/zitadel-credential/auth.json");
}

#[test]
fn setups_at_once_by_several_config_files_all_come_to_be() {
    let desk = desk();
    let config = desk.home.read(CONFIG);
    let hosts: Vec<_> = (0..8).map(|n| format!("h{n}.dev")).collect();
    let started = hosts.iter().map(|host| {
        desk.home.write(format!("{host}/config.toml"), &config);
        start(&desk, &format!("docker {host} --config {host}/config.toml"))
    });
    for running in started.collect::<Vec<_>>() {
        let output = running.output();
        assert!(output.status.success(), "{output:?}");
    }
    let text = desk.home.read(LOGINS);
    for host in &hosts {
        assert!(text.contains(host), "{text}");
    }
}

/// Both have their rules in it, and one list of helpers.
#[test]
fn two_config_files_in_one_directory_are_both_undone() {
    let desk = desk();
    let other = ".config/zitadel-credential/other.toml";
    desk.home.write(other, desk.home.read(CONFIG));
    let before = desk.files();
    let of_other = format!("--config {other}");
    for [first, second] in [["", &*of_other], [&*of_other, ""]] {
        desk.done("docker r.dev");
        desk.done(&format!("docker r.dev s.dev {of_other}"));
        desk.done(format!("docker r.dev --undo {first}").trim_end());
        assert!(desk.home.read(LOGINS).contains("r.dev"));
        desk.done(format!("docker r.dev --undo {second}").trim_end());
        assert!(!desk.home.read(LOGINS).contains("r.dev"));
        desk.done(&format!("docker s.dev --undo {of_other}"));
        assert_eq!(desk.files(), before);
    }
}

/// As a setup leaves it that is killed between `setup.json` and the files.
#[test]
fn what_a_killed_setup_did_not_reach_is_nothing_to_undo() {
    let desk = desk();
    desk.home.append_config("# mine\n");
    let before = desk.files();
    let [config, logins] = [CONFIG, LOGINS].map(|file| desk.home.read(file));
    desk.done("docker r.dev");
    desk.home.write_config(&config);
    desk.home.write(LOGINS, &logins);
    let said = desk.done("docker r.dev --undo");
    assert!(!said.contains("changed since"), "{said}");
    assert_eq!(desk.files(), before);
    // A second one, over the first, which stays.
    desk.done("docker r.dev");
    let [config, logins] = [CONFIG, LOGINS].map(|file| desk.home.read(file));
    desk.done("docker s.dev");
    desk.home.write_config(&config);
    desk.home.write(LOGINS, &logins);
    for host in ["s.dev", "r.dev"] {
        let said = desk.done(&format!("docker {host} --undo"));
        assert!(!said.contains("changed since"), "{said}");
    }
    assert_eq!(desk.files(), before);
}

/// As a container has single files: nothing can be renamed to them.
#[test]
fn a_file_that_is_mounted_is_written_in_place() {
    let desk = desk();
    let theirs = "{\n\t\"auths\": {}\n}\n";
    desk.home.write(LOGINS, "{}");
    desk.home.write("outside", theirs);
    let before = desk.files();
    let script = format!("mount --bind \"$HOME/outside\" \"$HOME/{LOGINS}\"\n\"$@\"\n");
    for (words, is_in) in [("docker r.dev", true), ("docker r.dev --undo", false)] {
        let Some(mut command) = behind_mounts(&desk.home, &script) else {
            return;
        };
        command.arg(binary()).arg("setup").args(words.split(' '));
        let output = Running::start(command).output();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(desk.home.read("outside").contains("r.dev"), is_in);
        assert_eq!(desk.home.read(LOGINS), "{}", "it lies below the mount");
    }
    assert_eq!(desk.files(), before);
}

#[test]
fn other_names_of_a_file_are_told_of() {
    let desk = desk();
    fs::hard_link(desk.path().join(LOGINS), desk.path().join("other")).unwrap();
    let line = "config.json has other names (hard links): they may keep what the file was\n";
    let said = desk.done("docker r.dev --dry-run");
    assert!(said.contains(line), "{said}");
    let said = desk.done("docker r.dev");
    assert!(said.contains(line), "{said}");
    assert_eq!(desk.home.read("other"), "{}");
}

#[test]
fn a_backup_of_a_former_round_is_replaced() {
    let desk = desk();
    let backup = format!("{LOGINS}{BACKUP}");
    desk.home.write(&backup, "former");
    for round in 0..3 {
        let logins = format!("{{\"a\": {round}}}");
        desk.home.write(LOGINS, &logins);
        desk.done("docker r.dev");
        assert_eq!(desk.home.read(&backup), logins);
        let theirs = desk.home.read(LOGINS).replace("\"a\"", "\"b\"");
        desk.home.write(LOGINS, theirs);
        let said = desk.done("docker r.dev --undo");
        assert!(said.contains(&format!("{BACKUP} stays")), "{said}");
    }
    let files = desk.files();
    let backups = files.keys().filter(|name| name.contains(BACKUP));
    assert_eq!(backups.collect::<Vec<_>>(), [&backup]);
}

/// A disk that is full as soon as it comes to `setup.json`.
#[test]
fn a_setup_that_fails_leaves_no_backup() {
    let desk = desk();
    let mut command = desk.home.command("sh");
    // In blocks of 512 bytes.
    command
        .args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(binary())
        .args(["setup", "docker", "r.dev"]);
    let before = desk.files();
    let output = Running::start(command).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("setup.json: cannot write: file too large"),
        "{said}"
    );
    assert_eq!(desk.files(), before);
}

#[test]
fn what_setup_remembers_is_believed_only_where_setup_could_have_written_it() {
    let desk = desk();
    desk.done("docker r.dev");
    let journal = desk.home.read(JOURNAL);
    for (from, to) in [
        ("\"hosts\"", "\"profiles\""),
        ("config.toml\",", "../other.toml\","),
        ("\"ours\": \"zitadel\"", "\"ours\": \"other\""),
        ("\"copy\": 1", "\"copy\": 0"),
    ] {
        assert!(journal.contains(from), "{journal}");
        desk.home.write(JOURNAL, journal.replace(from, to));
        let said = desk.refused(2, "docker r.dev --undo");
        assert!(said.contains("invalid setup journal"), "{said}");
    }
    // Of another config file in the same directory.
    desk.home
        .write(JOURNAL, journal.replace("config.toml\",", "other.toml\","));
    let said = desk.refused(2, "docker r.dev --undo");
    assert!(
        said.contains("hosts.r.dev was put into another config file"),
        "{said}"
    );
    desk.home.write(JOURNAL, journal);
    desk.done("docker r.dev --undo");
}

#[test]
fn what_setup_could_not_remember_is_refused() {
    let desk = desk();
    for (authfile, why) in [
        ("a/../b.json", "~/a/../b.json is no plain absolute path"),
        ("a\tb.json", "~/a\\tb.json is no plain absolute path"),
    ] {
        let said = desk.refused(2, &format!("docker r.dev --authfile {authfile}"));
        assert!(
            said.contains("setup.json: this setup cannot be recorded: "),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
    }
    // A directory above that is not there yet, by whichever way.
    let before = desk.files();
    desk.done("docker r.dev --authfile .docker/../new/b.json");
    desk.done("docker r.dev --authfile new/b.json --undo");
    let mut after = desk.files();
    after.remove("new");
    assert_eq!(after, before);
}

#[test]
fn a_token_in_a_names_place_is_refused_and_not_shown() {
    let desk = desk();
    for kind in [TokenKind::Jwt, TokenKind::Opaque] {
        desk.issuer.set_token_kind(kind);
        let output = desk.home.zitadel(["token", "--refresh"]).run();
        let token = String::from_utf8(output.stdout).unwrap();
        for words in [
            "profile TOKEN --issuer ISSUER --key-file key.json",
            "profile new --issuer https://TOKEN --key-file key.json",
            "profile new --issuer ISSUER --key-file key.json --key-id TOKEN --user-id 1",
            "profile new --issuer ISSUER --key-file key.json --key-id 1 --user-id TOKEN",
            "kubectl --user TOKEN",
            "kubectl --user u --context TOKEN",
            "git TOKEN",
            "git g.dev --username TOKEN",
            "docker r.dev TOKEN",
            "docker r.dev --username TOKEN",
            "docker r.dev --profile TOKEN",
            "cargo TOKEN",
            "cargo c.dev --registry TOKEN",
            "cargo c.dev --registry r --index sparse+https://c.dev/TOKEN/",
            "go TOKEN",
        ] {
            let said = desk.refused(2, &words.replace("TOKEN", token.trim_end()));
            assert!(said.contains("looks like a key or a token"), "{said}");
            assert!(!token.split('.').any(|part| said.contains(part)), "{said}");
        }
    }
    // As cloud providers call theirs.
    desk.done("docker 123456789012.dkr.ecr.eu-central-1.amazonaws.com --username gke_acme-prod-1_europe-west1-b_build-cluster");
}

#[test]
fn no_file_is_made_too_large_to_be_read_again() {
    let desk = desk();
    let config = desk.home.read(CONFIG);
    let comment = "#".repeat(1024 * 1024 - config.len());
    desk.home.write_config(&format!("{config}{comment}"));
    let said = desk.refused(2, "docker r.dev");
    assert!(said.contains("config.toml: larger than 1048576"), "{said}");
    desk.home.write_config(&config);
    let text = "x".repeat(4 * 1024 * 1024 - "{\"a\":\"\"}".len());
    desk.home.write(LOGINS, format!("{{\"a\":\"{text}\"}}"));
    let said = desk.refused(2, "docker r.dev");
    assert!(said.contains("config.json: larger than 4194304"), "{said}");
    desk.home.write(LOGINS, "{}");
    desk.done("docker r.dev");
}

#[test]
fn a_home_behind_a_link_is_the_home_itself() {
    let desk = desk();
    fs::remove_dir_all(desk.path().join(".docker")).unwrap();
    let link = desk.path().join("link");
    symlink(".", &link).unwrap();
    let by_link = |words: &str| {
        let mut command = desk.home.zitadel(["setup"]);
        let output = command.args(words.split(' ')).env("HOME", &link).run();
        String::from_utf8(output.stdout).unwrap()
    };
    for undo in ["docker r.dev --undo", "docker other.dev r.dev --undo"] {
        let _ = fs::remove_dir_all(desk.path().join(".docker"));
        by_link("docker r.dev");
        assert!(desk.exists(LOGINS) && desk.exists(JOURNAL));
        let said = by_link(undo);
        assert!(said.contains("takes out hosts.r.dev\n"), "{said}");
        assert!(!desk.exists(LOGINS) && !desk.exists(JOURNAL));
    }
}

/// As a setup that was killed long ago would have left it.
fn leave(desk: &Desk, relative: &str) -> PathBuf {
    let left = desk.home.write(relative, "");
    let old = SystemTime::now() - Duration::from_secs(61);
    let file = File::options().write(true).open(&left).unwrap();
    file.set_modified(old).unwrap();
    left
}

#[test]
fn what_a_killed_setup_left_beside_a_file_is_swept() {
    let desk = desk();
    for dir in [".docker", ".config/zitadel-credential"] {
        let left = leave(&desk, &format!("{dir}/.zitadel-credential-{LEFT}"));
        desk.done("docker r.dev --dry-run");
        assert!(left.exists());
        desk.done("docker r.dev");
        assert!(!left.exists());
    }
}

#[test]
fn a_persons_own_file_beside_it_is_not() {
    let desk = desk();
    let key = leave(&desk, ".docker/.zitadel-credential-key.json");
    desk.done("docker r.dev");
    desk.done("docker r.dev --undo");
    desk.done("docker other.dev --undo");
    assert!(key.exists());
}
