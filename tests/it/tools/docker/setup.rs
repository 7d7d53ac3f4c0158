//! `setup docker`: docker's file, byte for byte.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::setup::{BACKUP, CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::tree::Node;

const LOGINS: &str = ".docker/config.json";
const DOCKERS: &str = "{\n\t\"zeta\": 1,\n\t\"auths\": {\n\t\t\"a.dev\": {\n\t\t\t\"auth\": \"aHVudGVyMjp4\"\n\t\t}\n\t},\n\t\"credHelpers\": {\n\t\t\"b.dev\": \"other\"\n\t}\n}";

fn fixture(logins: &str) -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(LOGINS, logins);
    fixture.home.link("docker-credential-zitadel");
    fixture.home.link("zitadel-credential");
    fixture
}

#[test]
fn a_registry_is_added_and_docker_gets_a_login() {
    let fixture = fixture(DOCKERS);
    let said = fixture.done("docker r.dev:5000 --username ci");
    assert!(
        said.starts_with(&format!(
            "changed ~/{CONFIG}\nchanged ~/{LOGINS}\n\
             docker-credential-zitadel get answers for r.dev:5000, with the username ci\n\
             next: docker pull r.dev:5000/"
        )),
        "{said}"
    );
    let member = "\"b.dev\": \"other\"";
    let added = format!("{member},\n\t\t\"r.dev:5000\": \"zitadel\"");
    assert_eq!(fixture.home.read(LOGINS), DOCKERS.replace(member, &added));
    let config = fixture.home.read(CONFIG);
    let rule = "\n[hosts.\"r.dev:5000\"]\nprofile = \"prod\"\nusername = \"ci\"\n";
    assert!(config.ends_with(rule), "{config}");
    let mut get = fixture.home.zitadel(["docker", "get"]);
    let output = get.write_stdin("r.dev:5000").run();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.contains("\"Username\":\"ci\""), "{answer}");
}

#[test]
fn undo_brings_both_files_back_to_the_byte() {
    for logins in [
        DOCKERS,
        "{}",
        "{\n  \"credHelpers\": {}\n}\n",
        "{\"credHelpers\":{\"r.dev\":\"old\"}}",
        "{\"credHelpers\": null}",
        "{\"credhelpers\":{\"b.dev\":\"other\"}}",
    ] {
        let fixture = fixture(logins);
        let before = fixture.files();
        fixture.done("docker r.dev s.dev");
        let once = fixture.files();
        assert_eq!(
            once[&format!("{LOGINS}{BACKUP}")],
            Node::File(0o600, logins.into())
        );
        fixture.done("docker r.dev s.dev");
        assert_eq!(fixture.files(), once);
        fixture.done("docker s.dev --undo");
        fixture.done("docker r.dev --undo");
        assert_eq!(fixture.files(), before, "{logins}");
    }
}

#[test]
fn a_null_is_restored_in_a_file_changed_since() {
    let fixture = fixture("{\"credHelpers\": null, \"zeta\": 1}");
    fixture.done("docker r.dev s.dev");
    let other = |text: &str| text.replace("\"zeta\": 1", "\"zeta\": 2");
    fixture
        .home
        .write(LOGINS, other(&fixture.home.read(LOGINS)));
    fixture.done("docker r.dev --undo");
    fixture.done("docker s.dev --undo");
    let left = fixture.home.read(LOGINS);
    assert_eq!(left, "{\"credHelpers\": null, \"zeta\": 2}");
}

/// docker reads keys in any case (Go's JSON); a second list would hide one of them.
#[test]
fn a_list_in_another_case_is_added_to() {
    let fixture = fixture("{\"CredHelpers\": {\"b.dev\": \"other\"}}");
    fixture.done("docker r.dev");
    assert_eq!(
        fixture.home.read(LOGINS),
        "{\"CredHelpers\": {\n    \"b.dev\": \"other\",\n    \"r.dev\": \"zitadel\"\n  }}"
    );
}

#[test]
fn undo_removes_only_our_part_of_a_file_changed_since() {
    let fixture = fixture(DOCKERS);
    fixture.done("docker r.dev");
    let other = |text: &str| text.replace("\"zeta\": 1", "\"zeta\": 2");
    fixture
        .home
        .write(LOGINS, other(&fixture.home.read(LOGINS)));
    let said = fixture.done("docker r.dev --undo");
    assert_eq!(fixture.home.read(LOGINS), other(DOCKERS));
    assert!(said.contains("removed credHelpers.r.dev\n"), "{said}");
    // What it was before is still to be had.
    let stays = format!("config.json{BACKUP} stays: it is the backup from before the first setup");
    assert!(said.contains(&stays), "{said}");
    assert!(fixture.exists(&format!("{LOGINS}{BACKUP}")));
}

