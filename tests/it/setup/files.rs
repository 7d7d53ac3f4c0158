//! Changes of the tools' files, whatever happens meanwhile.

mod backups;

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::{fs, thread};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use super::{CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::issuer::TokenKind;
use crate::support::machine::behind_mounts;
use crate::support::{Running, binary, until};

const LOGINS: &str = ".docker/config.json";

/// The random part of a temporary file's name.
const LEFT: &str = "0123456789abcdefghijKLMNOPQRSTUV";

pub(super) fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(LOGINS, "{}");
    fixture.home.link("docker-credential-zitadel");
    fixture
}

/// Puts a program in `bin` that reports its start and hangs.
fn hanging(fixture: &Fixture, name: &str) {
    let script = "#!/bin/sh\ntouch \"$HOME/hangs\"\nsleep 60 &\necho $! > \"$HOME/child\"\nwait\n";
    let program = fixture.home.write(format!("bin/{name}"), script);
    fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
}

pub(super) fn start(fixture: &Fixture, words: &str) -> Running {
    let mut command = fixture.home.command(binary());
    command.arg("setup").args(words.split(' '));
    command.env("PATH", fixture.home.path_with_bin());
    Running::start(command)
}

/// The signal is Ctrl-C, while git or kubectl hangs.
#[test]
fn a_signal_leaves_nothing_that_blocks_the_next_setup() {
    for (tool, words) in [("git", "git g.dev"), ("kubectl", "kubectl --user u")] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let fixture = fixture();
            hanging(&fixture, tool);
            let before = fixture.files();
            let running = start(&fixture, words);
            let child = fixture.path().join("child");
            until("the tool hangs", || {
                fs::read_to_string(&child).is_ok_and(|pid| pid.ends_with('\n'))
            });
            running.signal(signal);
            assert_eq!(running.output().status.signal(), Some(signal.as_raw()));
            end(&fixture);
            let mut after = fixture.files();
            after.retain(|name, _| !["hangs", "child"].contains(&name.as_str()));
            assert_eq!(after, before);
            fixture.done("docker r.dev");
        }
    }
}

/// git hangs on its copy of the file, which is removed too.
#[test]
fn a_signal_leaves_no_working_copy() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let fixture = fixture();
        let script = "#!/bin/sh\n[ \"$4\" = --add ] || exit 1\ntouch \"$3.lock\"\nsleep 60 &\n\
                      echo $! > \"$HOME/child\"\nwait\n";
        let program = fixture.home.write("bin/git", script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        fixture.home.write(".gitconfig", "[user]\n\tname = x\n");
        let before = fixture.files();
        let running = start(&fixture, "git g.dev");
        let child = fixture.path().join("child");
        until("git hangs", || {
            fs::read_to_string(&child).is_ok_and(|pid| pid.ends_with('\n'))
        });
        let copies = |fixture: &Fixture| {
            let files = fixture.files();
            files.keys().filter(|name| name.contains("/copy")).count()
        };
        assert_eq!(copies(&fixture), 2, "it and its lock");
        running.signal(signal);
        assert_eq!(running.output().status.signal(), Some(signal.as_raw()));
        end(&fixture);
        let mut after = fixture.files();
        after.remove("child");
        assert_eq!(after, before);
    }
}

/// Ends the processes of the hanging program.
fn end(fixture: &Fixture) {
    let pid = fixture.home.read("child").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}

