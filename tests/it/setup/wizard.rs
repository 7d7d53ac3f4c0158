//! A user who sets a profile up by answering questions at a terminal.

mod beside;
mod place;

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::{CONFIG, Fixture};
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::screen::Screen;
use crate::support::{Ca, Issuer};

pub(super) const ISSUER: &str = "Issuer, the instance's URL";
pub(super) const KEY: &str = "Key file, the JSON";
pub(super) const NAME: &str = "Name of the profile";
pub(super) const HOSTS: &str = "Hosts that get its tokens";
pub(super) const ERROR: &str = "error: ";

/// Returns the wizard, with the fixture's links on `PATH`.
pub(super) fn wizard(fixture: &Fixture, words: &str) -> Screen {
    Screen::of(&fixture.home, words)
}

/// Gives these answers to all questions.
fn answered(fixture: &Fixture, words: &str, answers: [&str; 4]) -> (Option<i32>, String) {
    let mut screen = wizard(fixture, words);
    for (question, answer) in [ISSUER, KEY, NAME, HOSTS].into_iter().zip(answers) {
        screen.answers(question, &answer.replace("ISSUER", &fixture.issuer.url()));
    }
    screen.end()
}

#[test]
fn four_answers_make_a_working_profile_and_name_the_next_step() {
    for words in ["setup", "setup profile"] {
        let fixture = Fixture::new();
        let answers = ["ISSUER/ui/console?x=1", "key.json", "prod", "git.acme.dev"];
        let (code, shown) = answered(&fixture, words, answers);
        assert_eq!(code, Some(0), "{shown}");
        assert_eq!(fixture.issuer.token_requests(), 1, "one mint");
        let text = fixture.home.read(CONFIG);
        let key = fixture.path().join("key.json");
        let url = fixture.issuer.url();
        let expected = format!(
            "[profiles.prod]\nissuer = \"{url}\"\nkey-file = \"{}\"\n\n\
             [hosts.\"git.acme.dev\"]\nprofile = \"prod\"\n",
            key.display()
        );
        assert_eq!(text, expected);
        for line in [
            "\nworks now:\n  zitadel-credential whoami\n",
            "\n  zitadel-credential setup git git.acme.dev\n",
            "\n  zitadel-credential setup docker git.acme.dev\n",
            "\n  zitadel-credential doctor git.acme.dev\n",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        // The profile works as reported.
        fixture.home.zitadel(["whoami"]).assert().success();
        let mut get = fixture.home.zitadel(["git", "get"]);
        let output = get
            .write_stdin("protocol=https\nhost=git.acme.dev\n\n")
            .run();
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(answer.contains("password="), "{answer}");
        assert_eq!(fixture.issuer.token_requests(), 1);
        // The undo restores the file.
        fixture.done("profile prod --undo");
        assert!(!fixture.exists(CONFIG));
    }
}

#[test]
fn each_wrong_answer_is_asked_for_again() {
    let fixture = Fixture::new();
    fixture.home.write("not-a-key.json", "{}");
    fixture.home.write("a b/key.json", fixture.user.key_json());
    fixture.home.write(
        CONFIG,
        "[profiles.old]\nissuer = \"https://a.dev\"\nkey-file = \"~/key.json\"\n\
         [hosts.\"taken.dev\"]\nprofile = \"old\"\n",
    );
    let mut screen = wizard(&fixture, "setup");
    let url = fixture.issuer.url();
    let path = fixture.path().display().to_string();
    let elsewhere = format!("{url}9/");
    let dropped = format!("'{path}/a b/key.json' ");
    let rounds: [(&str, Vec<&str>); 4] = [
        (ISSUER, vec!["", "acme", "ftp://acme.dev", &elsewhere, &url]),
        (
            KEY,
            vec![
                "",
                "nowhere.json",
                "not-a-key.json",
                ".",
                "{\"type\"",
                &dropped,
            ],
        ),
        (NAME, vec!["my prod", "old", "-x", "new"]),
        (
            HOSTS,
            vec![
                "*.com",
                "git..dev",
                "github.com",
                "taken.dev",
                "https://git.acme.dev/x.git, r.dev:5000",
            ],
        ),
    ];
    let mut slips = 0;
    for (question, answers) in &rounds {
        for (asked, answer) in answers.iter().enumerate() {
            screen.see_times(question, asked + 1);
            screen.types(&format!("{answer}\n"));
        }
        slips += answers.len() - 1;
    }
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches(ERROR).count(), slips, "{shown}");
    for (question, answers) in &rounds {
        assert_eq!(shown.matches(question).count(), answers.len(), "{shown}");
    }
    assert!(
        shown.contains("used: git.acme.dev, the host of https://git.acme.dev/x.git"),
        "{shown}"
    );
    let text = fixture.home.read(CONFIG);
    for line in [
        &*format!("[profiles.new]\nissuer = \"{url}\"\nkey-file = \"{path}/a b/key.json\"\n"),
        "[hosts.\"git.acme.dev\"]\nprofile = \"new\"\n",
        "[hosts.\"r.dev:5000\"]\nprofile = \"new\"\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    // The other profile stays the default one, so the next calls name this one.
    assert!(
        shown.contains("zitadel-credential whoami --profile new\n"),
        "{shown}"
    );
    // A question's line ends in the typed answer.
    let is_question = |line: &str| {
        [ISSUER, KEY, NAME, HOSTS]
            .iter()
            .any(|q| line.starts_with(q))
    };
    for line in shown.lines().filter(|line| !is_question(line)) {
        assert!(line.chars().count() <= 80 || line.contains(&path), "{line}");
    }
}

#[test]
fn enter_takes_the_instances_name_and_no_host() {
    let fixture = Fixture::new();
    let (code, shown) = answered(
        &fixture,
        "setup",
        ["ISSUER", "file://HOME/key.json", "", ""].map(|answer| {
            Box::leak(
                answer
                    .replace("HOME", fixture.path().to_str().unwrap())
                    .into_boxed_str(),
            ) as &str
        }),
    );
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("Name of the profile (Enter for zitadel): "),
        "{shown}"
    );
    let text = fixture.home.read(CONFIG);
    assert!(
        text.starts_with("[profiles.zitadel]\n") && !text.contains("[hosts"),
        "{text}"
    );
    assert!(
        shown.contains("\n  zitadel-credential setup git HOST\n"),
        "{shown}"
    );
    // A second wizard proposes a free name.
    let (code, shown) = answered(&fixture, "setup", ["ISSUER", "~/key.json", "", "none"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("(Enter for zitadel-2)"), "{shown}");
}

/// A shell expands `*`, and docker and doctor refuse a wildcard.
#[test]
fn the_lines_to_copy_work_with_a_wildcard() {
    for (hosts, single) in [("*.acme.dev", None), ("*.acme.dev, r.dev", Some("r.dev"))] {
        let fixture = Fixture::new();
        let answers = ["ISSUER", "key.json", "prod", hosts];
        let (code, shown) = answered(&fixture, "setup", answers);
        assert_eq!(code, Some(0), "{shown}");
        let all = if single.is_some() { " r.dev" } else { "" };
        for line in [
            format!("\n  zitadel-credential setup git '*.acme.dev'{all}\n"),
            format!(
                "\n  zitadel-credential setup docker {}\n",
                single.unwrap_or("HOST")
            ),
        ] {
            assert!(shown.contains(&line), "{line}: {shown}");
        }
        let doctor = shown.split_once("zitadel-credential doctor ");
        let doctor = doctor.map(|(_, rest)| rest.lines().next().unwrap());
        assert_eq!(doctor, single, "{shown}");
    }
}

#[test]
fn without_an_issuer_whoami_is_not_said_to_work() {
    let fixture = Fixture::new();
    fixture.home.write("token", "an-opaque-token");
    let mut screen = wizard(&fixture, "setup --token-file token");
    screen.answers(NAME, "prod");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    let works = "works now:\n  zitadel-credential token\n";
    assert!(shown.contains(works), "{shown}");
    let whoami = fixture.home.zitadel(["whoami"]).run();
    assert_eq!(whoami.status.code(), Some(2));
}

#[test]
fn ctrl_c_and_ctrl_d_at_any_question_leave_nothing() {
    for end in ["\x03", "\x04"] {
        for stops_at in 0..4 {
            let fixture = Fixture::new();
            let before = fixture.files();
            let mut screen = wizard(&fixture, "setup");
            let answers = [&*fixture.issuer.url(), "key.json", "prod", ""];
            for (at, question) in [ISSUER, KEY, NAME, HOSTS].into_iter().enumerate() {
                screen.see(question);
                if at == stops_at {
                    screen.types(end);
                    break;
                }
                screen.types(&format!("{}\n", answers[at]));
            }
            let (code, shown) = screen.end();
            assert_ne!(code, Some(0), "{shown}");
            assert_eq!(fixture.files(), before, "{shown}");
            assert_eq!(fixture.issuer.token_requests(), 0);
            let is_told = shown.contains("nothing was written");
            assert_eq!(is_told, end == "\x04", "{shown}");
        }
    }
}

#[test]
fn a_key_that_gets_no_token_is_asked_for_again_and_all_else_stays() {
    let fixture = Fixture::new();
    let stranger = crate::support::ServiceUser::new();
    fixture.home.write("stranger.json", stranger.key_json());
    let mut screen = wizard(&fixture, "setup");
    screen.answers(ISSUER, &fixture.issuer.url());
    screen.answers(KEY, "stranger.json");
    screen.answers(NAME, "prod");
    screen.answers(HOSTS, "a.dev");
    screen.see("the issuer refused the assertion");
    assert!(!fixture.exists(CONFIG));
    screen.answers("Key file (Enter for stranger.json again): ", "key.json");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("profile prod: "), "{shown}");
    assert_eq!(shown.matches(ISSUER).count(), 1, "{shown}");
    let text = fixture.home.read(CONFIG);
    assert!(
        text.contains("/key.json\"") && text.contains("[hosts.\"a.dev\"]"),
        "{text}"
    );
}

