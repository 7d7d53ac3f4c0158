//! The man pages: complete, correct for the program, and valid in both readers.

#[path = "../../packaging/man/pages.rs"]
mod pages;
use std::collections::BTreeSet;

use crate::support::program::{client, output};
use crate::support::tree::Node;
use crate::support::{Home, tree};

fn page(name: &str) -> String {
    let found = pages::pages().into_iter().find(|(file, _)| file == name);
    let (_, text) = found.unwrap();
    text.replace("\\-", "-")
}

/// Returns a home with all pages in man's search path.
fn home() -> Home {
    let home = Home::new();
    for (name, text) in pages::pages() {
        let section = name.rsplit('.').next().unwrap();
        home.write(format!("man{section}/{name}"), text);
    }
    home
}

fn help(words: &[&str]) -> String {
    let home = Home::new();
    let output = home.zitadel(words).arg("--help").run();
    String::from_utf8(output.stdout).unwrap()
}

fn variables(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
        .filter(|word| word.starts_with("ZITADEL_"))
        .collect()
}

fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words
        .filter(|word| word.len() > 3 && word.starts_with("--"))
        .collect()
}

#[test]
fn every_command_option_and_variable_of_the_help_is_documented() {
    let program = page("zitadel-credential.1");
    let help_of_all = help(&[]);
    assert!(options(&help_of_all).len() > 15);
    let missing: Vec<_> = options(&help_of_all)
        .difference(&options(&program))
        .copied()
        .collect();
    assert_eq!(missing, [""; 0]);
    let by_hand = program.split_once(".SH ENVIRONMENT").unwrap().1;
    let missing: Vec<_> = variables(&help_of_all)
        .difference(&variables(by_hand))
        .copied()
        .collect();
    assert_eq!(missing, [""; 0]);
    let all = pages::pages();
    assert!(all.len() > 12);
    for (name, text) in &all {
        let is_command = name
            .strip_prefix("zitadel-credential-")
            .filter(|name| name.ends_with(".1"));
        let Some(command) = is_command.and_then(|name| name.strip_suffix(".1")) else {
            continue;
        };
        let words: Vec<_> = command.split('-').collect();
        let help = help(&words);
        let (own, _) = help
            .split_once("Options of every command")
            .unwrap_or((&help, ""));
        let text = text.replace("\\-", "-");
        let listed = own
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        for option in listed
            .flat_map(options)
            .filter(|option| *option != "--with")
        {
            assert!(text.contains(option), "{name}: {option}");
        }
        assert!(text.contains(".SH EXAMPLES"), "{name}");
        assert!(
            program.contains(&format!("zitadel-credential-{}", words[0])),
            "{name}"
        );
    }
}

#[test]
fn the_page_has_exactly_the_keys_of_the_config_file() {
    let config = page("zitadel-credential-config.5");
    let told: BTreeSet<_> = config
        .lines()
        .filter_map(|line| line.strip_prefix(".B ").or(line.strip_prefix(".BR ")))
        .flat_map(|line| line.split(" \", \" "))
        .flat_map(|line| line.split([' ', '"', ',']))
        .filter(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase()) && *word != "zitadel-credential"
        })
        .collect();
    let file = include_str!("../../src/config/file.rs");
    let keys = file
        .lines()
        .filter_map(|line| line.strip_prefix("    pub(super) "));
    let keys: BTreeSet<_> = keys
        .map(|line| line.split(':').next().unwrap().replace('_', "-"))
        .filter(|key| !["profiles", "hosts", "shared"].contains(&key.as_str()))
        .collect();
    assert!(keys.len() > 12, "{keys:?}");
    assert_eq!(told, keys.iter().map(String::as_str).collect());
    for table in ["[profiles.NAME]", "[profiles.NAME.shared]", "[hosts."] {
        assert!(config.contains(table), "{table}");
    }
}

#[test]
fn every_file_that_setup_leaves_is_documented() {
    let home = Home::new();
    home.write_config("[profiles.prod]\nissuer = \"https://a.dev\"\nkey-file = \"key.json\"\n");
    home.write(".docker/config.json", "{}");
    let mut setup = home.zitadel(["setup", "docker", "r.dev"]);
    setup.assert().success();
    let program = page("zitadel-credential.1");
    let (_, files) = program.split_once(".SH FILES").unwrap();
    let mut left = tree(home.path(), &[".docker/config.json"]);
    left.retain(|_, node| matches!(node, Node::File(..)));
    assert_eq!(left.len(), 4, "{left:?}");
    for name in left.keys() {
        let told = match name.split_once(".before-") {
            Some((_, ending)) => format!("FILE .before-{ending}\n"),
            None => format!("/{name}\n"),
        };
        assert!(files.contains(&told), "{name}");
    }
}

#[test]
fn man_shows_every_page_without_a_warning() {
    let Some(man) = client("man") else { return };
    let home = home();
    for (name, _) in pages::pages() {
        let section = name.rsplit('.').next().unwrap();
        let mut command = home.command(&man);
        command.args(["--warnings=w", "-E", "UTF-8", "-P", "cat", "-l"]);
        command
            .arg(format!("man{section}/{name}"))
            .env("MANWIDTH", "80");
        let output = output(command);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("zitadel-credential"), "{name}: {shown}");
    }
}

#[test]
fn mandoc_reports_no_warning() {
    let Some(mandoc) = client("mandoc") else {
        return;
    };
    let home = home();
    for (name, text) in pages::pages() {
        if text.starts_with(".so ") {
            continue;
        }
        let section = name.rsplit('.').next().unwrap();
        let mut command = home.command(&mandoc);
        command.args(["-T", "lint", "-W", "warning"]);
        command.arg(format!("man{section}/{name}"));
        let output = output(command);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{name}");
        assert!(output.status.success(), "{name}");
    }
}
