//! `--undo`, where files were written into, moved or shared since.

use std::fs;
use std::os::unix::fs::symlink;

use super::{BACKUP, CONFIG, Desk, JOURNAL, PROFILE};

const RULE: &str = "[hosts.\"c.dev\"]\nprofile = \"prod\"\n";

#[test]
fn a_rule_is_taken_out_however_it_is_laid_out_since() {
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
        let desk = Desk::with_config(PROFILE);
        desk.done("go c.dev");
        let before = desk.home.read(CONFIG);
        let (rest, _) = before.split_once(RULE).unwrap();
        // The empty line above our table goes with it.
        let kept = if left == "[hosts]\n" {
            rest
        } else {
            rest.strip_suffix('\n').unwrap()
        };
        let more = "[profiles.other]\n";
        desk.home.write_config(&format!("{rest}{since}{more}"));
        let said = desk.done("go c.dev --undo");
        assert!(said.contains("takes out hosts.c.dev\n"), "{said}");
        assert_eq!(desk.home.read(CONFIG), format!("{kept}{left}{more}"));
        assert!(!desk.exists(JOURNAL));
    }
}

#[test]
fn what_shares_its_line_with_others_stays_and_is_told_of() {
    let desk = Desk::with_config(PROFILE);
    desk.done("go c.dev d.dev");
    let (rest, _) = desk
        .home
        .read(CONFIG)
        .split_once("\n[hosts")
        .map(|(a, b)| (a.to_owned(), b.len()))
        .unwrap();
    let table = "{ profile = \"prod\" }";
    let since = format!("hosts = {{ \"c.dev\" = {table}, \"e.dev\" = {table} }}\n{rest}");
    desk.home.write_config(&since);
    let said = desk.done("go d.dev c.dev --undo");
    assert!(said.contains("hosts.d.dev was removed already\n"), "{said}");
    let line = "hosts.c.dev was reformatted since, and is kept\n";
    assert!(said.contains(line), "{said}");
    assert_eq!(desk.home.read(CONFIG), since);
}

#[test]
fn a_registry_is_taken_out_however_it_is_laid_out_since() {
    let desk = Desk::with_config(PROFILE);
    desk.done("cargo n.dev --registry new --index sparse+https://n.dev/i/");
    desk.home.write(
        ".cargo/config.toml",
        "[registries.new]\n  credential-provider=[\"cargo-credential-zitadel\"] # a\n\
         \x20 index=\"sparse+https://n.dev/i/\"\n[net]\nretry = 1\n",
    );
    desk.done("cargo n.dev --undo");
    assert_eq!(desk.home.read(".cargo/config.toml"), "[net]\nretry = 1\n");
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
            let desk = Desk::with_config(PROFILE);
            let index = "[registries.a]\nindex = \"sparse+https://c.dev/\"\n";
            desk.home.write(".cargo/config.toml", index);
            let before = desk.home.read(file);
            desk.done(words);
            let moved = desk.home.write("dot/moved", "");
            fs::rename(desk.path().join(file), &moved).unwrap();
            symlink(&moved, desk.path().join(file)).unwrap();
            if again {
                let said = desk.done(words);
                assert_eq!(
                    desk.home.read("dot/moved").matches(ours).count(),
                    1,
                    "{said}"
                );
            }
            let said = desk.done(&format!("{words} --undo"));
            assert_eq!(desk.home.read("dot/moved"), before, "{said}");
            assert!(!desk.home.read(CONFIG).contains("c.dev"), "{said}");
            assert!(!desk.exists(JOURNAL), "{said}");
            let files = desk.files();
            let mut copies = files.keys().filter(|name| name.ends_with(BACKUP));
            assert_eq!(copies.next(), None, "{said}");
        }
    }
}

#[test]
fn a_setup_in_another_file_is_named() {
    let desk = Desk::with_config(PROFILE);
    let index = "[registries.a]\nindex = \"sparse+https://c.dev/\"\n";
    desk.home.write(".cargo/config.toml", index);
    desk.done("cargo c.dev");
    desk.home.write(".cargo/config", index);
    let said = desk.done("cargo c.dev --undo");
    let line = "cargo was set up for c.dev in ~/.cargo/config.toml, and not in ~/.cargo/config: \
                all of it stays\n";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_rule_that_another_setup_needs_is_named_with_it() {
    let desk = Desk::with_config(PROFILE);
    desk.done("go a.dev");
    desk.done("bazel a.dev");
    let said = desk.done("go a.dev --undo");
    let line = "hosts.a.dev stays: the setup of bazel for a.dev needs it\n";
    assert!(said.contains(line), "{said}");
    assert!(
        desk.done("bazel a.dev --undo")
            .contains("takes out hosts.a.dev\n")
    );
}