#[test]
fn an_issuer_that_is_down_is_tried_again_with_the_same_key() {
    let fixture = Fixture::new();
    let mut screen = wizard(&fixture, "setup --timeout 2");
    screen.answers(ISSUER, &fixture.issuer.url());
    screen.answers(KEY, "key.json");
    screen.answers(NAME, "prod");
    let down = Fault::status(503, "text/plain", "down");
    fixture
        .issuer
        .fault(Endpoint::Token, down, Times::Exactly(3));
    screen.answers(HOSTS, "");
    screen.answers("Key file (Enter for key.json again): ", "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_key_that_others_can_read_is_reported_at_its_question() {
    let fixture = Fixture::new();
    let key = fixture.path().join("key.json");
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    let mut screen = wizard(&fixture, "setup");
    screen.answers(ISSUER, &fixture.issuer.url());
    screen.answers(KEY, "key.json");
    screen.see("other users can read the key: chmod 600 key.json");
    screen.answers(NAME, "prod");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("other users can read").count(), 1, "{shown}");
}

#[test]
fn options_answer_their_question() {
    let fixture = Fixture::new();
    let words = format!(
        "setup --config other.toml --key-file key.json --issuer {}",
        fixture.issuer.url()
    );
    let mut screen = wizard(&fixture, &words);
    screen.answers(NAME, "prod");
    screen.answers(HOSTS, "");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(ISSUER) && !shown.contains(KEY), "{shown}");
    let path = fixture.path().join("other.toml");
    let next = format!(
        "\n  zitadel-credential whoami --config {}\n",
        path.display()
    );
    assert!(shown.contains(&next), "{shown}");
}

