//! Logs warnings and `-v` to stderr. Only this crate's own lines: a dependency's
//! may contain raw bytes of its requests.

use std::io;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::text::quote::printable;
use crate::text::stderr::Stderr;
use crate::text::wrap::wrapped;

/// The lines logged since [`each_once`]; `None` to log every line.
static SAID: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Maximum number of remembered lines; further lines are logged each time.
const REMEMBERED: usize = 100;

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
        let level = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        let text = printable(&record.args().to_string());
        if record.level() <= Level::Warn && !is_new(&text) {
            return;
        }
        let mut line = format!("zitadel-credential: {level}{text}");
        if record.level() <= Level::Warn && io::stderr().is_terminal() {
            line = wrapped(&line, 0, 4);
        }
        line.push('\n');
        // A closed stderr cannot be reported anywhere.
        let _ = Stderr.write_all(line.as_bytes());
    }

    fn flush(&self) {}
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

/// Starts logging at this level; a later call changes the level only.
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
