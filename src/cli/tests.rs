use std::any::Any;

use proptest::prelude::*;

use super::*;
use crate::call::Helper;
use crate::tools::docker::args::Docker;
use crate::tools::git::args::Git;
use crate::tools::keyring::args::{Keyring, KeyringMode};
use crate::tools::terraform::args::Terraform;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

/// Returns all commands and subcommands.
fn commands(of: &clap::Command) -> Vec<clap::Command> {
    let subs = of.get_subcommands().filter(|c| c.get_name() != "help");
    subs.flat_map(|sub| [vec![sub.clone()], commands(sub)].concat())
        .collect()
}

fn name(command: &clap::Command) -> &str {
    command.get_bin_name().unwrap_or("zitadel-credential")
}

fn built() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

#[test]
fn the_help_lists_every_command_as_it_describes_itself() {
    let command = built();
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let about = sub.get_about().expect("a description").to_string();
        let line = format!("  {:<12} {about}\n", sub.get_name());
        assert!(template().contains(&line), "{line:?}");
    }
}

#[test]
fn every_command_and_subcommand_has_an_example_that_calls_it() {
    let commands = commands(&built());
    assert!(commands.len() > 10);
    let is_helper = |name: &str| tools::find(name).is_some();
    for command in commands {
        let name = command.get_bin_name().expect("built").to_owned();
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_else(|| panic!("{name} has no example"));
        assert!(help.starts_with("Example"), "{name}: {help}");
        // Other tools call the helpers, each with its own words.
        let is_helper = name.split(' ').count() == 2 && is_helper(command.get_name());
        let calls = if is_helper { "zitadel" } else { &name };
        assert!(help.contains(calls), "{name}: {help}");
        // clap would break a longer line, so that nobody could copy it.
        let longest = help.lines().map(str::len).max();
        assert!(longest <= Some(80), "{name}: {help}");
    }
}

fn read(args: &[&str]) -> Refusal {
    let args = args.iter().map(OsString::from).collect();
    Cli::read(args).expect_err("no command runs")
}

/// Returns a command's help.
fn help(name: &str, option: &str) -> String {
    let words: Vec<_> = name.split(' ').chain([option]).collect();
    match read(&words) {
        Refusal::Text(text) => text,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn every_help_fits_into_80_columns_and_ends_its_last_line() {
    for command in [vec![built()], commands(&built())].concat() {
        let name = name(&command);
        for option in ["-h", "--help"] {
            let help = help(name, option);
            assert!(help.ends_with('\n') && !help.ends_with("\n\n"), "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
                // A bracket must not be broken across lines.
                let opens = line.matches("[env").count() > line.matches(']').count();
                assert!(!opens || line.contains("_LOG"), "{line}");
            }
        }
    }
}

/// Returns the long options that a help lists.
fn listed(help: &str) -> Vec<&str> {
    let (help, _) = help.split_once("\n\nExample").unwrap_or((help, ""));
    // A description may begin its line with an option, further right.
    let options = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-') && line.find('-') < Some(8));
    let words = options.filter_map(|line| line.split("--").nth(1));
    words
        .filter_map(|word| word.split([' ', '.']).next())
        .collect()
}

#[test]
fn the_short_help_has_a_commands_own_options_and_a_line_on_those_of_every_command() {
    for (words, own) in [
        ("", ["help", "version"].as_slice()),
        (" token", &["output", "write", "mode", "group", "help"]),
        (" whoami", &["help"]),
        (" git", &["help"]),
        (" cache", &["help"]),
        (
            " cache clear",
            &["profile", "key-id", "host", "expired", "help"],
        ),
        (
            " setup bazel",
            &["profile", "force", "dry-run", "undo", "no-try", "help"],
        ),
        (
            " setup profile",
            &[
                "issuer",
                "key-file",
                "key-id",
                "user-id",
                "scope",
                "project",
                "roles",
                "zitadel-api",
                "ca-file",
                "dry-run",
                "undo",
                "no-try",
                "help",
            ],
        ),
    ] {
        let name = format!("zitadel-credential{words}");
        let mut found = listed(&help(&name, "-h"))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        let mut own = own.to_vec();
        own.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, own, "{name}");
    }
    for command in [vec![built()], commands(&built())].concat() {
        let name = name(&command);
        let [short, long] = ["-h", "--help"].map(|option| help(name, option));
        let line = "\nOptions of every command, such as --profile and -v: ";
        assert_eq!(short.matches(line).count(), 1, "{short}");
        assert!(!long.contains(line), "{long}");
        let listed = listed(&long);
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(listed.contains(&option), "{name} {option}");
        }
        assert!(short.lines().count() <= 45, "{short}");
    }
}

#[test]
fn help_before_a_command_prints_its_long_help() {
    for words in [["cache", "list"].as_slice(), &["token"], &["setup", "git"]] {
        let name = [&["zitadel-credential"], words].concat().join(" ");
        let Refusal::Text(text) = read(&[&["zitadel-credential", "help"], words].concat()) else {
            panic!("{name}");
        };
        let long = help(&name, "--help");
        assert_eq!(text, long);
        assert!(long.contains("\n\nExample"), "{long}");
        let short = help(&name, "-vh");
        assert_eq!(short, help(&name, "-h"));
        assert!(short.contains("\n\nExample"), "{short}");
        assert!(long.lines().count() > 10 + short.lines().count(), "{short}");
    }
}

