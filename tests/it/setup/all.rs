//! `setup list` and `setup undo --all`.

use std::fs;

use serde_json::{Value, json};

use super::{CONFIG, Fixture, JOURNAL, PROFILE};

const PROD: &str = "profile prod --issuer ISSUER --key-file key.json";

const DOCKER: &str = ".docker/config.json";

/// Sets up profiles and tools, of which two share a host rule. The files existed before.
fn set_up() -> Fixture {
    let fixture = Fixture::new();
    fixture.home.write(DOCKER, "{\n\t\"auths\": {}\n}\n");
    for name in ["docker-credential-zitadel", "cargo-credential-zitadel"] {
        fixture.home.link(name);
    }
    for words in [
        PROD,
        "profile alone --issuer ISSUER --key-file key.json",
        "docker a.dev b.dev",
        "go a.dev",
        "cargo c.dev --registry acme --index sparse+https://c.dev/",
        "terraform d.dev",
    ] {
        fixture.done(words);
    }
    fixture
}

fn listed(fixture: &Fixture) -> Vec<Value> {
    serde_json::from_str(&fixture.done("list --output json")).unwrap()
}

#[test]
fn each_setup_is_listed_with_its_files_and_its_time() {
    let fixture = set_up();
    let all = listed(&fixture);
    let names: Vec<_> = all
        .iter()
        .map(|setup| {
            let text = |key: &str| setup[key].as_str().unwrap().to_owned();
            format!("{} {}", text("tool"), text("name"))
        })
        .collect();
    assert_eq!(
        names,
        [
            "cargo c.dev",
            "docker a.dev",
            "docker b.dev",
            "go a.dev",
            "terraform d.dev",
            "profile alone",
            "profile prod",
        ]
    );
    let docker = &all[1];
    assert_eq!(docker["config"], format!("~/{CONFIG}"));
    assert_eq!(
        docker["files"],
        json!([format!("~/{CONFIG}"), format!("~/{DOCKER}")])
    );
    assert!(docker["when"].as_str().unwrap().ends_with('Z'));
    for setup in &all {
        assert_eq!(setup["changed"], json!([]), "{setup}");
    }
    let text = fixture.done("list");
    let block = format!(
        "docker a.dev\n  when     {}\n",
        docker["when"].as_str().unwrap()
    );
    assert!(text.contains(&block), "{text}");
    assert!(text.contains(&format!("  file     ~/{DOCKER}\n")), "{text}");
    let before = fixture.files();
    fixture.done("list");
    assert_eq!(fixture.files(), before);
}

#[test]
fn setups_changed_since_are_reported() {
    let fixture = set_up();
    fixture.home.write(DOCKER, "{}\n");
    let plugins = fixture.path().join(".terraform.d/plugins");
    fs::remove_dir_all(plugins).unwrap();
    let config = fixture.home.read(CONFIG);
    fixture
        .home
        .write_config(&config.replace("[hosts.\"a.dev\"]\nprofile = \"prod\"", ""));
    let changed = |tool: &str, name: &str| {
        let all = listed(&fixture);
        let mut all = all.iter();
        let setup = all.find(|it| it["tool"] == tool && it["name"] == name);
        setup.unwrap()["changed"].clone()
    };
    assert_eq!(
        changed("docker", "a.dev"),
        json!([
            "credHelpers.a.dev was removed already",
            "hosts.a.dev was removed already"
        ])
    );
    assert_eq!(
        changed("go", "a.dev"),
        json!(["hosts.a.dev was removed already"])
    );
    assert_eq!(
        changed("docker", "b.dev"),
        json!(["credHelpers.b.dev was removed already"])
    );
    assert_eq!(changed("cargo", "c.dev"), json!([]));
    assert_eq!(changed("profile", "prod"), json!([]));
    let link = changed("terraform", "d.dev");
    assert!(link[0].as_str().unwrap().starts_with("the link "), "{link}");
    let text = fixture.done("list");
    assert!(
        text.contains("  changed  credHelpers.b.dev was removed already\n"),
        "{text}"
    );
}

