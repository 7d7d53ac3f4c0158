//! Refusals and warnings of `setup profile`.

use super::super::{CONFIG, Fixture, JOURNAL};
use super::PROD;

#[test]
fn a_profile_that_gets_no_token_is_not_written() {
    let fixture = Fixture::new();
    fixture.issuer.remove_key(&fixture.user.key_id);
    let said = fixture.refused(1, PROD);
    assert!(said.contains("the issuer refused the assertion"), "{said}");
    assert!(!fixture.exists(CONFIG));
}

#[test]
fn a_dry_run_asks_nobody_and_changes_nothing() {
    let fixture = Fixture::new();
    let before = fixture.files();
    let said = fixture.done(&format!("{PROD} --dry-run"));
    assert!(said.starts_with("--- /dev/null\n+++ ~/"), "{said}");
    assert!(said.contains("+[profiles.prod]\n+issuer = "), "{said}");
    assert_eq!(fixture.files(), before);
    assert_eq!(fixture.issuer.total_requests(), 0);
}

/// The first call would refuse it.
#[test]
fn an_unusable_file_is_refused_also_without_a_test() {
    let fixture = Fixture::new();
    fixture.home.write("key.pem", fixture.user.pkcs8_pem());
    fixture.home.write("empty", "{}");
    fixture.home.write("two words", "a b");
    fixture.home.write("secret", "s3cret");
    for (words, why) in [
        (
            "--issuer ISSUER --key-file key.pem",
            "a bare PEM key without its key ID and user ID",
        ),
        ("--issuer ISSUER --key-file empty", "key is missing"),
        (
            "--issuer ISSUER --client-id ci --client-secret-file key.pem",
            "client-secret-file ",
        ),
        ("--token-file key.pem", "a private key, not a token"),
    ] {
        for mode in ["--dry-run", "--no-try"] {
            let outcome = fixture.setup(&format!("profile prod {words} {mode}"));
            let said = &outcome.stderr;
            assert_ne!(outcome.code, 0, "{words} {mode}: {said}");
            assert!(said.contains(why), "{words} {mode}: {said}");
        }
    }
    assert!(!fixture.exists(CONFIG));
    for words in [
        "--issuer ISSUER --key-file key.pem --key-id 1 --user-id 2",
        "--issuer ISSUER --client-id ci --client-secret-file secret",
        "--issuer ISSUER --key-file not-there-yet.json",
        "--token-file secret",
    ] {
        let said = fixture.done(&format!("profile prod {words} --dry-run"));
        let warning = "# warning: not-there-yet.json: no such file\n";
        let is_there = !words.contains("not-there-yet");
        assert_eq!(!said.contains(warning), is_there, "{words}: {said}");
    }
    let absent = "profile prod --issuer ISSUER --key-file not-there-yet.json --no-try";
    let said = fixture.done(absent);
    assert!(
        said.contains("\nwarning: not-there-yet.json: no such file\n"),
        "{said}"
    );
    fixture.done("profile prod --undo");
    assert_eq!(fixture.issuer.total_requests(), 0);
}