#[test]
fn a_replaced_helper_is_restored_and_one_set_by_others_stays() {
    let fixture = fixture(DOCKERS);
    fixture.done("docker b.dev");
    assert!(fixture.home.read(LOGINS).contains("\"b.dev\": \"zitadel\""));
    let said = fixture.done("docker b.dev --undo");
    assert_eq!(
        said,
        format!(
            "changed ~/{CONFIG}: restored to its state before the first setup\n\
             changed ~/{LOGINS}: restored to its state before the first setup\n\
             restored credHelpers.b.dev: other\nremoved hosts.b.dev\n"
        )
    );
    assert_eq!(fixture.home.read(LOGINS), DOCKERS);
    fixture.done("docker b.dev");
    let theirs = DOCKERS.replace("other", "theirs");
    fixture.home.write(LOGINS, &theirs);
    let said = fixture.done("docker b.dev --undo");
    assert!(
        said.contains("credHelpers.b.dev was changed since the setup, so it stays"),
        "{said}"
    );
    assert_eq!(fixture.home.read(LOGINS), theirs);
    fixture.home.write(LOGINS, "{}");
    fixture.done("docker b.dev");
    fixture.home.write(LOGINS, "{}");
    let said = fixture.done("docker b.dev --undo");
    assert!(
        said.contains("credHelpers.b.dev was removed already"),
        "{said}"
    );
}

#[test]
fn a_rule_stays_as_long_as_a_setup_needs_it_and_one_of_ours_alone_goes() {
    let fixture = fixture("{}");
    let rule = "[hosts.\"r.dev\"]";
    fixture.done("docker r.dev");
    fixture.done("docker r.dev --authfile auth.json");
    assert_eq!(
        fixture.home.read("auth.json"),
        "{\n\t\"credHelpers\": {\n\t\t\"r.dev\": \"zitadel\"\n\t}\n}\n"
    );
    fixture.done("docker r.dev --undo");
    assert!(fixture.home.read(CONFIG).contains(rule));
    fixture.done("docker r.dev --authfile auth.json --undo");
    assert!(!fixture.home.read(CONFIG).contains(rule));
    assert!(!fixture.exists("auth.json"));
    // No setup may remove a user's own rule.
    fixture
        .home
        .append_config(&format!("{rule}\nprofile = \"prod\"\n"));
    fixture.done("docker r.dev");
    fixture.done("docker r.dev --undo");
    assert!(fixture.home.read(CONFIG).contains(rule));
}

/// A rule with more settings or more hosts is sufficient.
#[test]
fn a_wider_rule_stays_as_long_as_a_setup_needs_it() {
    for (first, rule) in [
        ("bazel *.acme.dev", "[hosts.\"*.acme.dev\"]"),
        (
            "docker r.acme.dev --username ci --authfile a",
            "[hosts.\"r.acme.dev\"]",
        ),
    ] {
        let fixture = fixture("{}");
        let before = fixture.home.read(CONFIG);
        fixture.done(first);
        let once = fixture.home.read(CONFIG);
        assert!(once.contains(rule), "{once}");
        fixture.done("docker r.acme.dev");
        fixture.done("go r.acme.dev");
        fixture.done(&format!("{first} --undo"));
        fixture.done("docker r.acme.dev --undo");
        assert_eq!(fixture.home.read(CONFIG), once, "{first}");
        let said = fixture.done("go r.acme.dev --undo");
        assert!(!said.contains("was not set up"), "{said}");
        assert_eq!(fixture.home.read(CONFIG), before, "{first}");
    }
}

#[test]
fn a_rule_that_others_removed_is_added_again() {
    let fixture = fixture(DOCKERS);
    let before = fixture.home.read(CONFIG);
    fixture.done("docker r.dev");
    let once = fixture.files();
    fixture.home.write_config(&before);
    fixture.done("docker r.dev");
    assert_eq!(fixture.files().get(CONFIG), once.get(CONFIG));
}

#[test]
fn a_conflicting_rule_is_not_changed() {
    let fixture = fixture("{}");
    fixture
        .home
        .append_config("[hosts.\"r.dev\"]\nusername = \"eve\"\n");
    let said = fixture.refused(2, "docker r.dev --username ci");
    assert!(
        said.contains("host rule r.dev is there, with another profile or username"),
        "{said}"
    );
    fixture
        .home
        .append_config("[hosts.\"*.apps.dev\"]\nprofile = \"prod\"\n");
    let before = fixture.home.read(CONFIG);
    fixture.done("docker a.apps.dev");
    assert_eq!(fixture.home.read(CONFIG), before, "the wildcard covers it");
}

