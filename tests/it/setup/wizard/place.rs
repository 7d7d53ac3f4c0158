//! The key as a browser left it, and where it belongs.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::super::{CONFIG, Fixture};
use super::{HOSTS, ISSUER, KEY, NAME, wizard};
use crate::support::screen::Screen;

const MOVE: &str = "Move the key to ";

const DOWNLOAD: &str = "Downloads/317240000000000001.json";

/// Answers up to the question about the key's place.
fn up_to_the_place(fixture: &Fixture, words: &str) -> Screen {
    let key = fixture.home.write(DOWNLOAD, fixture.user.key_json());
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    let mut screen = wizard(fixture, words);
    screen.answers(ISSUER, &fixture.issuer.url());
    screen.answers(KEY, DOWNLOAD);
    screen.answers(NAME, "prod");
    screen.see(MOVE);
    screen
}

fn place(fixture: &Fixture) -> PathBuf {
    fixture.path().join(".config/zitadel-credential/prod.json")
}

fn key_of_profile(fixture: &Fixture) -> String {
    let text = fixture.home.read(CONFIG);
    let line = text.lines().find(|line| line.starts_with("key-file = "));
    line.unwrap().to_owned()
}

#[test]
fn a_downloaded_key_is_moved_beside_the_config_file_for_its_owner_alone() {
    for words in ["setup", "setup --no-try"] {
        let fixture = Fixture::new();
        let mut screen = up_to_the_place(&fixture, words);
        screen.types("\n");
        screen.answers(HOSTS, "");
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown}");
        let place = place(&fixture);
        assert!(!fixture.exists(DOWNLOAD), "{shown}");
        assert_eq!(fs::read_to_string(&place).unwrap(), fixture.user.key_json());
        let mode = fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(
            key_of_profile(&fixture),
            format!("key-file = \"{}\"", place.display())
        );
        assert!(shown.contains("moved the key to "), "{shown}");
        fixture.home.zitadel(["whoami"]).assert().success();
        // A key is never removed.
        fixture.done("profile prod --undo");
        assert!(place.exists());
    }
}

#[test]
fn a_key_stays_where_it_is_if_nobody_wants_it_moved() {
    let fixture = Fixture::new();
    let mut screen = up_to_the_place(&fixture, "setup");
    screen.types("perhaps\n");
    screen.see_times(MOVE, 2);
    screen.types("n\n");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());
    assert!(key_of_profile(&fixture).contains(DOWNLOAD));
}

#[test]
fn nothing_is_moved_before_a_token_was_had() {
    let fixture = Fixture::new();
    fixture.issuer.remove_key(&fixture.user.key_id);
    let mut screen = up_to_the_place(&fixture, "setup");
    screen.types("y\n");
    screen.answers(HOSTS, "");
    screen.see("the issuer refused the assertion");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());
    fixture.issuer.register(&fixture.user);
    screen.answers(&format!("Key file (Enter for {DOWNLOAD} again): "), "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!fixture.exists(DOWNLOAD) && place(&fixture).exists());
}

#[test]
fn a_dry_run_says_where_the_key_would_go() {
    let fixture = Fixture::new();
    let mut screen = up_to_the_place(&fixture, "setup --dry-run");
    screen.types("\n");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("# the key would move to "), "{shown}");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());
}

/// Another profile may use it.
#[test]
fn a_key_that_is_there_is_never_written_over() {
    let fixture = Fixture::new();
    let there = ".config/zitadel-credential/prod.json";
    fixture.home.write(there, "of another");
    let mut screen = up_to_the_place(&fixture, "setup");
    screen.types("\n");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(fixture.home.read(there), "of another");
    assert!(
        key_of_profile(&fixture).ends_with("/prod-2.json\""),
        "{shown}"
    );
}
