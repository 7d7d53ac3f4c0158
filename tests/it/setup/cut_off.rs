//! Setups and undos that are interrupted at each step: killed, or by a full disk. The
//! next undo restores all files.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::files::fixture;
use super::{Fixture, JOURNAL};
use crate::support::program::client;
use crate::support::tree::Node;
use crate::support::{Run, Running, binary, side_by_side, trace, until};

const CASES: [&str; 6] = [
    "git g.dev",
    "docker r.dev s.dev",
    "cargo c.dev",
    "terraform t.dev",
    "profile prod --zitadel-api",
    "profile other --issuer ISSUER --key-file key.json",
];

fn prepared() -> Fixture {
    let fixture = fixture();
    fixture.home.append_config("# mine\n");
    fixture
        .home
        .write(".gitconfig", "# mine\n[user]\n\tname = ci\n");
    let logins = "{\"credHelpers\": {\"r.dev\": \"theirs\"}}";
    fixture.home.write(".docker/config.json", logins);
    let index = "[registries.a] # theirs\nindex = \"sparse+https://c.dev/\"\n";
    fixture.home.write(".cargo/config.toml", index);
    fixture
}

/// Returns all files; directories may stay.
fn files(fixture: &Fixture) -> BTreeMap<String, Node> {
    let mut files = fixture.files();
    files.retain(|name, node| name != "strace.log" && *node != Node::Directory);
    files
}

/// Calls `setup` with strace's injection. Returns `None` without strace, and false if the
/// call succeeded.
fn cut_off(fixture: &Fixture, words: &str, inject: &str) -> Option<bool> {
    let mut command = trace::injecting(&fixture.home, inject)?;
    command.arg(binary()).arg("setup");
    let words = words.replace("ISSUER", &fixture.issuer.url());
    command.args(words.split(' '));
    command.env("PATH", fixture.home.path_with_bin());
    Some(!command.run().status.success())
}

fn undone(words: &str) -> String {
    words.split(" --").next().unwrap().to_owned() + " --undo"
}

/// Interrupts each setup, and each undo, at its first call of this kind, its second and
/// so on. Returns the number of interruptions.
fn at_each(call: impl Fn(usize) -> String + Sync) -> usize {
    let cuts = AtomicUsize::new(0);
    side_by_side(CASES, |words| {
        if words.starts_with("git") && client("git").is_none() {
            return;
        }
        let fixture = prepared();
        let before = files(&fixture);
        let undo = &undone(words);
        for is_undo in [false, true] {
            for step in 1.. {
                if is_undo {
                    fixture.done(words);
                }
                let cut = if is_undo { undo } else { words };
                let is_cut_off = cut_off(&fixture, cut, &call(step));
                if !is_undo && step % 2 == 0 {
                    // The setup can be repeated as well.
                    fixture.done(words);
                }
                let said = fixture.done(undo);
                assert_eq!(files(&fixture), before, "{cut}, {}: {said}", call(step));
                if is_cut_off != Some(true) {
                    break;
                }
                cuts.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    cuts.into_inner()
}

fn is_undone_when_killed_at_each(call: &str) {
    let cuts = at_each(|step| format!("{call}:signal=KILL:when={step}"));
    assert!(cuts > 0 || trace::is_missing(), "{call}");
}

#[test]
fn a_setup_or_undo_killed_while_it_syncs_is_undone() {
    is_undone_when_killed_at_each("fsync");
}

#[test]
fn a_setup_or_undo_killed_while_it_renames_is_undone() {
    is_undone_when_killed_at_each("/^rename");
}

#[test]
fn a_setup_or_undo_killed_while_it_removes_is_undone() {
    is_undone_when_killed_at_each("/^unlink");
}

#[test]
fn a_setup_or_undo_killed_while_it_links_is_undone() {
    is_undone_when_killed_at_each("/^symlink");
}

#[test]
fn a_setup_or_undo_killed_while_it_sets_a_mode_is_undone() {
    is_undone_when_killed_at_each("/chmod");
}

#[test]
fn a_setup_or_undo_on_a_full_disk_is_undone() {
    let cuts = at_each(|step| format!("write,fsync,/^mkdir:error=ENOSPC:when={step}+"));
    assert!(cuts > 20 || trace::is_missing(), "{cuts}");
}

#[test]
fn a_failed_restore_is_reported_with_a_remedy() {
    let fixture = fixture();
    let before = files(&fixture);
    let mut is_told = false;
    for step in 1.. {
        let inject = format!("fsync:error=ENOSPC:when={step}+");
        let Some(mut command) = trace::injecting(&fixture.home, &inject) else {
            return;
        };
        command.arg(binary()).args(["setup", "docker", "r.dev"]);
        let output = command.run();
        let said = String::from_utf8(output.stderr).unwrap();
        let is_left = said.contains("found: not restored: ");
        assert_eq!(
            said.contains("revert the partial change with --undo"),
            is_left,
            "{said}"
        );
        assert_eq!(
            is_left || output.status.success(),
            fixture.exists(JOURNAL),
            "{said}"
        );
        is_told |= is_left;
        fixture.done("docker r.dev --undo");
        assert_eq!(files(&fixture), before);
        if output.status.success() {
            break;
        }
    }
    assert!(is_told);
}

/// The undo replaces git's file itself, under git's lock.
#[test]
fn an_undo_that_is_killed_with_gits_lock_is_done_again() {
    let fixture = fixture();
    if client("git").is_none() {
        return;
    }
    fixture
        .home
        .write(".gitconfig", "# mine\n[user]\n\tname = ci\n");
    let before = files(&fixture);
    let mut was_locked = false;
    for call in ["/^rename", "/^unlink", "fsync"] {
        for step in 1.. {
            fixture.done("git g.dev");
            let inject = format!("{call}:signal=KILL:when={step}");
            let is_cut_off = cut_off(&fixture, "git g.dev --undo", &inject);
            was_locked |= fixture.exists(".gitconfig.lock");
            fixture.done("git g.dev --undo");
            assert_eq!(files(&fixture), before, "{inject}");
            if is_cut_off != Some(true) {
                break;
            }
        }
    }
    assert!(was_locked || trace::is_missing());
}

#[test]
fn git_changes_no_file_that_an_undo_is_restoring() {
    let fixture = fixture();
    let (Some(git), Some(mut undo)) = (
        client("git"),
        trace::injecting(&fixture.home, "/^rename:delay_enter=400000"),
    ) else {
        return;
    };
    let own = "[user]\n\tname = ci\n";
    fixture.home.write(".gitconfig", own);
    fixture.done("git g.dev");
    undo.arg(binary()).args(["setup", "git", "g.dev", "--undo"]);
    undo.env("PATH", fixture.home.path_with_bin());
    let undo = Running::start(undo);
    until("git's file is locked", || fixture.exists(".gitconfig.lock"));
    let mut change = fixture.home.command(git);
    change.args(["config", "--global", "user.email", "ci@acme.dev"]);
    let change = change.run();
    assert!(!change.status.success(), "its change would be lost");
    assert!(undo.output().status.success());
    assert_eq!(fixture.home.read(".gitconfig"), own);
    assert!(!fixture.exists(".gitconfig.lock"));
}