#[test]
fn roles_are_offered_where_a_project_is_given() {
    const ROLES: &str = "Ask for the user's roles";
    for (answers, has_roles) in [([""].as_slice(), true), (&["maybe", "n"], false)] {
        let fixture = Fixture::new();
        let mut screen = wizard(&fixture, "setup --project 317240000000000001");
        screen.answers(ISSUER, &fixture.issuer.url());
        screen.answers(KEY, "key.json");
        screen.answers(NAME, "prod");
        screen.answers(HOSTS, "");
        for (asked, answer) in answers.iter().enumerate() {
            screen.see_times(ROLES, asked + 1);
            screen.types(&format!("{answer}\n"));
        }
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown}");
        let text = fixture.home.read(CONFIG);
        assert!(
            text.contains("projects = [\"317240000000000001\"]\n"),
            "{text}"
        );
        assert_eq!(text.contains("\nroles = true\n"), has_roles, "{text}");
    }
    let fixture = Fixture::new();
    let answers = ["ISSUER", "key.json", "prod", ""];
    let (_, shown) = answered(&fixture, "setup", answers);
    assert!(!shown.contains(ROLES), "{shown}");
    assert!(
        shown.contains("setup profile prod --project ID --roles\n"),
        "{shown}"
    );
}

#[test]
fn a_dry_run_shows_what_the_answers_would_write() {
    let fixture = Fixture::new();
    let before = fixture.files();
    let answers = ["ISSUER", "key.json", "prod", "a.dev"];
    let (code, shown) = answered(&fixture, "setup --dry-run", answers);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("+[profiles.prod]\n"), "{shown}");
    assert_eq!(fixture.files(), before);
    assert_eq!(fixture.issuer.token_requests(), 0);
}

