//! All commands, and the place of a secret on their stdout.

use std::fs;

use clap::{Command, CommandFactory};

use crate::support::World;
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::library::Cli;
use crate::support::tools::{CALLS, Row, Shows, row};

/// The file to which `exec`'s command writes its arguments and its environment, and the
/// file of `--write`.
pub const EXEC_DUMP: &str = "exec.dump";
pub const WRITTEN: &str = "written";

/// The files to which commands write a new private key.
pub const NEW_KEYS: [&str; 2] = ["new.json", "rotated.json"];

/// Returns all commands: those of the tools, and those of users.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    CALLS.iter().chain(OTHERS)
}

const OTHERS: &[Row] = &[
    row("token", "", Shows::Token),
    row("token --output raw", "", Shows::Token),
    row("token --output header", "", Shows::Token),
    row("token --output json", "", Shows::Token),
    row("token --write written", "", Shows::Nothing),
    row("token --log-format json", "", Shows::Token),
    row("exec -- ./dump exec.dump", "", Shows::Nothing),
    row(
        "exec --write-web-identity -- ./dump identity.dump",
        "",
        Shows::Nothing,
    ),
    row("agent --once --write written", "", Shows::Nothing),
    row(
        "agent --once --write written --log-format json --metrics-file m.prom",
        "",
        Shows::Nothing,
    ),
    row("agent --check written", "", Shows::Nothing),
    row("assertion", "", Shows::Assertion),
    row("whoami", "", Shows::Nothing),
    row(
        "setup profile ci --issuer ISSUER --key-file key.json --dry-run",
        "",
        Shows::Nothing,
    ),
    row(
        "setup profile ci --issuer ISSUER --key-file key.json",
        "",
        Shows::Nothing,
    ),
    row("setup kubectl --user ci --dry-run", "", Shows::Nothing),
    row("setup kubectl --user ci", "", Shows::Nothing),
    row("setup git git.acme.dev --dry-run", "", Shows::Nothing),
    row("setup git git.acme.dev", "", Shows::Nothing),
    row("setup git git.acme.dev --undo", "", Shows::Nothing),
    row("setup docker git.acme.dev --dry-run", "", Shows::Nothing),
    row("setup docker git.acme.dev", "", Shows::Nothing),
    row("setup bazel git.acme.dev", "", Shows::Nothing),
    row(
        "setup cargo git.acme.dev --registry a --index sparse+https://git.acme.dev/",
        "",
        Shows::Nothing,
    ),
    row("setup cargo git.acme.dev --undo", "", Shows::Nothing),
    row("setup go git.acme.dev", "", Shows::Nothing),
    row("setup terraform git.acme.dev", "", Shows::Nothing),
    row("setup terraform git.acme.dev --undo", "", Shows::Nothing),
    row("setup kubelet git.acme.dev --no-try", "", Shows::Nothing),
    row("setup kubelet git.acme.dev --undo", "", Shows::Nothing),
    row(
        "setup gcp --audience //iam.googleapis.com/projects/1/x",
        "",
        Shows::Nothing,
    ),
    row("setup gcp --undo", "", Shows::Nothing),
    row("setup keyring git.acme.dev", "", Shows::Nothing),
    row("setup keyring git.acme.dev --undo", "", Shows::Nothing),
    row("setup list", "", Shows::Nothing),
    row("setup list --output text", "", Shows::Nothing),
    row("setup list --output json", "", Shows::Nothing),
    row("setup undo --all --dry-run", "", Shows::Nothing),
    row("profile list", "", Shows::Nothing),
    row("profile list --output text", "", Shows::Nothing),
    row("profile list --output json", "", Shows::Nothing),
    row("config show", "", Shows::Nothing),
    row("config show --output text", "", Shows::Nothing),
    row("config show --output json", "", Shows::Nothing),
    row("config check", "", Shows::Nothing),
    row("config check --output text", "", Shows::Nothing),
    row("config check --output json", "", Shows::Nothing),
    row("key list", "", Shows::Nothing),
    row("key list --output text", "", Shows::Nothing),
    row("key list --output json", "", Shows::Nothing),
    row("key add --output new.json", "", Shows::Nothing),
    row("key rotate --dry-run", "", Shows::Nothing),
    row(
        "key rotate --keep-old --key-file rotated.json",
        "",
        Shows::Nothing,
    ),
    row("key remove 1 --yes", "", Shows::Nothing),
    row("cache list", "", Shows::Nothing),
    row("cache list --output text", "", Shows::Nothing),
    row("cache list --output json", "", Shows::Nothing),
    row("doctor git.acme.dev", "", Shows::Nothing),
    row("doctor --output text", "", Shows::Nothing),
    row("doctor --output json", "", Shows::Nothing),
    row("cache clear --expired", "", Shows::Nothing),
    row("cache clear", "", Shows::Nothing),
    row("completions bash", "", Shows::Nothing),
    row("completions zsh", "", Shows::Nothing),
    row("help", "", Shows::Nothing),
    row("--help", "", Shows::Nothing),
    row("--version", "", Shows::Nothing),
];

