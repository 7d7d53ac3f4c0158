//! `--undo` after changes, moves or sharing of the files.

use std::fs;
use std::os::unix::fs::symlink;

use super::{BACKUP, CONFIG, Fixture, JOURNAL, PROFILE};

const RULE: &str = "[hosts.\"c.dev\"]\nprofile = \"prod\"\n";

#[test]
fn a_rule_is_removed_in_any_later_layout() {
    for (since, left) in [
        (RULE.replace("prod\"", "prod\" # ci"), ""),
        (RULE.replace("]\n", "] # ci\n"), ""),
        (RULE.replace("profile = ", "  profile  ="), ""),
        (RULE.replace("]\n", "]\n# ci\n\n"), "# ci\n\n"),
        (RULE.replace('"', "'").replace("'prod'", "\"prod\""), ""),
        (
            "[hosts]\n\"c.dev\".profile = \"prod\"\n".to_owned(),
            "[hosts]\n",
        ),
    ] {
        let fixture = Fixture::with_config(PROFILE);
        fixture.done("go c.dev");
        let before = fixture.home.read(CONFIG);
        let (rest, _) = before.split_once(RULE).unwrap();
        // The empty line above our table is removed with it.
        let kept = if left == "[hosts]\n" {
            rest
        } else {
            rest.strip_suffix('\n').unwrap()
        };
        let more = "[profiles.other]\n";
        fixture.home.write_config(&format!("{rest}{since}{more}"));
        let said = fixture.done("go c.dev --undo");
        assert!(said.contains("removed hosts.c.dev\n"), "{said}");
        let goes = "the comment on its line goes with it\n";
        let has_comment = since.contains("\" # ci") || since.contains("] # ci");
        assert_eq!(said.contains(goes), has_comment, "{said}");
        assert_eq!(fixture.home.read(CONFIG), format!("{kept}{left}{more}"));
        assert!(!fixture.exists(JOURNAL));
    }
}

#[test]
fn values_of_a_shared_line_stay_and_are_reported() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.done("go c.dev d.dev");
    let (rest, _) = fixture
        .home
        .read(CONFIG)
        .split_once("\n[hosts")
        .map(|(a, b)| (a.to_owned(), b.len()))
        .unwrap();
    let table = "{ profile = \"prod\" }";
    let since = format!("hosts = {{ \"c.dev\" = {table}, \"e.dev\" = {table} }}\n{rest}");
    fixture.home.write_config(&since);
    let said = fixture.done("go d.dev c.dev --undo");
    assert!(said.contains("hosts.d.dev was removed already\n"), "{said}");
    let line = "hosts.c.dev was reformatted since, and is kept\n";
    assert!(said.contains(line), "{said}");
    assert_eq!(fixture.home.read(CONFIG), since);
}

#[test]
fn a_registry_is_removed_in_any_later_layout() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.done("cargo n.dev --registry new --index sparse+https://n.dev/i/");
    fixture.home.write(
        ".cargo/config.toml",
        "[registries.new]\n  credential-provider=[\"cargo-credential-zitadel\"] # a\n\
         \x20 index=\"sparse+https://n.dev/i/\"\n[net]\nretry = 1\n",
    );
    fixture.done("cargo n.dev --undo");
    assert_eq!(
        fixture.home.read(".cargo/config.toml"),
        "[net]\nretry = 1\n"
    );
}

