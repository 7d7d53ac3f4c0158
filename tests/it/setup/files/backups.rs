//! Backups, and the journal of setup.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::super::{BACKUP, Fixture, JOURNAL};
use super::{LEFT, LOGINS, fixture};
use crate::support::{Running, binary};

#[test]
fn a_backup_of_a_former_round_is_replaced() {
    let fixture = fixture();
    let backup = format!("{LOGINS}{BACKUP}");
    for round in 0..101 {
        let logins = format!("{{\"a\": {round}}}");
        fixture.home.write(LOGINS, &logins);
        fixture.done("docker r.dev");
        assert_eq!(fixture.home.read(&backup), logins);
        let theirs = fixture.home.read(LOGINS).replace("\"a\"", "\"b\"");
        fixture.home.write(LOGINS, theirs);
        let said = fixture.done("docker r.dev --undo");
        assert!(said.contains(&format!("{BACKUP} stays")), "{said}");
    }
    let files = fixture.files();
    let backups = files.keys().filter(|name| name.contains(BACKUP));
    assert_eq!(backups.collect::<Vec<_>>(), [&backup]);
}

#[test]
fn a_users_own_file_with_a_backups_name_stays() {
    let fixture = fixture();
    let own = format!("{LOGINS}{BACKUP}");
    for text in ["mine", "{}"] {
        fixture.home.write(LOGINS, "{}");
        let path = fixture.home.write(&own, text);
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        let before = fixture.files();
        for dry_run in [" --dry-run", ""] {
            let said = fixture.done(&format!("docker r.dev{dry_run}"));
            let line = "stays: it is not this setup's backup, so --undo will only remove";
            assert!(said.contains(line), "{said}");
        }
        fixture.done("docker r.dev");
        fixture.done("docker r.dev --undo");
        fixture.done("docker r.dev --undo");
        assert_eq!(fixture.files(), before);
    }
}

/// The disk is full from the write of `setup.json` on.
#[test]
fn a_setup_that_fails_leaves_no_backup() {
    let fixture = fixture();
    let mut command = fixture.home.command("sh");
    // The limit is in blocks of 512 bytes.
    command
        .args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(binary())
        .args(["setup", "docker", "r.dev"]);
    let before = fixture.files();
    let output = Running::start(command).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("setup.json: cannot write: file too large"),
        "{said}"
    );
    assert_eq!(fixture.files(), before);
}

#[test]
fn a_journal_that_setup_could_not_have_written_is_refused() {
    let fixture = fixture();
    fixture.done("docker r.dev");
    let journal = fixture.home.read(JOURNAL);
    for (from, to) in [
        ("\"hosts\"", "\"profiles\""),
        ("config.toml\",", "../other.toml\","),
        ("\"ours\": \"zitadel\"", "\"ours\": \"other\""),
        ("\"copy\": 1", "\"copy\": 0"),
    ] {
        assert!(journal.contains(from), "{journal}");
        fixture.home.write(JOURNAL, journal.replace(from, to));
        let said = fixture.refused(2, "docker r.dev --undo");
        assert!(said.contains("invalid setup journal"), "{said}");
    }
    // The other config file is in the same directory.
    fixture
        .home
        .write(JOURNAL, journal.replace("config.toml\",", "other.toml\","));
    let said = fixture.refused(2, "docker r.dev --undo");
    assert!(
        said.contains("hosts.r.dev is in another config file"),
        "{said}"
    );
    fixture.home.write(JOURNAL, journal);
    fixture.done("docker r.dev --undo");
}

#[test]
fn a_setup_that_cannot_be_recorded_is_refused() {
    let fixture = fixture();
    for (authfile, why) in [
        ("a/../b.json", "~/a/../b.json is not a plain absolute path"),
        ("a\tb.json", "~/a\\tb.json is not a plain absolute path"),
    ] {
        let said = fixture.refused(2, &format!("docker r.dev --authfile {authfile}"));
        assert!(
            said.contains("setup.json: this setup cannot be recorded: "),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
    }
    // The parent directory does not exist yet, in any spelling.
    let before = fixture.files();
    fixture.done("docker r.dev --authfile .docker/../new/b.json");
    fixture.done("docker r.dev --authfile new/b.json --undo");
    let mut after = fixture.files();
    after.remove("new");
    assert_eq!(after, before);
}

/// Leaves a file as a setup that was killed long ago.
fn leave(fixture: &Fixture, relative: &str) -> PathBuf {
    let left = fixture.home.write(relative, "");
    let old = SystemTime::now() - Duration::from_secs(61);
    let file = File::options().write(true).open(&left).unwrap();
    file.set_modified(old).unwrap();
    left
}

#[test]
fn leftovers_of_a_killed_setup_are_removed() {
    let fixture = fixture();
    for dir in [".docker", ".config/zitadel-credential"] {
        let left = leave(&fixture, &format!("{dir}/.zitadel-credential-{LEFT}"));
        fixture.done("docker r.dev --dry-run");
        assert!(left.exists());
        fixture.done("docker r.dev");
        assert!(!left.exists());
    }
}

#[test]
fn a_users_own_file_beside_them_stays() {
    let fixture = fixture();
    let key = leave(&fixture, ".docker/.zitadel-credential-key.json");
    fixture.done("docker r.dev");
    fixture.done("docker r.dev --undo");
    fixture.done("docker other.dev --undo");
    assert!(key.exists());
}
