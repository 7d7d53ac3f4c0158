//! Suggestions for misspelt commands that clap does not find, as clap compares letters
//! near their position, and short names such as `git` have too few of them. It also knows
//! the words of other programs.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::tools::TOOLS;
use crate::tools::row::Tool;

/// Words that users try as a command, and the call that they mean. Each tool's words are
/// in its row.
const WORDS: &[(&[&str], &str)] = &[
    (&["version"], "zitadel-credential --version"),
    (
        &["login", "logon", "signin", "init", "configure", "add"],
        "zitadel-credential setup profile NAME",
    ),
    (
        &["status", "check", "verify", "diagnose", "debug", "hosts"],
        "zitadel-credential doctor",
    ),
    (&["profiles"], "zitadel-credential profile list"),
    (&["settings"], "zitadel-credential config show"),
    (
        &["logout", "signout", "clear", "purge"],
        "zitadel-credential cache clear",
    ),
    (&["list", "ls", "tokens"], "zitadel-credential cache list"),
    (
        &[
            "get",
            "print",
            "show",
            "access-token",
            "print-access-token",
            "get-token",
        ],
        "zitadel-credential token",
    ),
    (&["refresh", "renew"], "zitadel-credential token --refresh"),
    (&["run", "env", "shell"], "zitadel-credential exec -- CMD"),
    (
        &["daemon", "watch", "serve", "write"],
        "zitadel-credential agent --write FILE",
    ),
    (&["me", "user", "userinfo"], "zitadel-credential whoami"),
    (&["jwt", "sign"], "zitadel-credential assertion"),
    (&["completion"], "zitadel-credential completions SHELL"),
    (&["keys"], "zitadel-credential key list"),
    (&["rotate"], "zitadel-credential key rotate"),
    (
        &["aws"],
        "zitadel-credential exec --write-web-identity -- CMD",
    ),
];

/// Words and calls after `setup`.
const SETUPS: &[(&[&str], &str)] = &[
    (&["ls", "show", "status"], "zitadel-credential setup list"),
    (&["profiles"], "zitadel-credential profile list"),
    (
        &["login", "init", "add", "user", "key", "config"],
        "zitadel-credential setup profile NAME",
    ),
    (
        &["remove", "clear", "rm"],
        "zitadel-credential setup TOOL HOST --undo",
    ),
];

/// Words and calls after `cache`.
const CACHES: &[(&[&str], &str)] = &[
    (&["ls", "show", "status"], "zitadel-credential cache list"),
    (
        &["rm", "remove", "delete", "purge", "clean"],
        "zitadel-credential cache clear",
    ),
];

/// Words and calls after `profile`.
const PROFILES: &[(&[&str], &str)] = &[
    (&["ls", "show", "get"], "zitadel-credential profile list"),
    (
        &["add", "new", "create", "set", "edit"],
        "zitadel-credential setup profile NAME",
    ),
    (
        &["rm", "remove", "delete"],
        "zitadel-credential setup profile NAME --undo",
    ),
];

/// Words and calls after `config`.
const CONFIGS: &[(&[&str], &str)] = &[
    (
        &["ls", "list", "get", "view", "print"],
        "zitadel-credential config show",
    ),
    (
        &["verify", "validate", "test", "lint"],
        "zitadel-credential config check",
    ),
    (
        &["set", "edit", "init"],
        "zitadel-credential setup profile NAME",
    ),
];

/// Words and calls after `key`.
const KEYS: &[(&[&str], &str)] = &[
    (&["ls", "show", "get"], "zitadel-credential key list"),
    (&["new", "create"], "zitadel-credential key add"),
    (&["renew", "replace"], "zitadel-credential key rotate"),
    (
        &["rm", "delete", "revoke"],
        "zitadel-credential key remove ID",
    ),
];