#[test]
fn a_help_is_for_the_command_that_the_arguments_name() {
    for (words, about) in [
        (
            ["--profile", "git", "token", "-h"].as_slice(),
            "Print an access token\n",
        ),
        (
            &["--profile=git", "token", "--help"],
            "Print an access token\n",
        ),
        (&["-v", "setup", "git", "-h"], "Add host rules, and set git"),
        (
            &["token", "--output", "json", "-h"],
            "Print an access token\n",
        ),
        (&["cache", "help", "list"], "Show the entries"),
    ] {
        let Refusal::Text(text) = read(&[&["zitadel-credential"], words].concat()) else {
            panic!("{words:?}");
        };
        assert!(text.starts_with(about), "{words:?}: {text}");
    }
}

#[test]
fn without_arguments_twelve_lines_guide_a_newcomer() {
    let Refusal::Guide(text) = read(&["zitadel-credential"]) else {
        panic!("no guide");
    };
    assert!(text.lines().count() <= 12, "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    let calls: Vec<_> = text
        .split("zitadel-credential ")
        .skip(1)
        .map(|call| call.split_whitespace().next().unwrap_or_default())
        .collect();
    assert_eq!(calls.first(), Some(&"setup"), "{text}");
    for call in calls {
        let is_command = built().find_subcommand(call).is_some();
        assert!(is_command || call == "-h", "{call}");
    }
    assert!(matches!(
        read(&["zitadel-credential", "cache"]),
        Refusal::Guide(_)
    ));
}

#[test]
fn the_help_has_a_heading_for_the_options_and_single_blank_lines() {
    let help = Cli::command().render_help().to_string();
    assert!(help.contains("\n\nOptions:\n      --profile"), "{help}");
    assert!(!help.contains("\n\n\n"), "{help}");
}

/// Returns the arguments of a tool's call; `None` if it is another command.
fn called<T: Helper>(command: Command) -> Option<Box<T>> {
    let Command::Tool(Called(helper)) = command else {
        return None;
    };
    let helper: Box<dyn Any> = helper;
    helper.downcast().ok()
}

#[test]
fn a_link_name_runs_its_command() {
    let read = |args: &[&str]| {
        let args = args.iter().map(OsString::from).collect();
        Cli::read(args).expect("parsed").1
    };
    for args in [
        ["/usr/bin/git-credential-zitadel", "get"].as_slice(),
        &["git-credential-zitadel", "--profile", "ci", "get"],
        &["zitadel-credential", "--profile", "ci", "git", "get"],
        &["zitadel-credential", "git", "get", "--profile", "ci"],
    ] {
        assert!(
            called::<Git>(read(args)).is_some_and(|git| git.operation == "get"),
            "{args:?}"
        );
    }
    let docker = called::<Docker>(read(&["docker-credential-zitadel", "list"]));
    assert!(docker.is_some());
    let words = ["--profile", "ci", "get", "a.dev"];
    let args = [&["terraform-credentials-zitadel"], &words[..]].concat();
    let args = called::<Terraform>(read(&args)).expect("terraform");
    assert_eq!(args.call().expect("a call"), ["get", "a.dev"]);
    let words = ["--mode=creds", "--output=json", "get", "https://a.dev/"];
    let args = called::<Keyring>(read(&[&["bin/keyring"], &words[..]].concat()));
    let args = args.expect("keyring");
    let call = args.call().expect("a call");
    assert_eq!((call.mode, call.username), (KeyringMode::Creds, None));
}

#[test]
fn terraforms_host_is_never_an_option() {
    for word in [
        "--host=a.dev",
        "--config=x",
        "--refresh",
        "-h",
        "--help",
        "-v",
        "--",
    ] {
        let words = [
            "terraform-credentials-zitadel",
            "--profile",
            "ci",
            "get",
            word,
        ];
        let read = Cli::read(words.map(OsString::from).to_vec());
        let (options, command) = read.expect("parsed");
        let args = called::<Terraform>(command).expect("terraform");
        let own = Options {
            profile: Some("ci".into()),
            ..Options::default()
        };
        assert_eq!(format!("{options:?}"), format!("{own:?}"), "{word}");
        assert_eq!(args.call().expect("a call"), ["get", word]);
    }
}

const WORDS: [&str; 21] = [
    "zitadel-credential",
    "kubectl",
    "git",
    "docker",
    "terraform",
    "kubelet",
    "keyring",
    "--mode=creds",
    "token",
    "get",
    "help",
    "--",
    "-h",
    "--help",
    "--profile",
    "--profile=ci",
    "--refresh",
    "--no-cache",
    "-vv",
    "-hv",
    "--help=x",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_helper_parsed_alone_equals_the_whole_command_line(
        words in prop::collection::vec(prop::sample::select(&WORDS), 0..5),
    ) {
        let args: Vec<OsString> = words.iter().map(OsString::from).collect();
        if let Some(helper) = tools::read_alone(&args) {
            let command = Command::Tool(Called(helper));
            let whole = Cli::try_parse_from(&args).map_err(|error| error.to_string());
            let whole = whole.map(|cli| format!("{:?} {:?}", cli.options, cli.command));
            let alone = format!("{:?} {command:?}", Options::default());
            prop_assert_eq!(whole, Ok(alone));
        }
    }
}