#[test]
fn a_hanging_tool_is_killed_with_its_children() {
    let fixture = fixture();
    hanging(&fixture, "git");
    let output = start(&fixture, "git g.dev --timeout 1").output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bin/git: not complete within 1 s"), "{said}");
    let pid = fixture.home.read("child");
    let stat = format!("/proc/{}/stat", pid.trim());
    until("its child ends", || {
        // A process that nobody waits for stays as a zombie.
        fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
}

/// The tool leaves a lock file beside its private copy.
#[test]
fn a_tool_that_hangs_leaves_nothing_beside_the_file() {
    let fixture = fixture();
    let script = "#!/bin/sh\n[ \"$4\" = --add ] || exit 1\ntouch \"$3.lock\" \"$HOME/hangs\"\nexec sleep 60\n";
    let program = fixture.home.write("bin/git", script);
    fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
    let before = fixture.files();
    let output = start(&fixture, "git g.dev --timeout 1").output();
    assert_eq!(output.status.code(), Some(1));
    let mut after = fixture.files();
    assert!(after.remove("hangs").is_some());
    assert_eq!(after, before);
}

#[test]
fn concurrent_setups_all_succeed() {
    let fixture = fixture();
    let hosts: Vec<_> = (0..8).map(|n| format!("r{n}.dev")).collect();
    thread::scope(|scope| {
        for host in &hosts {
            let words = format!("docker {host}");
            let fixture = &fixture;
            scope.spawn(move || fixture.done(&words));
        }
    });
    for file in [LOGINS, CONFIG, JOURNAL] {
        let text = fixture.home.read(file);
        for host in &hosts {
            assert!(text.contains(host), "{file}: {text}");
        }
    }
    for host in &hosts {
        fixture.done(&format!("docker {host} --undo"));
    }
    assert_eq!(fixture.home.read(LOGINS), "{}");
    assert!(!fixture.exists(JOURNAL));
}

#[test]
fn a_setup_waits_for_another_until_the_timeout() {
    let fixture = fixture();
    let dir = fixture.path().join(CONFIG);
    let dir = File::open(dir.parent().unwrap()).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    let said = fixture.refused(75, "docker r.dev --timeout 1");
    assert!(
        said.contains("another setup or key rotation is under way"),
        "{said}"
    );
    fixture.done("docker r.dev --dry-run");
    drop(dir);
    fixture.done("docker r.dev");
}

/// The other config file is in another directory.
#[test]
fn another_setup_of_the_same_file_is_waited_for_too() {
    let fixture = fixture();
    let dir = File::open(fixture.path().join(".docker")).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    let said = fixture.refused(75, "docker r.dev --timeout 1");
    assert!(
        said.contains(".docker: another setup or key rotation is under way"),
        "{said}"
    );
    fixture.done("docker r.dev --dry-run");
    drop(dir);
    fixture.done("docker r.dev");
    // A setup does not wait for itself.
    fixture.done("docker r.dev --authfile .config/zitadel-credential/auth.json");
}

#[test]
fn concurrent_setups_of_several_config_files_all_succeed() {
    let fixture = fixture();
    let config = fixture.home.read(CONFIG);
    let hosts: Vec<_> = (0..8).map(|n| format!("h{n}.dev")).collect();
    let started = hosts.iter().map(|host| {
        fixture.home.write(format!("{host}/config.toml"), &config);
        start(
            &fixture,
            &format!("docker {host} --config {host}/config.toml"),
        )
    });
    for running in started.collect::<Vec<_>>() {
        let output = running.output();
        assert!(output.status.success(), "{output:?}");
    }
    let text = fixture.home.read(LOGINS);
    for host in &hosts {
        assert!(text.contains(host), "{text}");
    }
}

/// Both files have their rules in the journal, and one list of helpers.
#[test]
fn two_config_files_in_one_directory_are_both_undone() {
    let fixture = fixture();
    let other = ".config/zitadel-credential/other.toml";
    fixture.home.write(other, fixture.home.read(CONFIG));
    let before = fixture.files();
    let of_other = format!("--config {other}");
    for [first, second] in [["", &*of_other], [&*of_other, ""]] {
        fixture.done("docker r.dev");
        fixture.done(&format!("docker r.dev s.dev {of_other}"));
        fixture.done(format!("docker r.dev --undo {first}").trim_end());
        assert!(fixture.home.read(LOGINS).contains("r.dev"));
        fixture.done(format!("docker r.dev --undo {second}").trim_end());
        assert!(!fixture.home.read(LOGINS).contains("r.dev"));
        fixture.done(&format!("docker s.dev --undo {of_other}"));
        assert_eq!(fixture.files(), before);
    }
}

/// A setup that is killed between `setup.json` and the files leaves this.
#[test]
fn a_setup_killed_before_its_change_leaves_nothing_to_undo() {
    let fixture = fixture();
    fixture.home.append_config("# mine\n");
    let before = fixture.files();
    let [config, logins] = [CONFIG, LOGINS].map(|file| fixture.home.read(file));
    fixture.done("docker r.dev");
    fixture.home.write_config(&config);
    fixture.home.write(LOGINS, &logins);
    let said = fixture.done("docker r.dev --undo");
    assert!(!said.contains("changed since"), "{said}");
    assert_eq!(fixture.files(), before);
    // A second setup follows the first, which stays.
    fixture.done("docker r.dev");
    let [config, logins] = [CONFIG, LOGINS].map(|file| fixture.home.read(file));
    fixture.done("docker s.dev");
    fixture.home.write_config(&config);
    fixture.home.write(LOGINS, &logins);
    for host in ["s.dev", "r.dev"] {
        let said = fixture.done(&format!("docker {host} --undo"));
        assert!(!said.contains("changed since"), "{said}");
    }
    assert_eq!(fixture.files(), before);
}

/// A container mounts single files like this: no file can be renamed over them.
#[test]
fn a_file_that_is_mounted_is_written_in_place() {
    let cargos = ".cargo/config.toml";
    let index = "[registries.a]\nindex = \"sparse+https://r.dev/\"\n";
    for (words, file, theirs, ours) in [
        ("docker r.dev", LOGINS, "{\n\t\"auths\": {}\n}\n", "r.dev"),
        ("cargo r.dev", cargos, index, "cargo-credential-zitadel"),
        ("go r.dev", CONFIG, "", "r.dev"),
    ] {
        let fixture = fixture();
        let below = fixture.home.write(file, "{}");
        let outside = if file == CONFIG {
            PROFILE.replace("ISSUER", &fixture.issuer.url())
        } else {
            theirs.to_owned()
        };
        fixture.home.write("outside", outside);
        let before = fixture.files();
        let script = format!("mount --bind \"$HOME/outside\" \"$HOME/{file}\"\n\"$@\"\n");
        for (words, is_in) in [(words.to_owned(), true), (format!("{words} --undo"), false)] {
            let Some(mut command) = behind_mounts(&fixture.home, &script) else {
                return;
            };
            command.arg(binary()).arg("setup").args(words.split(' '));
            command.env("PATH", fixture.home.path_with_bin());
            let output = Running::start(command).output();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(fixture.home.read("outside").contains(ours), is_in);
            let text = fs::read_to_string(&below).unwrap();
            assert_eq!(text, "{}", "it lies below the mount");
        }
        assert_eq!(fixture.files(), before);
    }
}

#[test]
fn hard_links_of_a_file_are_reported() {
    let fixture = fixture();
    fs::hard_link(fixture.path().join(LOGINS), fixture.path().join("other")).unwrap();
    let line = "config.json has other names (hard links): they may keep the former content\n";
    let said = fixture.done("docker r.dev --dry-run");
    assert!(said.contains(line), "{said}");
    let said = fixture.done("docker r.dev");
    assert!(said.contains(line), "{said}");
    assert_eq!(fixture.home.read("other"), "{}");
}

#[test]
fn a_token_in_place_of_a_name_is_refused_and_not_shown() {
    let fixture = fixture();
    for kind in [TokenKind::Jwt, TokenKind::Opaque] {
        fixture.issuer.set_token_kind(kind);
        let output = fixture.home.zitadel(["token", "--refresh"]).run();
        let token = String::from_utf8(output.stdout).unwrap();
        for words in [
            "profile TOKEN --issuer ISSUER --key-file key.json",
            "profile new --issuer https://TOKEN --key-file key.json",
            "profile new --issuer ISSUER --key-file key.json --key-id TOKEN --user-id 1",
            "profile new --issuer ISSUER --key-file key.json --key-id 1 --user-id TOKEN",
            "profile new --issuer ISSUER --client-id TOKEN --client-secret-file s --no-try",
            "profile new --issuer ISSUER --key-file key.json --project TOKEN --no-try",
            "profile new --issuer ISSUER --key-file key.json --scope TOKEN --no-try",
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
            let said = fixture.refused(2, &words.replace("TOKEN", token.trim_end()));
            assert!(said.contains("looks like a key or a token"), "{said}");
            assert!(!token.split('.').any(|part| said.contains(part)), "{said}");
        }
    }
    // Cloud providers use such names.
    fixture.done("docker 123456789012.dkr.ecr.eu-central-1.amazonaws.com --username gke_acme-prod-1_europe-west1-b_build-cluster");
}

#[test]
fn no_file_is_made_too_large_to_be_read_again() {
    let fixture = fixture();
    let config = fixture.home.read(CONFIG);
    let comment = "#".repeat(1024 * 1024 - config.len());
    fixture.home.write_config(&format!("{config}{comment}"));
    let said = fixture.refused(2, "docker r.dev");
    assert!(said.contains("config.toml: larger than 1048576"), "{said}");
    fixture.home.write_config(&config);
    let text = "x".repeat(4 * 1024 * 1024 - "{\"a\":\"\"}".len());
    fixture.home.write(LOGINS, format!("{{\"a\":\"{text}\"}}"));
    let said = fixture.refused(2, "docker r.dev");
    assert!(said.contains("config.json: larger than 4194304"), "{said}");
    fixture.home.write(LOGINS, "{}");
    fixture.done("docker r.dev");
}

#[test]
fn a_home_behind_a_link_is_the_home_itself() {
    let fixture = fixture();
    fs::remove_dir_all(fixture.path().join(".docker")).unwrap();
    let link = fixture.path().join("link");
    symlink(".", &link).unwrap();
    let by_link = |words: &str| {
        let mut command = fixture.home.zitadel(["setup"]);
        let output = command.args(words.split(' ')).env("HOME", &link).run();
        String::from_utf8(output.stdout).unwrap()
    };
    for undo in ["docker r.dev --undo", "docker other.dev r.dev --undo"] {
        let _ = fs::remove_dir_all(fixture.path().join(".docker"));
        by_link("docker r.dev");
        assert!(fixture.exists(LOGINS) && fixture.exists(JOURNAL));
        let said = by_link(undo);
        assert!(said.contains("removed hosts.r.dev\n"), "{said}");
        assert!(!fixture.exists(LOGINS) && !fixture.exists(JOURNAL));
    }
}
