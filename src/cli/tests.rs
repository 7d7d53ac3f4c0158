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
        // Other tools call the helpers, in their own spelling.
        let is_helper = name.split(' ').count() == 2 && is_helper(command.get_name());
        let calls = if is_helper { "zitadel" } else { &name };
        assert!(help.contains(calls), "{name}: {help}");
        // clap would break a longer line, so that nobody could copy it.
        let longest = help.lines().map(str::len).max();
        assert!(longest <= Some(80), "{name}: {help}");
    }
}

#[test]
fn every_help_fits_into_80_columns() {
    for mut command in [vec![built()], commands(&built())].concat() {
        let help = command.render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            // A bracket must not be broken across lines.
            let opens = line.matches("[env").count() > line.matches(']').count();
            assert!(!opens || line.contains("_LOG"), "{line}");
        }
    }
}

#[test]
fn all_forms_of_help_print_the_same() {
    let read = |args: &[&str]| {
        let args = args.iter().map(OsString::from).collect();
        Cli::read(args).expect_err("help").to_string()
    };
    for words in [["cache", "list"].as_slice(), &["token"], &["exec"]] {
        let [from_help, short, long] = [
            [&["zitadel-credential", "help"], words].concat(),
            [&["zitadel-credential"], words, &["-h"]].concat(),
            [&["zitadel-credential"], words, &["--help"]].concat(),
        ]
        .map(|args| read(&args));
        assert_eq!((&from_help, &short), (&long, &long));
        assert!(long.contains("\n\nExample"), "{long}");
    }
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
