//! Errors of the command line, in the form of all other errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::options::headline;
use crate::error::Report;
use crate::text::quote;

/// The command that users try for a single setup too.
const UNDO_ALL: &str = "zitadel-credential setup undo";

/// Returns clap's error as a report, with the remedy for its command.
pub(super) fn report(error: &Error, place: &Command) -> Report {
    let mut report = Report::new(shown(&headline(error)));
    let tips = tips(error);
    let usage = usage(error, place).filter(|_| tips.is_empty());
    for hint in tips.into_iter().chain(usage) {
        report = report.hint(shown(&hint));
    }
    let name = place.get_bin_name().unwrap_or("zitadel-credential");
    let subject = if place.has_subcommands() {
        "commands"
    } else {
        "options"
    };
    if name == UNDO_ALL && !is_about_value(error) {
        let one = "to undo one setup, run zitadel-credential setup TOOL HOST --undo";
        report = report.hint(one);
    }
    report.hint(format!("run {name} -h for the {subject}"))
}

/// True if the error is about an option's value, and not about the command.
fn is_about_value(error: &Error) -> bool {
    let kind = error.kind();
    kind == ErrorKind::InvalidValue || kind == ErrorKind::ValueValidation
}

/// Returns a text with secrets redacted: it quotes arguments, and one of them may be a
/// key, as in `--key-file "$KEY"`.
fn shown(text: &str) -> String {
    quote::line(&quote::redacted(text))
}

/// Returns suggestions for the intended call.
fn tips(error: &Error) -> Vec<String> {
    let kinds = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let similar = kinds.into_iter().filter_map(|kind| match error.get(kind)? {
        ContextValue::String(text) => Some(format!("did you mean '{text}'?")),
        ContextValue::Strings(texts) if !texts.is_empty() => {
            Some(format!("did you mean '{}'?", texts.join("' or '")))
        }
        _ => None,
    });
    let mut tips: Vec<_> = similar.collect();
    if let Some(ContextValue::StyledStrs(texts)) = error.get(ContextKind::Suggested) {
        tips.extend(texts.iter().map(|text| text.to_string().replace('\'', "")));
    }
    tips
}

/// Returns how the command is called; `None` if that does not help with the error.
fn usage(error: &Error, place: &Command) -> Option<String> {
    let usage = match error.get(ContextKind::Usage)? {
        ContextValue::StyledStr(usage) => usage.to_string(),
        _ => place.clone().render_usage().to_string(),
    };
    let calls = usage.trim().strip_prefix("Usage: ")?;
    Some(format!(
        "usage: {}",
        calls.split_whitespace().collect::<Vec<_>>().join(" ")
    ))
}