#[test]
fn a_dry_run_shows_the_change_and_no_secret() {
    let fixture = fixture(DOCKERS);
    let before = fixture.files();
    let said = fixture.done("docker r.dev --dry-run");
    assert!(said.contains("+\t\t\"r.dev\": \"zitadel\"\n"), "{said}");
    assert!(said.contains("\t\t[…]"), "{said}");
    assert!(!said.contains("aHVudGVyMjp4"), "{said}");
    assert_eq!(fixture.files(), before);
    fixture.done("docker r.dev");
    let after = fixture.files();
    let said = fixture.done("docker r.dev --undo --dry-run");
    assert!(said.contains("-\t\t\"r.dev\": \"zitadel\"\n"), "{said}");
    assert_eq!(fixture.files(), after);
}

#[test]
fn links_and_modes_are_kept() {
    let fixture = fixture(DOCKERS);
    fs::create_dir(fixture.path().join("dotfiles")).unwrap();
    let real = fixture.path().join("dotfiles/docker.json");
    fs::rename(fixture.path().join(LOGINS), &real).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o644)).unwrap();
    symlink("../dotfiles/docker.json", fixture.path().join(LOGINS)).unwrap();
    let before = fixture.files();
    fixture.done("docker r.dev");
    let after = fixture.files();
    assert_eq!(after[LOGINS], before[LOGINS]);
    assert!(
        matches!(&after["dotfiles/docker.json"], Node::File(0o644, text) if text.contains("r.dev"))
    );
    // This is the same file by its own path.
    fixture.done("docker r.dev --authfile dotfiles/docker.json --undo");
    assert_eq!(fixture.files(), before);
}

#[test]
fn our_own_files_are_not_dockers() {
    let fixture = fixture("{}");
    fixture.done("docker r.dev");
    symlink(CONFIG, fixture.path().join("link")).unwrap();
    fs::hard_link(fixture.path().join("key.json"), fixture.path().join("hard")).unwrap();
    for (file, reason) in [
        (CONFIG, "it is our config file"),
        ("link", "it is our config file"),
        (JOURNAL, "it is setup's journal"),
        ("key.json", "it is a key file"),
        ("hard", "it is a key file"),
    ] {
        for undo in ["", " --undo"] {
            let said = fixture.refused(2, &format!("docker r.dev --authfile {file}{undo}"));
            assert!(said.contains(&format!("{file}: {reason}")), "{said}");
        }
    }
}

#[test]
fn an_invalid_docker_file_is_refused_and_unchanged() {
    for (bad, reason) in [
        ("{", "invalid docker configuration: not JSON"),
        ("[]", "invalid docker configuration: not an object"),
        (
            "{\"credHelpers\": 1}",
            "invalid docker configuration: credHelpers is not an object",
        ),
        (
            "{\"credHelpers\": {\"r.dev\": 1}}",
            "invalid docker configuration: credHelpers.r.dev is not text",
        ),
        (
            "{\"credHelpers\": {}, \"credHelpers\": {}}",
            "duplicate key",
        ),
    ] {
        let fixture = fixture(bad);
        let said = fixture.refused(2, "docker r.dev");
        assert!(said.contains(&format!("config.json: {reason}\n")), "{said}");
    }
    let fixture = fixture("{}");
    for (words, reason) in [
        ("docker *.r.dev", "*.r.dev is a wildcard"),
        ("docker https://r.dev", "invalid host"),
        (
            "docker r.dev --issuer https://a.dev",
            "--issuer is an option of setup profile",
        ),
        (
            "docker r.dev --profile absent",
            "no profile named \"absent\"",
        ),
    ] {
        let said = fixture.refused(2, words);
        assert!(said.contains(reason), "{said}");
    }
    let none = Fixture::new();
    let said = none.refused(2, "docker r.dev");
    assert!(said.contains("no profile"), "{said}");
}

#[test]
fn a_missing_name_on_path_is_reported_with_its_remedy() {
    let fixture = fixture("{}");
    fs::remove_file(fixture.path().join("bin/docker-credential-zitadel")).unwrap();
    let said = fixture.done("docker r.dev");
    assert!(
        said.contains("warning: docker does not find docker-credential-zitadel on PATH: ln -s "),
        "{said}"
    );
}

#[test]
fn a_file_of_another_users_is_left_alone() {
    let fixture = fixture(DOCKERS);
    let logins = fixture.path().join(LOGINS);
    // Only root can change the owner; no other user could write the file at all.
    if std::os::unix::fs::chown(&logins, Some(65534), None).is_ok() {
        let said = fixture.refused(2, "docker r.dev");
        assert!(said.contains("owned by another user"), "{said}");
    }
}