#[test]
fn all_setups_are_undone_and_each_file_is_what_it_was() {
    let fixture = set_up();
    let said = fixture.done("undo --all");
    assert!(said.contains("setup docker b.dev:\n"), "{said}");
    assert!(said.contains("  removed profiles.prod\n"), "{said}");
    // Two setups need hosts.a.dev, and both are undone.
    assert_eq!(said.matches("  removed hosts.a.dev\n").count(), 1, "{said}");
    assert!(!said.contains("stays"), "{said}");
    assert_eq!(fixture.home.read(DOCKER), "{\n\t\"auths\": {}\n}\n");
    for path in [CONFIG, JOURNAL, ".cargo/config.toml"] {
        assert!(!fixture.exists(path), "{path}");
    }
    assert_eq!(fixture.done("undo --all"), "no setup is in place\n");
    assert_eq!(fixture.done("list"), "no setup is in place\n");
    assert_eq!(fixture.done("list --output json"), "[]\n");
}

/// The dry run shows the final state, as no setup is written in between.
#[test]
fn a_dry_run_of_it_shows_every_file_and_changes_nothing() {
    let fixture = set_up();
    let before = fixture.files();
    let said = fixture.done("undo --all --dry-run");
    assert_eq!(fixture.files(), before);
    for line in [
        "-[hosts.\"a.dev\"]\n",
        "-[profiles.alone]\n",
        "-[profiles.prod]\n",
        "-default-profile = \"prod\"\n",
        "# removes credHelpers.a.dev\n",
        "# removes hosts.a.dev\n",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line}{said}");
    }
    assert!(!said.contains("stays"), "{said}");
    for host in ["a.dev", "b.dev"] {
        assert!(said.contains(&format!("\"{host}\": \"zitadel\"")), "{said}");
    }
}

#[test]
fn a_failing_undo_is_reported_and_the_others_continue() {
    let fixture = set_up();
    fixture.home.write(DOCKER, "{ no json");
    for words in ["undo --all --dry-run", "undo --all"] {
        let outcome = fixture.setup(words);
        assert_eq!(outcome.code, 2, "{words}");
        for name in ["a.dev", "b.dev"] {
            let said = format!("error: setup docker {name}: ~/{DOCKER}: ");
            assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
        }
        // Docker's rules still name the profile.
        assert!(
            outcome
                .stderr
                .contains("error: setup profile prod: host rules")
        );
    }
    let left: Vec<_> = listed(&fixture)
        .iter()
        .map(|setup| format!("{} {}", setup["tool"], setup["name"]).replace('"', ""))
        .collect();
    assert_eq!(left, ["docker a.dev", "docker b.dev", "profile prod"]);
    fixture.home.write(DOCKER, "{}");
    fixture.done("undo --all");
    assert!(!fixture.exists(JOURNAL) && !fixture.exists(CONFIG));
}

/// The link of pip goes before the host rule.
#[test]
fn a_dry_run_shows_nothing_of_a_setup_that_cannot_be_undone() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.done("keyring k.dev --no-try");
    let mut journal: Value = serde_json::from_str(&fixture.home.read(JOURNAL)).unwrap();
    let configs = journal["configs"].as_object_mut().unwrap();
    let setups = configs
        .values_mut()
        .next()
        .unwrap()
        .as_object_mut()
        .unwrap();
    let edits = setups.values_mut().next().unwrap().as_array_mut().unwrap();
    let is_rule = |edit: &&mut Value| edit["at"] == json!(["hosts", "k.dev"]);
    let rule = edits.iter_mut().find(is_rule).unwrap();
    rule["file"] = json!("/elsewhere/config.toml");
    fixture.home.write(JOURNAL, journal.to_string());
    let outcome = fixture.setup("undo --all --dry-run");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("hosts.k.dev is in another config file"),
        "{}",
        outcome.stderr
    );
    let link = ".local/lib/zitadel-keyring/keyring";
    assert!(!outcome.stdout.contains(link), "{}", outcome.stdout);
    assert!(fixture.exists(link));
}

