//! Suggestions for misspelt commands that clap does not find. clap compares letters
//! near their position, and short names such as `git` have too few of them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Adds the command with the same letters as a suggestion if clap has none, and
/// removes a suggestion that does not apply.
pub(super) fn with_tip(mut error: Error, mut root: Command, args: &[OsString]) -> Error {
    // Only `exec` takes arguments after `--`.
    if error.kind() == ErrorKind::UnknownArgument && !args.iter().any(|word| word == "exec") {
        return without_dashes(error);
    }
    if error.kind() != ErrorKind::InvalidSubcommand
        || error.get(ContextKind::SuggestedSubcommand).is_some()
    {
        return error;
    }
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    // Subcommands exist only after the build.
    root.build();
    let words = args.iter().filter_map(|word| word.to_str());
    let place = words.take_while(|word| *word != wrong);
    let place = place.fold(&root, |at, word| at.find_subcommand(word).unwrap_or(at));
    let mut names = place.get_subcommands().map(Command::get_name);
    if let Some(right) = names.find(|name| letters(name) == letters(wrong)) {
        let tip = ContextValue::Strings(vec![right.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, tip);
    }
    error
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
