//! The key as a browser left it, and its proper place.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::super::{CONFIG, Fixture, JOURNAL};
use super::{HOSTS, ISSUER, KEY, NAME, wizard};
use crate::support::screen::Screen;
use crate::support::tree::Node;
use crate::support::{binary, side_by_side, trace, until};

const MOVE: &str = "Move the key to ";

const DOWNLOAD: &str = "Downloads/317240000000000001.json";

/// Gives the answers up to the question about the key's place.
fn up_to_the_place(fixture: &Fixture, mut screen: Screen) -> Screen {
    let is_known = fixture.exists(CONFIG);
    let key = fixture.home.write(DOWNLOAD, fixture.user.key_json());
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    screen.answers(ISSUER, &fixture.issuer.url());
    screen.answers(KEY, DOWNLOAD);
    screen.answers(NAME, "prod");
    if is_known && fixture.home.read(CONFIG).contains("[profiles.prod]") {
        screen.see_times(NAME, 2);
        screen.types("prod\n");
    }
    screen.see(MOVE);
    screen
}

/// Gives all answers to a wizard in which strace injects this. Returns `None` without
/// strace.
fn answered(fixture: &Fixture, words: &str, inject: &str) -> Option<Screen> {
    let command = trace::injecting(&fixture.home, inject)?;
    let strace = command.get_args().map(|word| word.to_str().unwrap());
    let strace = strace.collect::<Vec<_>>().join("' '");
    let line = format!("strace '{strace}' '{}' {words}", binary().display());
    let screen = Screen::of_shell(&fixture.home, &line, &[("TERM", "xterm")]);
    let mut screen = up_to_the_place(fixture, screen);
    screen.types("\n");
    screen.answers(HOSTS, "");
    Some(screen)
}

/// Returns the files with a private key.
fn copies(fixture: &Fixture) -> Vec<String> {
    let files = fixture.files().into_iter();
    let is_key = |node: &Node| matches!(node, Node::File(_, text) if text.contains("PRIVATE KEY"));
    let copies = files.filter(|(_, node)| is_key(node));
    copies.map(|(name, _)| name).collect()
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
        let mut screen = up_to_the_place(&fixture, wizard(&fixture, words));
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
        let next = shown.split_once("moved the key to ").unwrap().1;
        assert!(next.contains("\nworks now:\n"), "{shown}");
        fixture.home.zitadel(["whoami"]).assert().success();
        // A key is never removed.
        fixture.done("profile prod --undo");
        assert!(place.exists());
    }
}

#[test]
fn a_key_stays_where_it_is_if_nobody_wants_it_moved() {
    let fixture = Fixture::new();
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
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
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
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
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup --dry-run"));
    screen.types("\n");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("# the key would move to "), "{shown}");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());
}

/// Another profile may use it.
#[test]
fn an_existing_key_is_never_overwritten() {
    let fixture = Fixture::new();
    let there = ".config/zitadel-credential/prod.json";
    fixture.home.write(there, "of another");
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
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

/// The next run would propose another name.
#[test]
fn no_copy_of_a_key_stays_if_its_profile_is_not_written() {
    // A config file that is too large after the change.
    let fixture = Fixture::new();
    fixture
        .home
        .write(CONFIG, format!("#{}\n", "x".repeat((1 << 20) - 10)));
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
    screen.types("\n");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("after the change"), "{shown}");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());

    // Another setup wrote the rule just now.
    let fixture = Fixture::new();
    let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup --no-try"));
    screen.types("\n");
    screen.see(HOSTS);
    fixture.home.write(
        CONFIG,
        "[profiles.old]\nissuer = \"https://a.dev\"\nkey-file = \"~/key.json\"\n\
         [hosts.\"a.dev\"]\nprofile = \"old\"\n",
    );
    screen.types("a.dev\n");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("another setup wrote it just now"), "{shown}");
    assert!(fixture.exists(DOWNLOAD) && !place(&fixture).exists());
}