#[test]
fn a_dry_run_shows_the_file_of_each_source() {
    let fixture = Fixture::new();
    for name in ["token", "secret"] {
        fixture.home.write(name, "s3cret");
    }
    for (words, lines) in [
        ("--token-file token", vec!["+token-file = \"~/token\"\n"]),
        (
            "--issuer ISSUER --client-id ci --client-secret-file secret",
            vec![
                "+client-secret-file = \"~/secret\"\n",
                "+client-id = \"ci\"\n",
            ],
        ),
    ] {
        let said = fixture.done(&format!("profile prod {words} --dry-run"));
        for line in lines {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert!(!said.contains("[…]") && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_file_that_does_not_parse_is_refused_and_left_alone() {
    let fixture = Fixture::with_config("[profiles.old\n");
    let said = fixture.refused(2, PROD);
    assert!(said.contains("line 1: invalid TOML"), "{said}");
    let fixture = Fixture::new();
    fixture.home.write(JOURNAL, "{}");
    let said = fixture.refused(2, PROD);
    assert!(said.contains("setup.json: invalid setup journal"), "{said}");
}

#[test]
fn missing_values_are_named_without_a_terminal() {
    let fixture = Fixture::new();
    let said = fixture.refused(2, "profile prod");
    assert!(said.contains("a new profile needs --issuer"), "{said}");
    let said = fixture.refused(2, "profile prod --issuer ISSUER");
    assert!(said.contains("a new profile needs --key-file"), "{said}");
    for (words, option) in [
        ("--client-id ci", "--issuer"),
        ("--client-secret-file key.json", "--issuer"),
        (
            "--client-secret-file key.json --issuer ISSUER",
            "--client-id",
        ),
        ("--client-id ci --issuer ISSUER", "--client-secret-file"),
    ] {
        let said = fixture.refused(2, &format!("profile prod {words}"));
        let needs = format!("a new profile needs {option}\n");
        let call = " --client-id ID --client-secret-file FILE\n";
        assert!(said.contains(&needs) && said.contains(call), "{said}");
        assert!(!said.contains("--key-file"), "{said}");
    }
    let said = fixture.refused(2, "profile prod --host a.dev");
    assert!(
        said.contains("--host is not an option of setup profile"),
        "{said}"
    );
    let mut command =
        fixture
            .home
            .zitadel(["setup", "profile", "prod", "--issuer", "https://a.dev"]);
    command.env("ZITADEL_CREDENTIAL_KEY", fixture.user.key_json());
    let output = command.run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("a profile cannot contain the key of ZITADEL_CREDENTIAL_KEY"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}

/// A setup's undo leaves the rule, which then belongs to no setup.
#[test]
fn a_rule_that_was_changed_since_is_named_with_a_remedy() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    fixture.done("docker r.dev s.dev");
    let rule = "[hosts.\"r.dev\"]\n";
    let changed = fixture
        .home
        .read(CONFIG)
        .replace(rule, &format!("{rule}auth = \"basic\"\n"));
    fixture.home.write_config(&changed);
    let said = fixture.done("docker r.dev --undo");
    let line = "hosts.r.dev was changed since the setup, so it stays: remove it by hand";
    assert!(said.contains(line), "{said}");
    let said = fixture.refused(2, "profile prod --undo");
    let hint = format!(
        "the rule for r.dev was written or changed by hand: remove [hosts.\"r.dev\"] from ~/{CONFIG}\n"
    );
    assert!(
        said.contains(&hint) && !said.contains("the rule for s.dev"),
        "{said}"
    );
    let text = fixture.home.read(CONFIG);
    let at = text.find("[hosts.\"r.dev\"]").unwrap();
    let end = at + text[at..].find("\n\n").unwrap_or(text.len() - at);
    fixture
        .home
        .write_config(&format!("{}{}", &text[..at], &text[end..]));
    fixture.done("docker s.dev --undo");
    fixture.done("profile prod --undo");
}

#[test]
fn a_profile_that_is_in_use_is_not_removed() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    fixture.done("docker r.dev");
    let said = fixture.refused(2, "profile prod --undo");
    assert!(
        said.contains("host rules still use profile prod: r.dev"),
        "{said}"
    );
    fixture.done("docker r.dev --undo");
    fixture.done("profile prod --undo");
    assert!(!fixture.exists(CONFIG) && !fixture.exists(JOURNAL));
    assert!(!fixture.exists(".docker") && !fixture.exists(".config"));
}

/// Tested or not, a value that the next call would refuse is not written.
#[test]
fn an_invalid_issuer_is_not_written() {
    let fixture = Fixture::new();
    for issuer in [
        "acme.zitadel.cloud",
        "localhost:8080",
        "https://acme.dev/ui/console",
    ] {
        for how in ["--no-try", "--dry-run"] {
            let mut setup = fixture.home.zitadel(["setup", "profile", "more", how]);
            setup.args(["--key-file", "key.json", "--issuer", issuer]);
            let run = setup.current_dir(fixture.home.path()).run();
            assert_eq!(run.status.code(), Some(2), "{run:?}");
            let said = String::from_utf8(run.stderr).unwrap();
            assert!(said.contains("invalid issuer URL"), "{said}");
            assert!(!fixture.home.config_path().exists());
        }
    }
}
