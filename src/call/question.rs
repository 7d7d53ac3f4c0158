//! Reading a tool's question, and writing its answer: what the helpers share.

use std::ffi::{OsStr, OsString};

use zeroize::Zeroizing;

use super::answer::Answer;
use super::world::World;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::input::{self, ReadError};
use crate::text::quote::{printable, quoted};

/// Returns the error for an operation that the tool's protocol does not have.
pub(crate) fn unknown(command: &str, operation: &OsStr, known: &str) -> Error {
    let operation = quoted(&operation.to_string_lossy());
    let what = format!("{command} {operation}: there is no such operation");
    Error::Usage(Report::new(what).hint(format!("the operations of {command}: {known}")))
}

/// Splits the operation from the words after it.
///
/// # Errors
/// An unknown option stands in its place.
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
            let hint =
                format!("options stand before the operation: zitadel-credential {command} --help");
            Err(Report::new(what).hint(hint))
        }
    }
}

/// True if a word reads like an option.
pub(crate) fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// True if a word can only be an operation.
pub(crate) fn is_plain(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.first().is_some_and(u8::is_ascii_lowercase)
}

/// Reads and parses a question that is one JSON document.
///
/// # Errors
/// [`Error::Usage`]: it is too large, too slow or malformed.
pub(crate) fn read_question<T>(
    world: &mut World<'_>,
    config: &Config<'_>,
    what: &str,
    parse: impl FnOnce(&[u8]) -> serde_json::Result<T>,
) -> Result<T, Error> {
    let failed = |reason: String| {
        let report = Report::new(format!("{what} on stdin is {reason}"));
        Error::Usage(report.hint("the tool calls this itself; by hand, see its protocol"))
    };
    let input = read_input(world, *config.deadline()).map_err(|error| failed(error.predicate()))?;
    // The parser's own words could quote a secret.
    parse(&input).map_err(|_| failed("malformed".to_owned()))
}

/// Reads stdin to its end.
///
/// # Errors
/// [`ReadError`].
pub(crate) fn read_input(
    world: &mut World<'_>,
    deadline: Deadline,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    world.stdin.end_by(deadline);
    input::read_all(&mut *world.stdin, input::LIMIT)
}

/// Answers `store`, which does nothing: the cache holds the token already.
pub(crate) fn drained(input: Result<Zeroizing<Vec<u8>>, ReadError>) -> Answer {
    if let Err(error) = input {
        log::info!("what is to be stored is {}", printable(&error.predicate()));
    }
    Answer::new("")
}

/// Turns a JSON text into an answer.
///
/// # Errors
/// [`Error::Final`]: the text could not be written.
pub(crate) fn written(json: serde_json::Result<String>) -> Result<Answer, Error> {
    json.map(Answer::new)
        .map_err(|error| Error::Final(Report::new(format!("the answer: {error}"))))
}
