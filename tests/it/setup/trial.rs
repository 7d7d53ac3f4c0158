//! Each setup ends with the call that its tool makes.

use super::{CONFIG, Fixture, PROFILE};

/// Each setup of hosts, and the call that it tries.
const CALLS: [(&str, &str); 5] = [
    ("docker a.dev", "docker-credential-zitadel get"),
    ("bazel a.dev", "bazel-credential-zitadel get"),
    ("go a.dev", "zitadel-credential go"),
    ("terraform a.dev", "terraform-credentials-zitadel get"),
    (
        "cargo a.dev --registry a --index sparse+https://a.dev/",
        "cargo-credential-zitadel",
    ),
];

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in [
        "docker-credential-zitadel",
        "bazel-credential-zitadel",
        "cargo-credential-zitadel",
    ] {
        fixture.home.link(name);
    }
    fixture
}

#[test]
fn what_works_is_said_and_then_what_to_type_next() {
    let fixture = fixture();
    for (words, call) in CALLS {
        for _ in 0..2 {
            let said = fixture.done(words);
            let (before, after) = said
                .split_once(&format!("{call} answers for a.dev"))
                .unwrap();
            let is_next = |line: &str| line.starts_with("next");
            assert!(!before.lines().any(is_next), "{said}");
            assert!(after.lines().any(is_next), "{said}");
        }
    }
    assert_eq!(fixture.issuer.token_requests(), 1);
}

/// What was written stays, and is said: the trial may fail for a reason that passes.
#[test]
fn a_tool_that_gets_no_token_is_an_error_that_says_why() {
    let fixture = fixture();
    fixture.issuer.remove_key(&fixture.user.key_id);
    for (words, _) in CALLS {
        let outcome = fixture.setup(words);
        assert_eq!(outcome.code, 1, "{words}");
        let tool = words.split(' ').next().unwrap();
        let said = format!(
            "zitadel-credential: error: a.dev is set up, but {tool} gets no login for it: the issuer refused the assertion"
        );
        assert!(outcome.stderr.starts_with(&said), "{}", outcome.stderr);
        let undo = format!("zitadel-credential setup {tool} a.dev --undo takes it back");
        assert!(outcome.stderr.contains(&undo), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("next"), "{}", outcome.stdout);
    }
    assert!(fixture.home.read(CONFIG).contains("a.dev"));
}

#[test]
fn without_network_nothing_is_tried_if_the_person_says_so() {
    let fixture = fixture();
    fixture.issuer.remove_key(&fixture.user.key_id);
    for (words, call) in CALLS {
        let said = fixture.done(&format!("{words} --no-try"));
        assert!(
            !said.contains(&format!("{call} answers")) && said.contains("next"),
            "{said}"
        );
    }
    let said = fixture.done("profile other --issuer ISSUER --key-file key.json --no-try");
    assert!(!said.contains("gave"), "{said}");
    assert!(fixture.home.read(CONFIG).contains("[profiles.other]"));
    assert_eq!(fixture.issuer.total_requests(), 0);
}

#[test]
fn a_dry_run_a_wildcard_and_an_undo_try_nothing() {
    let fixture = fixture();
    for words in [
        "docker a.dev --dry-run",
        "bazel *.a.dev",
        "docker a.dev --undo",
    ] {
        let said = fixture.done(words);
        assert!(!said.contains("answers"), "{said}");
    }
    assert_eq!(fixture.issuer.token_requests(), 0);
}

#[test]
fn by_another_config_file_the_trial_goes_by_it_too() {
    let fixture = fixture();
    let toml = fixture.home.read(CONFIG);
    fixture.home.write("other.toml", toml);
    std::fs::remove_file(fixture.home.config_path()).unwrap();
    for (words, call) in CALLS {
        let said = fixture.done(&format!("{words} --config other.toml"));
        assert!(
            said.contains(&format!("{call} answers for a.dev")),
            "{said}"
        );
    }
}
