//! Suggestions for misspelt commands that clap does not find: clap compares letters near
//! their position, and short names such as `git` have too few of them. And for words of
//! other programs.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Words that people try as a command, and the call that they mean.
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
        &["podman", "skopeo", "buildah", "helm", "oras", "crane"],
        "zitadel-credential docker OPERATION",
    ),
    (&["k8s", "kubernetes"], "zitadel-credential kubectl"),
    (
        &["pip", "uv", "twine"],
        "zitadel-credential keyring OPERATION",
    ),
    (&["google", "gcloud"], "zitadel-credential gcp"),
    (
        &["aws"],
        "zitadel-credential exec --write-web-identity -- CMD",
    ),
    (&["npm"], "zitadel-credential pnpm"),
    (
        &["tofu", "opentofu"],
        "zitadel-credential terraform OPERATION HOST",
    ),
];

/// The same after `setup`.
const SETUPS: &[(&[&str], &str)] = &[
    (
        &[
            "podman", "skopeo", "buildah", "helm", "oras", "crane", "registry",
        ],
        "zitadel-credential setup docker HOST",
    ),
    (
        &["k8s", "kubernetes", "kubeconfig", "kube"],
        "zitadel-credential setup kubectl --context CONTEXT",
    ),
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
    (
        &["tofu", "opentofu"],
        "zitadel-credential setup terraform HOST",
    ),
    (&["golang"], "zitadel-credential setup go HOST"),
    (&["gitconfig"], "zitadel-credential setup git HOST"),
];

/// The same after `cache`.
const CACHES: &[(&[&str], &str)] = &[
    (&["ls", "show", "status"], "zitadel-credential cache list"),
    (
        &["rm", "remove", "delete", "purge", "clean"],
        "zitadel-credential cache clear",
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
    if let Some(call) = meant(place.get_name(), &wrong) {
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
        _ => WORDS,
    };
    let (_, call) = known.iter().find(|(words, _)| words.contains(&word))?;
    Some(call)
}

/// Returns the calls that a command of `exec` without `--` before it may mean: as with
/// env(1) and sudo(8), what begins with the first word that is no option is the command.
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
    fn no_word_of_others_is_a_command_and_each_call_is_one() {
        let mut root = Cli::command();
        root.build();
        for (place, known) in [("", WORDS), ("setup", SETUPS), ("cache", CACHES)] {
            let at = root.find_subcommand(place).unwrap_or(&root);
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
}