#[test]
fn a_move_that_is_killed_is_completed_or_undone() {
    side_by_side([false, true], |is_undone| {
        let mut cuts = 0;
        for step in 1.. {
            let fixture = Fixture::new();
            let kill = format!("fsync:signal=KILL:when={step}");
            let Some(screen) = answered(&fixture, "setup", &kill) else {
                return;
            };
            let (code, shown) = screen.end();
            if code == Some(0) {
                break;
            }
            cuts += 1;
            let (place, is_whole) = (place(&fixture), fixture.exists(CONFIG));
            let is_copied = place.exists();
            assert!(!is_copied || is_whole, "{kill}: a copy that no file names");
            if is_undone {
                fixture.done("undo --all");
                let left = copies(&fixture);
                assert_eq!(left.len(), 1 + usize::from(is_copied), "{kill}: {left:?}");
                assert!(fixture.exists(DOWNLOAD) && !fixture.exists(CONFIG));
                continue;
            }
            let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
            screen.types("\n");
            screen.answers(HOSTS, "");
            let (code, again) = screen.end();
            assert_eq!(code, Some(0), "{kill}: {again}");
            let expected = ".config/zitadel-credential/prod.json";
            assert_eq!(copies(&fixture), [expected], "{kill}: {shown}{again}");
            assert!(again.contains("moved the key to "), "{kill}: {again}");
            let line = format!("key-file = \"{}\"", place.display());
            assert_eq!(key_of_profile(&fixture), line);
        }
        assert!(cuts > 4, "{cuts}");
    });
}

#[test]
fn a_signal_or_an_error_leaves_one_copy_of_a_key_that_moves() {
    let cases = [
        "fsync:signal=INT",
        "fsync:signal=TERM",
        "fsync:signal=HUP",
        "fsync:error=EIO",
        "/^rename:error=EIO",
    ];
    side_by_side(cases, |case| {
        for step in 1..=8 {
            let fixture = Fixture::new();
            let inject = format!("{case}:when={step}");
            // With a try, the user is asked for another key after an error.
            let is_error = case.contains("error");
            let words = if is_error { "setup --no-try" } else { "setup" };
            let Some(screen) = answered(&fixture, words, &inject) else {
                return;
            };
            let (_, shown) = screen.end();
            let (place, copies) = (place(&fixture), copies(&fixture));
            assert_eq!(copies.len(), 1, "{inject}: {copies:?}, {shown}");
            assert_eq!(fixture.exists(CONFIG), place.exists(), "{inject}: {shown}");
        }
    });
}

#[test]
fn ctrl_c_while_a_key_is_copied_leaves_nothing() {
    let fixture = Fixture::new();
    let Some(mut screen) = answered(&fixture, "setup", "fsync:delay_enter=2000000:when=1") else {
        return;
    };
    until("it is copied", || copies(&fixture).len() == 2);
    screen.types("\x03");
    let (code, shown) = screen.end();
    assert_ne!(code, Some(0), "{shown}");
    let files = fixture.files().into_keys().collect::<Vec<_>>();
    assert_eq!(files, ["Downloads", DOWNLOAD], "{shown}");
}

/// The user downloads another key meanwhile.
#[test]
fn a_key_that_was_replaced_during_the_move_is_kept() {
    let fixture = Fixture::new();
    let Some(screen) = answered(&fixture, "setup", "fsync:delay_enter=1000000:when=4") else {
        return;
    };
    until("the move is under way", || fixture.exists(JOURNAL));
    fixture.home.write(DOWNLOAD, "another key");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(fixture.home.read(DOWNLOAD), "another key");
    assert!(shown.contains(" stays: it has changed since\n"), "{shown}");
    let moved = fs::read_to_string(place(&fixture)).unwrap();
    assert_eq!(moved, fixture.user.key_json());
}

/// A killed setup of an earlier version left it.
#[test]
fn a_private_copy_that_exists_becomes_the_key() {
    let there = ".config/zitadel-credential/prod.json";
    for (mode, name, left) in [
        (0o600, "prod.json", &[there][..]),
        (
            0o644,
            "prod-2.json",
            &[".config/zitadel-credential/prod-2.json", there],
        ),
    ] {
        let fixture = Fixture::new();
        let copy = fixture.home.write(there, fixture.user.key_json());
        fs::set_permissions(copy, Permissions::from_mode(mode)).unwrap();
        let mut screen = up_to_the_place(&fixture, wizard(&fixture, "setup"));
        screen.types("\n");
        screen.answers(HOSTS, "");
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown}");
        assert!(key_of_profile(&fixture).contains(name), "{shown}");
        assert!(shown.contains("moved the key to "), "{shown}");
        assert_eq!(copies(&fixture), left);
    }
}