#[test]
fn without_a_terminal_the_usage_is_shown() {
    let fixture = Fixture::new();
    for (words, starts) in [
        (
            "setup",
            "zitadel-credential: error: missing argument <TOOL>: without it, setup asks for a profile, only at a terminal outside CI\n\nWrite a profile, or set up a tool to use it\n\nUsage: \
             zitadel-credential setup ",
        ),
        (
            "setup --undo",
            "zitadel-credential: error: missing argument <TOOL>\n\nWrite a profile, or set up a tool",
        ),
        (
            "setup profile",
            "zitadel-credential: error: missing argument <NAME>\n  hint: usage: ",
        ),
        (
            "setup profile prod",
            "zitadel-credential: error: a new profile needs --issuer\n",
        ),
    ] {
        let output = fixture.home.zitadel(words.split(' ')).run();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(starts), "{words}: {stderr}");
        // A build server may have a terminal.
        let ci = [("TERM", "xterm"), ("CI", "true")];
        let (code, shown) = Screen::with(&fixture.home, words, &ci).end();
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.starts_with(starts), "{words}: {shown}");
    }
    assert!(!fixture.exists(CONFIG));
}

#[test]
fn an_issuer_with_a_private_authority_gets_a_hint_of_ca_file() {
    let (ca, fixture) = (Ca::new(), Fixture::new());
    let issuer = Issuer::start_tls(&ca);
    fixture.home.write("ca.pem", ca.pem());
    let user = issuer.new_user();
    fixture.home.write("key.json", user.key_json());
    let mut screen = wizard(&fixture, "setup");
    screen.answers(ISSUER, &issuer.url());
    screen.see("for --ca-file, press Ctrl-C, and run");
    drop(screen);
    let mut screen = wizard(&fixture, "setup --ca-file ca.pem");
    for (question, answer) in [
        (ISSUER, &*issuer.url()),
        (KEY, "key.json"),
        (NAME, ""),
        (HOSTS, ""),
    ] {
        screen.answers(question, answer);
    }
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    let text = fixture.home.read(CONFIG);
    let ca_file = fixture.path().join("ca.pem");
    assert!(
        text.contains(&format!("ca-file = \"{}\"", ca_file.display())),
        "{text}"
    );
}
