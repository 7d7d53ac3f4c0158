//! Each setup ends with a call like its tool's.

use super::{CONFIG, Fixture, PROFILE};

/// Each setup of hosts, and its trial call.
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
fn a_success_is_reported_before_the_next_step() {
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

/// The written files stay, and this is reported: the trial may fail temporarily.
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
        let undo =
            format!("hint: run zitadel-credential setup {tool} a.dev --undo to undo the setup\n");
        assert!(outcome.stderr.contains(&undo), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("next"), "{}", outcome.stdout);
    }
    assert!(fixture.home.read(CONFIG).contains("a.dev"));
}

/// The undo finds the setup only by the config file and the tool's file of that setup.
#[test]
fn the_undo_that_a_failed_trial_names_undoes_this_setup() {
    let fixture = fixture();
    fixture.home.write("other.toml", fixture.home.read(CONFIG));
    fixture.home.write("auth.json", "{}");
    fixture.issuer.remove_key(&fixture.user.key_id);
    for words in [
        "go a.dev --config other.toml",
        "docker a.dev --authfile auth.json",
        "docker a.dev --authfile auth.json --config other.toml",
        "kubelet a.dev --output provider.yaml",
        "kubelet a.dev --output provider.yaml --config other.toml",
    ] {
        let before = fixture.files();
        let outcome = fixture.setup(words);
        assert_eq!(outcome.code, 1, "{words}: {}", outcome.stderr);
        let hint = |start: &str, end: &str| {
            let hint = outcome.stderr.split_once(start).unwrap().1;
            hint.split_once(end).unwrap().0.to_owned()
        };
        let doctor = hint("run zitadel-credential doctor a.dev", " to see more");
        let is_named = words.contains("--config");
        let option = if is_named {
            " --config ~/other.toml"
        } else {
            ""
        };
        assert_eq!(doctor, option, "{words}");
        let undo = hint("run zitadel-credential setup ", " to undo the setup");
        let home = fixture.path().to_str().unwrap();
        fixture.done(&undo.replace('~', home));
        assert_eq!(fixture.files(), before, "{undo}");
    }
}

#[test]
fn without_network_the_user_can_skip_the_test() {
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
fn the_test_uses_another_config_file_too() {
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
