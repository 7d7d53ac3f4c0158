//! What an attack on setups found: nothing of others is lost, whatever goes wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::files::fixture;
use super::{BACKUP, JOURNAL};
use crate::support::program::client;
use crate::support::{Run, binary, until};

const GITCONFIG: &str = ".gitconfig";

#[test]
fn an_undo_waits_for_git_in_vain_and_changes_nothing() {
    let fixture = fixture();
    fixture.home.write(GITCONFIG, "[user]\n\tname = ci\n");
    fixture.done("git g.dev");
    fixture.home.write(".gitconfig.lock", "");
    let before = fixture.files();
    let said = fixture.refused(75, "git g.dev --undo");
    assert!(
        said.contains("another program is changing the file"),
        "{said}"
    );
    assert_eq!(fixture.files(), before);
    fs::remove_file(fixture.path().join(".gitconfig.lock")).unwrap();
    fixture.done("git g.dev --undo");
    assert_eq!(fixture.home.read(GITCONFIG), "[user]\n\tname = ci\n");
}

#[test]
fn a_setup_that_fails_puts_an_older_backup_back() {
    let fixture = fixture();
    let first = "[user]\n\tname = ci\n";
    fixture.home.write(GITCONFIG, first);
    fixture.done("git g.dev");
    fs::remove_file(fixture.path().join(JOURNAL)).unwrap();
    fixture.home.write(".gitconfig.lock", "");
    fixture.refused(75, "git h.dev");
    assert_eq!(fixture.home.read(format!("{GITCONFIG}{BACKUP}")), first);
}

#[test]
fn a_setup_that_was_killed_between_its_two_helpers_is_undone() {
    let fixture = fixture();
    let first = "[user]\n\tname = ci\n";
    fixture.home.write(GITCONFIG, first);
    let real = client("git").unwrap();
    let real = real.display();
    let script = format!(
        "#!/bin/sh\n\
         case \"$*\" in *\"$HOME/.gitconfig\"*--add*helper*zitadel*)\n\
         kill -9 $PPID; {real} \"$@\"; touch \"$HOME/git-ended\"; exit ;; esac\n\
         exec {real} \"$@\"\n"
    );
    let git = fixture.home.write("bin/git", script);
    fs::set_permissions(&git, Permissions::from_mode(0o700)).unwrap();
    let mut killed = fixture.home.command(binary());
    killed.args(["setup", "git", "g.dev"]);
    killed.env("PATH", fixture.home.path_with_bin());
    assert!(!killed.run().status.success());
    // git outlives it, and writes.
    let ended = fixture.path().join("git-ended");
    until("git has ended", || ended.exists());
    fs::remove_file(git).unwrap();
    fixture.done("git g.dev");
    fixture.done("git g.dev --undo");
    assert_eq!(fixture.home.read(GITCONFIG), first);
}

#[test]
fn a_journal_that_would_remove_a_file_with_a_backup_is_refused() {
    let fixture = fixture();
    fixture.done("docker r.dev");
    let journal = fixture.home.read(JOURNAL);
    let at = journal.find("\"before\": \"").unwrap();
    let end = at + journal[at..].find(',').unwrap();
    let forged = format!("{}\"before\": null{}", &journal[..at], &journal[end..]);
    fixture.home.write(JOURNAL, forged);
    let before = fixture.files();
    let said = fixture.refused(2, "docker r.dev --undo");
    assert!(said.contains("invalid setup journal"), "{said}");
    assert_eq!(fixture.files(), before);
}