/// Users type this for one setup.
#[test]
fn an_undo_without_all_names_the_undo_of_one_setup() {
    let fixture = set_up();
    let one = "  hint: to undo one setup, run zitadel-credential setup TOOL HOST --undo\n";
    for words in ["undo", "undo --dry-run", "undo docker a.dev", "undo a.dev"] {
        let said = fixture.refused(2, words);
        assert!(said.contains(one), "{words}: {said}");
    }
    let said = fixture.refused(2, "undo --all --timeout soon");
    assert!(!said.contains(one), "{said}");
}

#[test]
fn setups_of_other_config_files_and_places_are_undone_too() {
    let fixture = set_up();
    let other = fixture.path().join(".config/zitadel-credential/other.toml");
    let other = other.display();
    fixture.done(&format!("{PROD} --config {other}"));
    fixture.done(&format!(
        "docker x.dev --config {other} --authfile auth.json"
    ));
    let config = listed(&fixture)
        .iter()
        .find(|setup| setup["name"] == "x.dev")
        .unwrap()["config"]
        .clone();
    assert_eq!(config, "~/.config/zitadel-credential/other.toml");
    fixture.done("undo --all");
    assert!(!fixture.exists(JOURNAL) && !fixture.exists("auth.json"));
    assert!(!fixture.path().join("other.toml").exists());
}

#[test]
fn remaining_setups_are_named_at_the_end_too() {
    let fixture = set_up();
    fixture
        .home
        .append_config("[hosts.\"by.hand\"]\nprofile = \"prod\"\n");
    for (words, last) in [
        (
            "undo --all --dry-run",
            "# not undone, as the errors above say: setup profile prod\n",
        ),
        (
            "undo --all",
            "\nnot undone, as the errors above say: setup profile prod\n",
        ),
    ] {
        let outcome = fixture.setup(words);
        assert_eq!(outcome.code, 2, "{words}: {}", outcome.stderr);
        assert!(
            outcome.stdout.ends_with(last),
            "{words}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn a_setup_that_added_no_rule_of_its_own_has_a_line_in_the_undo_of_all() {
    let fixture = set_up();
    fixture.done("bazel *.wide.dev --no-try");
    fixture.done("go go.wide.dev --no-try");
    fixture.done("terraform t.wide.dev --no-try");
    let said = fixture.done("undo --all");
    assert!(
        said.contains("setup go go.wide.dev:\n  nothing else to change\n"),
        "{said}"
    );
}

#[test]
fn undo_names_its_arguments() {
    let fixture = set_up();
    let before = fixture.files();
    let outcome = fixture.setup("undo");
    assert_eq!((outcome.code, fixture.files()), (2, before));
    assert!(outcome.stderr.contains("--all"), "{}", outcome.stderr);
}

/// The journal is from a version without times.
#[test]
fn a_journal_without_times_is_read() {
    let fixture = set_up();
    let journal: Value = serde_json::from_str(&fixture.home.read(JOURNAL)).unwrap();
    let mut text = serde_json::to_string_pretty(&journal).unwrap();
    let when = listed(&fixture)[0]["when"].clone();
    assert!(when.is_string());
    while let Some(at) = text.find(",\n          \"when\": ") {
        let end = at + 2 + text[at + 2..].find('\n').unwrap();
        text.replace_range(at..end, "");
    }
    assert!(!text.contains("\"when\""), "{text}");
    fixture.home.write(JOURNAL, &text);
    for setup in listed(&fixture) {
        assert_eq!(setup["when"], Value::Null);
    }
    fixture.done("undo --all");
}