/// The first words of the commands that use no key and ask no issuer.
const WITHOUT_KEY: &[&str] = &[
    "setup list",
    "setup undo",
    "profile list",
    "config show",
    "completions",
    "help",
    "--help",
    "--version",
];

/// True if a command uses the key or asks the issuer: the others do the same if these
/// fail.
pub fn uses_key(row: &Row) -> bool {
    !WITHOUT_KEY.iter().any(|start| row.words.starts_with(start))
}

#[test]
fn commands_without_a_key_print_the_same_without_an_issuer() {
    let good = World::new();
    let bad = World::new();
    fs::write(&bad.key_file, "no key").unwrap();
    bad.issuer
        .fault(Endpoint::Any, Fault::Close, Times::Forever);
    let said = |world: &World, row: &Row| {
        let output = format!("{:#?}", world.zitadel(row.words()).run());
        let output = output
            .replace(world.home.path().to_str().unwrap(), "HOME")
            .replace(&world.issuer.url(), "ISSUER");
        // The time of a setup differs.
        let lines = output.split("\\n").filter(|line| !line.contains("when"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for world in [&good, &bad] {
        world.zitadel(["setup", "bazel", "git.acme.dev"]).run();
    }
    for row in rows().filter(|row| !uses_key(row)) {
        assert_eq!(said(&bad, row), said(&good, row), "{}", row.words);
    }
    assert_eq!(good.issuer.total_requests(), 0);
    assert_eq!(bad.issuer.total_requests(), 0);
}

/// Collects the words of each command without subcommands, and its values of `--output`.
fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    let subcommands = command.get_subcommands();
    let mut subcommands = subcommands
        .filter(|sub| sub.get_name() != "help")
        .peekable();
    if subcommands.peek().is_none() {
        let output = command.get_arguments().find(|arg| arg.get_id() == "output");
        let values = output.map(clap::Arg::get_possible_values);
        let names = values.unwrap_or_default().into_iter();
        let names = names.map(|value| value.get_name().to_owned());
        found.push((path.trim_start().to_owned(), names.collect()));
    }
    for sub in subcommands {
        leaves(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

#[test]
fn every_command_has_a_row() {
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    leaves(&root, "", &mut found);
    let has_row = |start: &str| rows().any(|row| row.words.starts_with(start));
    for (words, outputs) in &found {
        assert!(has_row(words), "no row for {words}");
        for output in outputs {
            let words = format!("{words} --output {output}");
            assert!(has_row(&words), "no row for {words}");
        }
    }
    // Their operations are the tool's words, which clap accepts unchecked.
    let mut of_tools = 0;
    for command in root.get_subcommands() {
        let tool = command.get_name();
        let Some(operation) = command.get_positionals().next() else {
            continue;
        };
        if !["operation", "words"].contains(&operation.get_id().as_str()) {
            continue;
        }
        of_tools += 1;
        let help = operation.get_help().unwrap().to_string();
        // The values come first, and a remark follows.
        let end = [";", ", then ", ", the ", " ("]
            .iter()
            .filter_map(|end| help.find(end))
            .min();
        let words = help[..end.unwrap_or(help.len())].split([' ', ',']);
        for word in words.filter(|word| !word.is_empty() && *word != "or") {
            assert!(
                has_row(&format!("{tool} {word}")),
                "no row for {tool} {word}"
            );
        }
    }
    assert!(of_tools > 4, "{of_tools}");
}
