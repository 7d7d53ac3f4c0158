//! Reads a tool's request and writes the answer, for all helpers.

use std::ffi::{OsStr, OsString};

use log::Level;

use super::answer::Answer;
use super::world::World;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::input::{self, ReadError};
use crate::text::logger;
use crate::text::quote::{printable, quoted};

/// Returns the error for an unknown operation.
pub(crate) fn unknown(command: &str, operation: &OsStr, known: &str) -> Error {
    let operation = quoted(&operation.to_string_lossy());
    let what = format!("{command}: unknown operation {operation}");
    Error::Usage(Report::new(what).hint(format!("use one of: {known}")))
}

/// Splits the operation from the arguments after it.
///
/// # Errors
/// The first word is an unknown option.
pub(crate) fn split_operation<'w>(
    command: &str,
    words: &'w [OsString],
) -> Result<(&'w OsString, &'w [OsString]), Report> {
    let first = words.split_first();
    match first {
        Some((first, words)) if !is_option(first) => Ok((first, words)),
        _ => {
            let first = first.map(|(first, _)| quoted(&first.to_string_lossy()));
            let what = format!(
                "{command}: unexpected argument {}",
                first.unwrap_or_default()
            );
            let hint = format!(
                "run zitadel-credential {command} --help for the options, which go before the operation"
            );
            Err(Report::new(what).hint(hint))
        }
    }
}

/// True if a word looks like an option.
pub(crate) fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// True if a word can only be an operation.
pub(crate) fn is_plain(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.first().is_some_and(u8::is_ascii_lowercase)
}

/// Reads and parses a request that is one JSON document.
///
/// # Errors
/// [`Error::Usage`]: the request is too large, too slow or malformed.
pub(crate) fn read_request<T>(
    world: &mut World<'_>,
    config: &Config<'_>,
    name: &str,
    example: &str,
    parse: impl FnOnce(&[u8]) -> serde_json::Result<T>,
) -> Result<T, Error> {
    let failed = |reason: String| {
        let report = Report::new(format!("{name} on stdin is {reason}"));
        Error::Usage(report.hint("let the tool run this command; its protocol describes the input"))
    };
    explain_stdin(world, name, example);
    let input = read_input(world, *config.deadline()).map_err(|error| failed(error.predicate()))?;
    // The parser's message could quote a secret.
    parse(&input).map_err(|_| failed("malformed".to_owned()))
}

/// Writes to stderr how to pipe a request in, if stdin is a terminal: there, the user
/// runs the helper by hand, and it would wait silently for its input. `example` is a
/// shell command that prints a request.
pub(crate) fn explain_stdin(world: &mut World<'_>, what: &str, example: &str) {
    if !(world.terminal)().stdin {
        return;
    }
    let program = "zitadel-credential";
    if logger::is_json() {
        let text = format!("type {what} and Ctrl-D, or pipe it in: {example}");
        let line = logger::json_line((world.clock)(), Level::Info, &text, &[]);
        // A closed stderr cannot be reported anywhere.
        let _ = writeln!(world.stderr, "{line}");
        return;
    }
    // A closed stderr cannot be reported anywhere.
    let _ = writeln!(
        world.stderr,
        "{program}: type {what} and Ctrl-D, or pipe it in:\n  {example}"
    );
}

/// Reads stdin to the end.
///
/// # Errors
/// [`ReadError`].
pub(crate) fn read_input(world: &mut World<'_>, deadline: Deadline) -> Result<Vec<u8>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(&mut *world.stdin, input::LIMIT)
}

/// Answers `store`, which does nothing: the cache already has the token.
pub(crate) fn drained(input: Result<Vec<u8>, ReadError>) -> Answer {
    if let Err(error) = input {
        log::info!(
            "the credential to store is {}",
            printable(&error.predicate())
        );
    }
    Answer::new("")
}

/// Creates an answer from serialized JSON.
///
/// # Errors
/// [`Error::Final`]: serialization failed.
pub(crate) fn written(json: serde_json::Result<String>) -> Result<Answer, Error> {
    json.map(Answer::new)
        .map_err(|error| Error::Final(Report::new(format!("cannot serialize the answer: {error}"))))
}
