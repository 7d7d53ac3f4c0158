//! `setup gcp`: a separate credential configuration.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::setup::{CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::issuer::TokenKind;
use crate::support::{Run, binary};

const FILE: &str = ".config/zitadel-credential/gcp.json";

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/z";

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(&format!("{PROFILE}projects = [\"7\"]\n"));
    fixture.issuer.set_token_kind(TokenKind::Jwt);
    fixture
}

#[test]
fn a_file_is_written_whose_command_answers() {
    let fixture = fixture();
    let words = format!("gcp --audience {AUDIENCE}");
    let look = fixture.done(&format!("{words} --dry-run"));
    assert!(
        look.contains(&format!("\"audience\": \"{AUDIENCE}\"")),
        "{look}"
    );
    assert!(!fixture.exists(FILE));
    let tried = format!(
        "zitadel-credential gcp answers for ~/{FILE}\n\
         next, where Google's client runs:\n\
         export GOOGLE_APPLICATION_CREDENTIALS=~/{FILE}\n\
         export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1\n"
    );
    assert_eq!(fixture.done(&words), format!("created ~/{FILE}\n{tried}"));
    let account: Value = serde_json::from_str(&fixture.home.read(FILE)).unwrap();
    let command = format!("{} gcp --profile prod", binary().display());
    assert_eq!(
        account,
        json!({
            "type": "external_account",
            "audience": AUDIENCE,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {
                "executable": {"command": command, "timeout_millis": 60000},
            },
        })
    );
    let mut words_of = command.split(' ');
    let mut call = fixture.home.command(words_of.next().unwrap());
    assert!(call.args(words_of).run().status.success());
    assert_eq!(fixture.done(&words), format!("nothing to change\n{tried}"));
    assert!(!fixture.home.read(CONFIG).contains("hosts"));
    assert_eq!(fixture.done("gcp --undo"), format!("removed ~/{FILE}\n"));
    assert!(!fixture.exists(FILE) && !fixture.exists(JOURNAL));
    let said = fixture.done("gcp --undo");
    assert_eq!(
        said,
        format!("nothing to change\ngcp was not set up in ~/{FILE}\n")
    );
}

#[test]
fn setup_replaces_only_its_own_file() {
    let fixture = fixture();
    fixture.done(&format!("gcp --audience {AUDIENCE}"));
    fixture.done(&format!("gcp --audience {AUDIENCE}2"));
    assert!(fixture.home.read(FILE).contains("providers/z2\""));
    fixture.home.write(FILE, "{\"mine\": 1}\n");
    let said = fixture.refused(2, &format!("gcp --audience {AUDIENCE}"));
    assert!(said.contains("the file exists already"), "{said}");
    let said = fixture.done("gcp --undo");
    assert!(
        said.contains("was changed since the setup, so it stays"),
        "{said}"
    );
    assert_eq!(fixture.home.read(FILE), "{\"mine\": 1}\n");
    std::fs::remove_file(fixture.path().join(FILE)).unwrap();
    let other = format!("gcp --audience {AUDIENCE} --output google/account.json");
    fixture.done(&other);
    assert!(fixture.exists("google/account.json"));
    fixture.done("undo --all");
    assert!(!fixture.exists("google/account.json"));
}

#[test]
fn unusable_options_are_refused() {
    let fixture = fixture();
    for audience in [
        "https://iam.googleapis.com/x",
        "prod",
        "//iam.googleapis.com/\u{1b}[2J",
    ] {
        let said = fixture.refused(2, &format!("gcp --audience {audience}"));
        assert!(said.contains("invalid audience"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    let said = fixture.refused(2, "gcp");
    assert!(said.contains("--audience"), "{said}");
    // A client would split the path at its space.
    let dir = fixture.path().join("my programs");
    std::fs::create_dir(&dir).unwrap();
    symlink(binary(), dir.join("zitadel-credential")).unwrap();
    let mut call = fixture
        .home
        .zitadel(["setup", "gcp", "--audience", AUDIENCE]);
    let output = call.env("PATH", &dir).run();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("split it at its spaces"), "{said}");
    // Google's exchange needs a JWT.
    fixture.issuer.set_token_kind(TokenKind::Opaque);
    let outcome = fixture.setup(&format!("gcp --audience {AUDIENCE}"));
    assert_eq!(outcome.code, 1);
    assert!(
        outcome
            .stderr
            .contains("but gcp gets no login for it: the token is opaque"),
        "{}",
        outcome.stderr
    );
}
