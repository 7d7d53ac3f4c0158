//! Logs warnings and `-v` to stderr, as text or as JSON. Only this crate's own lines are
//! logged: a dependency's may contain raw bytes of its requests.

use std::fmt::Write as _;
use std::io;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::Value;

use crate::text::clock::UnixTime;
use crate::text::quote::printable;
use crate::text::stderr::Stderr;
use crate::text::wrap::wrapped;

/// The lines logged since [`each_once`]; `None` to log every line.
static SAID: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Maximum number of remembered lines; further lines are logged each time.
const REMEMBERED: usize = 100;

/// True for [`Format::Json`].
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// The format of all that is written to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people
    Text,
    /// JSON objects with time, level and message, one per line
    Json,
}

/// Sets the format of all lines from now on.
pub fn set_format(format: Format) {
    IS_JSON.store(format == Format::Json, Ordering::Relaxed);
}

/// Returns true if lines are written as JSON.
pub fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Returns a log line as a JSON object, without a line break: time, level and message
/// come first.
pub fn json_line(time: UnixTime, level: Level, message: &str, fields: &[(&str, Value)]) -> String {
    let level = level.as_str().to_ascii_lowercase();
    let (time, message) = (Value::from(time.to_string()), Value::from(message));
    let mut line = format!(r#"{{"time":{time},"level":"{level}","message":{message}"#);
    for (name, value) in fields {
        // Infallible: it is a String.
        let _ = write!(line, r#","{name}":{value}"#);
    }
    line + "}"
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let module = metadata.target().split("::").next();
        module == Some(env!("CARGO_CRATE_NAME"))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = printable(&record.args().to_string());
        if record.level() <= Level::Warn && !is_new(&text) {
            return;
        }
        let mut line = if is_json() {
            json_line(UnixTime::now(), record.level(), &text, &[])
        } else {
            for_people(record.level(), &text)
        };
        line.push('\n');
        // A closed stderr cannot be reported anywhere.
        let _ = Stderr.write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

fn for_people(level: Level, text: &str) -> String {
    let word = match level {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        Level::Info | Level::Debug | Level::Trace => "",
    };
    let line = format!("zitadel-credential: {word}{text}");
    if level <= Level::Warn && io::stderr().is_terminal() {
        wrapped(&line, 0, 4)
    } else {
        line
    }
}

/// True if a line should be logged.
fn is_new(line: &str) -> bool {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(said) = said.as_mut() else {
        return true;
    };
    let is_new = !said.iter().any(|one| one == line);
    if is_new && said.len() < REMEMBERED {
        said.push(line.to_owned());
    }
    is_new
}

/// Logs each warning and error only once from now on, until the next call: for a
/// process that retries the same thing for hours.
pub fn each_once() {
    *SAID.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
}

/// Starts logging at this level; a later call changes only the level.
pub fn start(level: LevelFilter) {
    // A second call fails, with the same logger installed.
    let _ = log::set_logger(&Logger);
    log::set_max_level(level);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependencys_lines_are_not_logged() {
        let enabled = |target| Logger.enabled(&Metadata::builder().target(target).build());
        assert!(enabled("zitadel_credential::broker"));
        for other in ["ureq_proto", "rustls::client", "zitadel_credential_evil"] {
            assert!(!enabled(other), "{other}");
        }
    }

    #[test]
    fn a_json_line_is_one_object_for_any_message() {
        let time = UnixTime::from_secs(1_798_761_600);
        let line = json_line(time, Level::Warn, "a \"b\"\n\u{1b}[0m", &[("n", 1.into())]);
        assert_eq!(
            line,
            r#"{"time":"2027-01-01T00:00:00Z","level":"warn","message":"a \"b\"\n\u001b[0m","n":1}"#
        );
    }

    #[test]
    fn each_line_is_logged_once_until_the_next_call() {
        let line = |n: usize| format!("line {n}");
        assert!(is_new("a") && is_new("a"), "all is said at first");
        each_once();
        assert!(is_new("a") && !is_new("a") && is_new("b"));
        each_once();
        assert!(is_new("a"));
        for n in 0..2 * REMEMBERED {
            assert!(is_new(&line(n)));
        }
        let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(said.as_ref().map(Vec::len), Some(REMEMBERED));
    }
}
