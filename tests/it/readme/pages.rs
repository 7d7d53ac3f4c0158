//! The contents of the pages and the help.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::told;
use crate::support::{Home, ServiceUser};

/// Returns a home with this config file, and the user's key at the path in it.
pub(super) fn home_with(config: &str, user: &ServiceUser) -> Home {
    let key_file = ".config/zitadel-credential/prod.json";
    assert!(config.contains(&format!("~/{key_file}")) || config.contains("\nkey-command"));
    let home = Home::new();
    home.write_config(config);
    home.write(key_file, user.key_json());
    home
}

/// Returns the hosts in the README's pages that have a rule, and their usernames.
pub(super) fn listed(home: &Home) -> Value {
    let told = told();
    let files = blocks(&told, "json").into_iter();
    let mut files = files.map(|json| serde_json::from_str::<Value>(json).unwrap());
    let mut file = files
        .find(|file| file.get("credHelpers").is_some())
        .unwrap();
    file["credHelpers"]["git.acme.dev"] = "zitadel".into();
    home.write(".docker/config.json", file.to_string());
    let listed = home.zitadel(["docker", "list"]).run();
    assert_eq!(String::from_utf8(listed.stderr).unwrap(), "");
    serde_json::from_slice(&listed.stdout).unwrap()
}

/// Returns the help of the program, its commands and their subcommands.
pub(super) fn help() -> String {
    let mut all = help_of(&["--help"]);
    for command in commands() {
        let help = help_of(&["help", &command]);
        let (_, below) = help.split_once("\nCommands:\n").unwrap_or_default();
        let (below, _) = below.split_once("\n\n").unwrap_or((below, ""));
        for inner in listed_commands(below).filter(|inner| inner != "help") {
            all += &help_of(&["help", &command, &inner]);
        }
        all += &help;
    }
    all
}

fn help_of(arguments: &[&str]) -> String {
    let output = Home::new().zitadel(arguments).run();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the `  COMMAND  …` lines of the program's help.
pub(super) fn commands() -> Vec<String> {
    listed_commands(&help_of(&["--help"])).collect()
}

fn listed_commands(help: &str) -> impl Iterator<Item = String> {
    help.lines().filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        let is_name = line.starts_with(|c: char| c.is_ascii_lowercase());
        is_name.then(|| line.split(' ').next().unwrap().to_owned())
    })
}

/// Returns all `--words`.
pub(super) fn options(text: &str) -> BTreeSet<&str> {
    let is_option = |c: char| c.is_ascii_lowercase() || c == '-';
    text.split(|c| !is_option(c))
        .filter(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        })
        .collect()
}

/// Returns all `ZITADEL_…`.
pub(super) fn variables(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
        .filter(|word| word.starts_with("ZITADEL_"))
        .collect()
}

/// Returns a page's headings, in the form of links.
pub(super) fn headings(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| heading.replace([',', '?', '\''], "").replace(' ', "-"))
        .collect()
}

/// Returns the fenced blocks of a language.
pub(super) fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let starts = text.split(fence.as_str()).skip(1);
    starts
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Returns all the program's source as one text.
pub(super) fn source(dir: &Path) -> String {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            if path.is_dir() {
                source(&path)
            } else {
                fs::read_to_string(path).unwrap()
            }
        })
        .collect()
}
