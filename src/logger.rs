//! Warnings and `-v`, on stderr: our own lines only. A dependency's would hold
//! raw bytes of what it sends.

use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::quote::printable;

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
        let line = format!("zitadel-credential: {level}{text}\n");
        // Nobody is left to tell that stderr is closed.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Starts logging at this level; a later call changes the level only.
pub fn start(level: LevelFilter) {
    // A second call finds the same logger in place.
    let _ = log::set_logger(&Logger);
    log::set_max_level(level);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependencys_lines_are_not_ours() {
        let enabled = |target| Logger.enabled(&Metadata::builder().target(target).build());
        assert!(enabled("zitadel_credential::broker"));
        for other in ["ureq_proto", "rustls::client", "zitadel_credential_evil"] {
            assert!(!enabled(other), "{other}");
        }
    }
}
