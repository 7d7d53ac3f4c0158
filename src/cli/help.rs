//! The texts of `-h`, of `--help`, and of a call without arguments.

use std::ffi::OsString;

use clap::{Args, Command};

use super::options::Options;

/// The text of a call without arguments, which newcomers run first.
pub(super) const GUIDE: &str = "\
Access tokens of ZITADEL service users for kubectl, git, docker and other tools

Start with the key file that ZITADEL lets you download for a service user:
  zitadel-credential setup                    asks, and writes a profile
  zitadel-credential whoami                   prints the owner of the token
  zitadel-credential setup git git.acme.dev   lets git use it
  zitadel-credential doctor                   finds problems

zitadel-credential -h lists all commands, and COMMAND -h a command's options.
";

/// Returns the help of a built command: with `--help` all options, with `-h` only those
/// of the command itself.
pub(super) fn text(command: Command, is_short: bool) -> String {
    // clap's text in `--help` would refer to `--help`.
    let command = command.mut_args(|arg| match arg.get_id().as_str() {
        "help" => arg.help("Print help"),
        _ => arg,
    });
    if !is_short {
        let after = command.get_after_long_help().cloned();
        return rendered(match after {
            Some(after) => command.after_help(after),
            None => command,
        });
    }
    let common = common();
    let own = own(command.get_bin_name().unwrap_or_default());
    let is_common = |id: &str| common.iter().any(|known| known == id);
    let has_common = command
        .get_arguments()
        .any(|arg| is_common(arg.get_id().as_str()));
    let place = if has_common {
        "--help"
    } else {
        "zitadel-credential --help"
    };
    let after = command.get_after_help();
    let after = after.map(ToString::to_string).unwrap_or_default();
    let after = format!("Options of every command, such as --profile and -v: {place}\n\n{after}");
    let command = command.after_help(after);
    rendered(command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        match (is_common(id), own.contains(&id)) {
            (true, true) => arg.help_heading(None::<&'static str>),
            (is_hidden, _) => arg.hide_short_help(is_hidden),
        }
    }))
}

/// Returns the IDs of the options that every command takes.
fn common() -> Vec<String> {
    let all = Options::augment_args(Command::new(""));
    let ids = all.get_arguments().map(|arg| arg.get_id().to_string());
    ids.collect()
}

/// Returns the common options that are a command's main options.
fn own(command: &str) -> &'static [&'static str] {
    let words = command.split_once(' ').map_or("", |(_, words)| words);
    match words {
        "setup profile" => &[
            "issuer",
            "key_file",
            "key_id",
            "user_id",
            "scope",
            "project",
            "roles",
            "zitadel_api",
            "ca_file",
        ],
        "cache list" | "cache clear" => &["profile", "key_id", "host"],
        setup if setup.starts_with("setup ") => &["profile"],
        _ => &[],
    }
}

fn rendered(mut command: Command) -> String {
    let text = command.render_help().to_string();
    format!("{}\n", text.trim_end())
}

/// True if the arguments, which ask for help, contain `-h`.
pub(super) fn is_short(args: &[OsString]) -> bool {
    let asking = args.iter().skip(1).find_map(|arg| match arg.to_str()? {
        "--help" => Some(false),
        arg => {
            let letters = arg.strip_prefix('-').filter(|arg| !arg.starts_with('-'))?;
            letters.contains('h').then_some(true)
        }
    });
    asking.unwrap_or_default()
}

/// Returns the command that the arguments name, as far as it exists.
pub(super) fn place<'c>(root: &'c Command, args: &[OsString]) -> &'c Command {
    let mut at = root;
    let mut words = args.iter().skip(1).map(|word| word.to_str());
    while let Some(Some(word)) = words.next() {
        if let Some(name) = word.strip_prefix("--") {
            let option = at.get_arguments().find(|arg| arg.get_long() == Some(name));
            if option.is_some_and(|arg| arg.get_action().takes_values()) {
                words.next();
            }
        } else if let Some(inner) = at.find_subcommand(word).filter(|_| word != "help") {
            at = inner;
        } else if word != "help" && !word.starts_with('-') {
            break;
        }
    }
    at
}