/// Adds a suggestion if clap has none: the call that a word of other programs means, or
/// the command with the same letters. Removes a suggestion that does not apply.
pub(super) fn with_tip(mut error: Error, place: &Command, args: &[OsString]) -> Error {
    // Only `exec` takes arguments after `--`.
    if error.kind() == ErrorKind::UnknownArgument && !args.iter().any(|word| word == "exec") {
        return without_dashes(error);
    }
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let wrong = wrong.clone();
    let call = meant(place.get_name(), &wrong).map(ToOwned::to_owned);
    if let Some(call) = call.or_else(|| tool_meant(place.get_name(), &wrong)) {
        error.remove(ContextKind::SuggestedSubcommand);
        let tip = StyledStr::from(format!("run {call}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        return error;
    }
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let mut names = place.get_subcommands().map(Command::get_name);
    if let Some(right) = names.find(|name| letters(name) == letters(&wrong)) {
        let tip = ContextValue::Strings(vec![right.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, tip);
    }
    error
}

/// Returns the call that a word means after a command.
fn meant(place: &str, word: &str) -> Option<&'static str> {
    let known = match place {
        "setup" => SETUPS,
        "cache" => CACHES,
        "profile" => PROFILES,
        "config" => CONFIGS,
        "key" => KEYS,
        "zitadel-credential" => WORDS,
        _ => &[],
    };
    let (_, call) = known.iter().find(|(words, _)| words.contains(&word))?;
    Some(call)
}

/// Returns the call that a word means after a command, if it means a tool.
fn tool_meant(place: &str, word: &str) -> Option<String> {
    let call = |tool: &Tool| match (place, &tool.setup) {
        ("cache", _) | ("setup", None) => None,
        ("setup", Some(setup)) => [setup.words, tool.words]
            .iter()
            .any(|words| words.contains(&word))
            .then(|| format!("zitadel-credential setup {}", setup.call)),
        _ => tool
            .words
            .contains(&word)
            .then(|| format!("zitadel-credential {}", tool.call)),
    };
    TOOLS.iter().find_map(call)
}

/// Returns the possible meanings of `exec` without `--` before its command: as in env(1)
/// and sudo(8), the command starts at the first word that is not an option.
pub(super) fn with_dashes(error: &Error, args: &[OsString]) -> impl Iterator<Item = Vec<OsString>> {
    let wrong = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(wrong)) if error.kind() == ErrorKind::UnknownArgument => wrong,
        _ => "",
    };
    let is_option = wrong.is_empty() || wrong.starts_with('-');
    let exec = args.iter().position(|word| word == "exec");
    let after = exec.filter(|_| !is_option).map_or(args.len(), |at| at + 1);
    // A value of an option may be the same word.
    let places = (after..args.len()).filter(|at| args[*at].to_string_lossy() == *wrong);
    places.map(|at| {
        let mut call = args.to_vec();
        call.insert(at, "--".into());
        call
    })
}

/// Removes the tip `to pass '--opt' as a value, use '-- --opt'`.
fn without_dashes(mut error: Error) -> Error {
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().contains(" as a value, use "));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<_> = word.chars().collect();
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn words_of_other_programs_suggest_existing_commands() {
        let mut root = Cli::command();
        root.build();
        for (place, known) in [
            ("zitadel-credential", WORDS),
            ("setup", SETUPS),
            ("cache", CACHES),
            ("profile", PROFILES),
            ("config", CONFIGS),
            ("key", KEYS),
        ] {
            let at = root.find_subcommand(place).unwrap_or(&root);
            assert_eq!(at.get_name(), place);
            for (words, call) in known {
                for word in *words {
                    assert!(at.find_subcommand(word).is_none(), "{word}");
                }
                let call = call
                    .split(' ')
                    .skip(1)
                    .filter(|word| !word.starts_with('-'));
                let mut lower =
                    call.take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase()));
                let end = lower.try_fold(&root, |at, word| at.find_subcommand(word));
                assert!(end.is_some(), "{words:?}");
            }
        }
    }

    #[test]
    fn no_word_of_a_tool_is_a_command_and_each_call_is_its_own() {
        let mut root = Cli::command();
        root.build();
        let setups = root.find_subcommand("setup").expect("a command");
        let name = |call: &str| call.split(' ').next().map(ToOwned::to_owned);
        for tool in &TOOLS {
            assert_eq!(name(tool.call).as_deref(), Some(tool.name));
            for word in tool.words {
                assert!(root.find_subcommand(word).is_none(), "{word}");
                let call = format!("zitadel-credential {}", tool.call);
                assert_eq!(tool_meant("", word), Some(call), "{word}");
            }
            let Some(setup) = &tool.setup else { continue };
            assert_eq!(name(setup.call).as_deref(), Some(tool.name));
            for word in setup.words.iter().chain(tool.words) {
                assert!(setups.find_subcommand(word).is_none(), "{word}");
                assert_eq!(meant("setup", word), None, "{word}");
                let call = format!("zitadel-credential setup {}", setup.call);
                assert_eq!(tool_meant("setup", word), Some(call), "{word}");
            }
        }
    }
}
