//! What an attack on setups found: nothing of others is lost, whatever goes wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::files::desk;
use super::{BACKUP, JOURNAL};
use crate::support::program::client;
use crate::support::{Run, binary};

const GITCONFIG: &str = ".gitconfig";

#[test]
fn an_undo_waits_for_git_in_vain_and_changes_nothing() {
    let desk = desk();
    desk.home.write(GITCONFIG, "[user]\n\tname = ci\n");
    desk.done("git g.dev");
    desk.home.write(".gitconfig.lock", "");
    let before = desk.files();
    let said = desk.refused(75, "git g.dev --undo");
    assert!(
        said.contains("another program is changing the file"),
        "{said}"
    );
    assert_eq!(desk.files(), before);
    fs::remove_file(desk.path().join(".gitconfig.lock")).unwrap();
    desk.done("git g.dev --undo");
    assert_eq!(desk.home.read(GITCONFIG), "[user]\n\tname = ci\n");
}

#[test]
fn a_setup_that_fails_puts_an_older_backup_back() {
    let desk = desk();
    let first = "[user]\n\tname = ci\n";
    desk.home.write(GITCONFIG, first);
    desk.done("git g.dev");
    fs::remove_file(desk.path().join(JOURNAL)).unwrap();
    desk.home.write(".gitconfig.lock", "");
    desk.refused(75, "git h.dev");
    assert_eq!(desk.home.read(format!("{GITCONFIG}{BACKUP}")), first);
}

#[test]
fn a_setup_that_was_killed_between_its_two_helpers_is_undone() {
    let desk = desk();
    let first = "[user]\n\tname = ci\n";
    desk.home.write(GITCONFIG, first);
    let real = client("git").unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *\"$HOME/.gitconfig\"*--add*helper*zitadel*) kill -9 $PPID ;; esac\nexec {} \"$@\"\n",
        real.display()
    );
    let git = desk.home.write("bin/git", script);
    fs::set_permissions(&git, Permissions::from_mode(0o700)).unwrap();
    let mut killed = desk.home.command(binary());
    killed.args(["setup", "git", "g.dev"]);
    killed.env("PATH", desk.home.path_with_bin());
    assert!(!killed.run().status.success());
    fs::remove_file(git).unwrap();
    desk.done("git g.dev");
    desk.done("git g.dev --undo");
    assert_eq!(desk.home.read(GITCONFIG), first);
}

#[test]
fn a_journal_that_would_remove_a_file_with_a_backup_is_refused() {
    let desk = desk();
    desk.done("docker r.dev");
    let journal = desk.home.read(JOURNAL);
    let at = journal.find("\"before\": \"").unwrap();
    let end = at + journal[at..].find(',').unwrap();
    let forged = format!("{}\"before\": null{}", &journal[..at], &journal[end..]);
    desk.home.write(JOURNAL, forged);
    let before = desk.files();
    let said = desk.refused(2, "docker r.dev --undo");
    assert!(said.contains("invalid setup journal"), "{said}");
    assert_eq!(desk.files(), before);
}
