//! A spelling that clap does not find: it counts letters that stand near their
//! place, of which a name of three letters has too few.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// The error with the command of the same letters, where clap knows of none, and
/// without a tip that helps nobody.
pub(super) fn with_tip(mut error: Error, mut root: Command, args: &[OsString]) -> Error {
    // Nothing but a command of somebody else's has options behind `--`.
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
    // What stands below a command is there once it is built.
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

/// Without `to pass '--opt' as a value, use '-- --opt'`.
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
