//! Output at a terminal of 80 columns.

use crate::support::screen::Screen;
use crate::support::{Case, World};

/// Returns a text without the escape sequences of colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

/// Asserts that the output fits 80 columns; a longer word must be on a separate line.
#[track_caller]
fn assert_fits(shown: &str) {
    for line in plain(shown).lines() {
        let width = line.chars().count();
        assert!(width <= 80 || !line.trim().contains(' '), "{width}: {line}");
    }
}

#[test]
fn doctor_wraps_its_lines_with_the_same_words_as_in_a_pipe() {
    let case = Case::new();
    case.world.home.write(
        ".gitconfig",
        "[credential]\n\thelper = store\n\thelper = zitadel\n",
    );
    case.world.allow("*.a-long-name-of-a-department.acme.test");
    case.world.home.write("key.json", "{}");
    for words in [
        "doctor",
        "doctor git.acme.test",
        "doctor --config /dev/null",
    ] {
        let (code, shown) = Screen::of(&case.world.home, words).end();
        assert_eq!(code, Some(1), "{shown}");
        assert_fits(&shown);
        let piped = case.world.zitadel(words.split(' ')).run();
        let piped = String::from_utf8(piped.stdout).unwrap();
        assert!(piped.lines().any(|line| line.len() > 80), "{piped}");
        let words = |text: &str| {
            let text = plain(text).replace(['✓', '✗', '!'], "");
            let words = text.split_whitespace().filter(|word| *word != "-");
            words.map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(&shown), words(&piped.replace('!', "")));
    }
}

#[test]
fn cache_list_has_a_long_issuer_and_scopes_on_lines_of_their_own() {
    let world = World::new();
    let projects = ["317240000000000001", "317240000000000002"];
    for project in projects {
        world
            .zitadel(["token", "--project", project, "--zitadel-api"])
            .assert()
            .success();
    }
    let (code, shown) = Screen::of(&world.home, "cache list").end();
    assert_eq!(code, Some(0));
    assert_fits(&shown);
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].starts_with("KEY ID ") && !lines[0].contains("ISSUER"),
        "{shown}"
    );
    assert_eq!(lines[2].trim(), world.issuer.url(), "{shown}");
    for project in projects {
        assert!(
            shown.contains(&format!("urn:zitadel:iam:org:project:id:{project}:aud")),
            "{shown}"
        );
    }
    // Other programs still read a line for each entry.
    let piped = world.zitadel(["cache", "list"]).run();
    let piped = String::from_utf8(piped.stdout).unwrap();
    assert!(
        piped.starts_with("KEY ID") && piped.contains("ISSUER"),
        "{piped}"
    );
    assert_eq!(piped.lines().count(), 3, "{piped}");
}

#[test]
fn errors_wrap_their_lines_with_the_same_words_as_in_a_pipe() {
    let case = Case::new();
    let long = format!("--profile {} token", "a-name-".repeat(3));
    for words in [
        "token --outptu json",
        "token --output jsn",
        "exec",
        "login",
        &long,
    ] {
        let (code, shown) = Screen::of(&case.world.home, words).end();
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.starts_with("zitadel-credential: error: "), "{shown}");
        assert!(shown.contains("\n  hint: "), "{shown}");
        assert_fits(&shown);
        let piped = case.world.zitadel(words.split(' ')).run();
        let piped = String::from_utf8(piped.stderr).unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&shown), words(&piped));
    }
}

#[test]
fn without_arguments_a_newcomer_sees_where_to_begin() {
    let world = World::new();
    let (code, shown) = Screen::of(&world.home, "").end();
    assert_eq!(code, Some(2));
    assert!(shown.lines().count() <= 12, "{shown}");
    assert_fits(&shown);
    let piped = world.zitadel([""; 0]).run();
    assert_eq!(String::from_utf8(piped.stderr).unwrap(), shown);
    assert_eq!((piped.status.code(), piped.stdout), (Some(2), Vec::new()));
}
