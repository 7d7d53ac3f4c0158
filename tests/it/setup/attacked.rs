//! Findings of an attack on setups: no other data is lost, whatever fails.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::files::{fixture, start};
use super::{BACKUP, Fixture, JOURNAL};
use crate::support::program::client;
use crate::support::{Run, binary, until};

const GITCONFIG: &str = ".gitconfig";

#[test]
fn an_undo_blocked_by_gits_lock_changes_nothing() {
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
fn a_failed_setup_restores_an_older_backup() {
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
    // git outlives the setup, and writes.
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

/// Puts a git on PATH that runs this shell code before each call of the real one, which
/// is `$git`.
fn meddling(fixture: &Fixture, code: &str) {
    let real = client("git").unwrap();
    let script = format!(
        "#!/bin/sh\ngit={}\n{code}\nexec $git \"$@\"\n",
        real.display()
    );
    let git = fixture.home.write("bin/git", script);
    fs::set_permissions(git, Permissions::from_mode(0o700)).unwrap();
}

/// Adds what another program writes after the setup: the backup is of no use then.
fn change(fixture: &Fixture) {
    let text = fixture.home.read(GITCONFIG);
    fixture
        .home
        .write(GITCONFIG, text + "[user]\n\temail = ci@acme.dev\n");
}

const CHANGE: &str = "[user]\n\temail = ci@acme.dev\n";

#[test]
fn an_undo_removes_no_line_that_another_program_writes_into_the_section_meanwhile() {
    let fixture = fixture();
    let first = "[user]\n\tname = ci\n# my hosts\n";
    fixture.home.write(GITCONFIG, first);
    fixture.done("git g.dev");
    change(&fixture);
    meddling(
        &fixture,
        "case \"$*\" in *\"--file $HOME/.gitconfig --remove-section\"*)\n\
         touch \"$HOME/meddled\"\n\
         $git config --file \"$HOME/.gitconfig\" credential.https://g.dev.username bob ;; esac",
    );
    fixture.done("git g.dev --undo");
    let text = fixture.home.read(GITCONFIG);
    assert_eq!(fixture.exists("meddled"), text.contains("bob"), "{text}");
    assert!(text.starts_with(first) && text.contains(CHANGE), "{text}");
}

#[test]
fn undo_of_a_setup_that_wrote_nothing_keeps_the_users_empty_helper() {
    let fixture = fixture();
    let first = "[credential \"https://g.dev\"]\n\thelper =\n\thelper = cache\n";
    fixture.home.write(GITCONFIG, first);
    fixture.home.write(".gitconfig.lock", "");
    let waiting = start(&fixture, "git g.dev");
    until("the setup is noted", || fixture.exists(JOURNAL));
    // That kills it.
    drop(waiting);
    fs::remove_file(fixture.path().join(".gitconfig.lock")).unwrap();
    change(&fixture);
    fixture.done("git g.dev --undo");
    assert_eq!(fixture.home.read(GITCONFIG), format!("{first}{CHANGE}"));
}

#[test]
fn an_undo_finds_its_lines_in_a_section_of_any_form() {
    for header in [
        "[credential \"https://g.dev\"] # work",
        "[Credential \"https://g.dev\"]",
        "[credential  \"https://g.dev\"]",
        "  [credential \"https://g.dev\"]",
    ] {
        let fixture = fixture();
        let first = format!("{header}\n\thelper =\n\thelper = store\n");
        fixture.home.write(GITCONFIG, &first);
        fixture.done("git g.dev");
        let text = fixture.home.read(GITCONFIG);
        assert_eq!(text.matches("helper").count(), 4, "{text}");
        change(&fixture);
        fixture.done("git g.dev --undo");
        assert_eq!(fixture.home.read(GITCONFIG), format!("{first}{CHANGE}"));
    }
}

#[test]
fn an_undo_finds_its_lines_when_they_are_written_otherwise() {
    let fixture = fixture();
    let first = "[credential \"https://g.dev\"]\n\thelper =\n\thelper = store\n";
    fixture.home.write(GITCONFIG, first);
    fixture.done("git g.dev");
    let text = fixture.home.read(GITCONFIG);
    let ours = text.strip_prefix(first).unwrap().lines().last().unwrap();
    let (_, ours) = ours.split_once("= ").unwrap();
    let written = format!("{first}    HELPER=\n    Helper = \"{ours}\"\n{CHANGE}");
    fixture.home.write(GITCONFIG, written);
    fixture.done("git g.dev --undo");
    assert_eq!(fixture.home.read(GITCONFIG), format!("{first}{CHANGE}"));
}

#[test]
fn undo_removes_the_empty_helper_of_a_killed_setup() {
    let fixture = fixture();
    let first = "[credential \"https://g.dev\"]\n\thelper =\n\thelper = store\n";
    fixture.home.write(GITCONFIG, first);
    meddling(
        &fixture,
        "case \"$*\" in *\"$HOME/.gitconfig\"*--add*helper*zitadel*)\n\
         kill -9 $PPID; exit ;; esac",
    );
    assert!(!start(&fixture, "git g.dev").output().status.success());
    fs::remove_file(fixture.path().join("bin/git")).unwrap();
    let text = fixture.home.read(GITCONFIG);
    assert_eq!(text, format!("{first}\thelper = \n"));
    change(&fixture);
    fixture.done("git g.dev --undo");
    assert_eq!(fixture.home.read(GITCONFIG), format!("{first}{CHANGE}"));
}

#[test]
fn a_helper_beside_ours_in_a_directory_with_a_space_is_not_ours() {
    let fixture = fixture();
    let dir = fixture.path().join("my tools");
    fs::create_dir(&dir).unwrap();
    let program = dir.join("zitadel-credential");
    fs::copy(binary(), &program).unwrap();
    let theirs = dir.join("store").display().to_string();
    let first = format!("[credential \"https://g.dev\"]\n\thelper = \"!'{theirs}'\"\n");
    fixture.home.write(GITCONFIG, &first);
    let mut setup = fixture.home.command(&program);
    setup.args(["setup", "git", "g.dev", "--no-try"]);
    let output = setup.run();
    assert!(output.status.success(), "{output:?}");
    let ours = program.display();
    let added = format!("\thelper = \n\thelper = !'{ours}' git\n");
    assert_eq!(fixture.home.read(GITCONFIG), format!("{first}{added}"));
}

#[test]
fn a_git_that_lost_the_race_for_its_lock_is_asked_again() {
    let fixture = fixture();
    fixture.home.write(GITCONFIG, "[user]\n\tname = ci\n");
    meddling(
        &fixture,
        "case \"$*\" in *\"--file $HOME/.gitconfig --add\"*)\n\
         [ -e \"$HOME/lost\" ] || { touch \"$HOME/lost\"\n\
         echo \"error: could not lock config file $HOME/.gitconfig: File exists\" >&2\n\
         exit 255; } ;; esac",
    );
    fixture.done("git g.dev");
    assert!(fixture.exists("lost"));
}

#[test]
fn a_lock_error_without_a_lock_file_is_temporary() {
    let fixture = fixture();
    fixture.home.write(GITCONFIG, "[user]\n\tname = ci\n");
    meddling(
        &fixture,
        "case \"$*\" in *\"--file $HOME/.gitconfig --add\"*)\n\
         echo \"error: could not lock config file $HOME/.gitconfig: File exists\" >&2\n\
         exit 255 ;; esac",
    );
    let said = fixture.refused(75, "git g.dev");
    assert!(said.contains("its lock file exists"), "{said}");
}