#[test]
fn a_file_that_was_moved_and_linked_to_is_still_known() {
    for (words, file, ours) in [
        (
            "cargo c.dev",
            ".cargo/config.toml",
            "cargo-credential-zitadel",
        ),
        ("go c.dev", CONFIG, "c.dev"),
    ] {
        for again in [false, true] {
            let fixture = Fixture::with_config(PROFILE);
            let index = "[registries.a]\nindex = \"sparse+https://c.dev/\"\n";
            fixture.home.write(".cargo/config.toml", index);
            let before = fixture.home.read(file);
            fixture.done(words);
            let moved = fixture.home.write("dot/moved", "");
            fs::rename(fixture.path().join(file), &moved).unwrap();
            symlink(&moved, fixture.path().join(file)).unwrap();
            if again {
                let said = fixture.done(words);
                assert_eq!(
                    fixture.home.read("dot/moved").matches(ours).count(),
                    1,
                    "{said}"
                );
            }
            let said = fixture.done(&format!("{words} --undo"));
            assert_eq!(fixture.home.read("dot/moved"), before, "{said}");
            assert!(!fixture.home.read(CONFIG).contains("c.dev"), "{said}");
            assert!(!fixture.exists(JOURNAL), "{said}");
            let files = fixture.files();
            let mut copies = files.keys().filter(|name| name.ends_with(BACKUP));
            assert_eq!(copies.next(), None, "{said}");
        }
    }
}

#[test]
fn a_setup_in_another_file_is_named() {
    let fixture = Fixture::with_config(PROFILE);
    let index = "[registries.a]\nindex = \"sparse+https://c.dev/\"\n";
    fixture.home.write(".cargo/config.toml", index);
    fixture.done("cargo c.dev");
    fixture.home.write(".cargo/config", index);
    let said = fixture.done("cargo c.dev --undo");
    let line = "cargo was set up for c.dev in ~/.cargo/config.toml, and not in ~/.cargo/config: \
                all of it stays\n";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_rule_that_another_setup_needs_is_named_with_it() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.done("go a.dev");
    fixture.done("bazel a.dev");
    let said = fixture.done("go a.dev --undo");
    let line = "hosts.a.dev stays: the setup of bazel for a.dev needs it\n";
    assert!(said.contains(line), "{said}");
    assert!(
        fixture
            .done("bazel a.dev --undo")
            .contains("removed hosts.a.dev\n")
    );
}

const PROD: &str = "profile prod --issuer ISSUER --key-file key.json";

/// Returns a home with the links on PATH, and no other directory.
fn bare() -> Fixture {
    let fixture = Fixture::new();
    for tool in ["docker", "cargo"] {
        fixture.home.link(&format!("{tool}-credential-zitadel"));
    }
    fixture
}

#[test]
fn directories_created_by_setups_are_removed_with_their_content() {
    let fixture = bare();
    let before = fixture.files();
    let tools = [
        "docker a.dev",
        "docker a.dev --authfile deep/er/auth.json",
        "docker a.dev --authfile deep/other.json",
        "cargo c.dev --registry acme --index sparse+https://c.dev/",
        "terraform d.dev",
        "go g.dev",
    ];
    for undo in 0..3 {
        fixture.done(PROD);
        for words in tools {
            fixture.done(words);
        }
        let is_undone = |words: &str| match words {
            "--all" => fixture.done("undo --all"),
            words => fixture.done(&format!("{words} --undo")),
        };
        let host_and_file = |words: &str| words.split(" --registry").next().unwrap().to_owned();
        let mut each = tools.map(host_and_file).to_vec();
        match undo {
            0 => each = vec!["--all".to_owned()],
            1 => each.reverse(),
            _ => {}
        }
        for words in &each {
            is_undone(words);
        }
        if undo > 0 {
            assert!(!fixture.exists(".docker") && !fixture.exists("deep"));
            fixture.done("profile prod --undo");
        }
        assert_eq!(fixture.files(), before, "{undo}");
    }
}

#[test]
fn a_directory_stays_if_it_is_the_users_or_is_not_empty() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.link("docker-credential-zitadel");
    fs::create_dir(fixture.path().join("own")).unwrap();
    let before = fixture.files();
    fixture.done("docker a.dev --authfile own/auth.json");
    fixture.done("docker a.dev --authfile own/auth.json --undo");
    assert_eq!(fixture.files(), before);
    fixture.done("docker a.dev");
    fixture.home.write(".docker/other", "theirs");
    fixture.done("docker a.dev --undo");
    assert_eq!(fixture.home.read(".docker/other"), "theirs");
    assert!(!fixture.exists(".docker/config.json") && !fixture.exists(JOURNAL));
}
