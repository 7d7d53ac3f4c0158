//! The findings of checks, and their output as text and JSON.

pub(crate) mod apiserver;
pub(crate) mod config;
pub(crate) mod key;
pub(crate) mod netrc;
pub(crate) mod rule;
pub(crate) mod source;
pub(crate) mod wiring;

use std::fmt::Write;

use serde_json::json;

use crate::error::{Error, Report};
use crate::text::quote::printable;
use crate::text::wrap::wrapped;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// No problem.
    Ok,
    /// The token works now, but may stop working, or does not work for every user.
    Warning,
    /// A tool cannot get its token.
    Failed,
    /// Another check, which this one needs, failed.
    Skipped,
}

impl Status {
    const ALL: [Self; 4] = [Self::Ok, Self::Warning, Self::Failed, Self::Skipped];

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Returns the terminal's colour code (ECMA-48, SGR) and symbol.
    const fn sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("32", "✓"),
            Self::Warning => ("33", "!"),
            Self::Failed => ("31", "✗"),
            Self::Skipped => ("2", "-"),
        }
    }
}

/// One finding. Its JSON is `{"name", "status", "finding", "remedy"}`. Names may
/// repeat: a tool has one finding for each place that names this program.
#[derive(Debug)]
pub(crate) struct Check {
    name: &'static str,
    pub(crate) status: Status,
    finding: String,
    /// `None` if no action is needed.
    remedy: Option<String>,
}

fn check(
    name: &'static str,
    status: Status,
    finding: impl AsRef<str>,
    remedy: Option<impl AsRef<str>>,
) -> Check {
    Check {
        name,
        status,
        finding: printable(finding.as_ref()),
        remedy: remedy.map(|remedy| printable(remedy.as_ref())),
    }
}

pub(crate) fn ok(name: &'static str, finding: impl AsRef<str>) -> Check {
    check(name, Status::Ok, finding, None::<&str>)
}

pub(crate) fn warning(
    name: &'static str,
    finding: impl AsRef<str>,
    remedy: impl AsRef<str>,
) -> Check {
    check(name, Status::Warning, finding, Some(remedy))
}

pub(crate) fn failed(
    name: &'static str,
    finding: impl AsRef<str>,
    remedy: impl AsRef<str>,
) -> Check {
    check(name, Status::Failed, finding, Some(remedy))
}

pub(crate) fn skipped(name: &'static str, why: impl AsRef<str>) -> Check {
    check(name, Status::Skipped, why, None::<&str>)
}

/// Creates a failed check from an error.
pub(crate) fn failed_with(name: &'static str, error: &Error) -> Check {
    let report = error.report();
    check(name, Status::Failed, in_a_line(report), report.advice())
}

/// Formats an error's headline and facts on one line.
pub(crate) fn in_a_line(report: &Report) -> String {
    let parts = std::iter::once(report.headline()).chain(report.facts());
    parts.collect::<Vec<_>>().join("; ")
}

/// All findings, in order.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    pub(crate) fn push(&mut self, check: Check) {
        self.0.push(check);
    }

    pub(crate) fn any_failed(&self) -> bool {
        self.count(Status::Failed) > 0
    }

    fn count(&self, status: Status) -> usize {
        self.0.iter().filter(|check| check.status == status).count()
    }

    /// Returns `{"checks": […], "ok": N, "warning": N, "failed": N, "skipped": N}`.
    pub(crate) fn json(&self) -> String {
        let checks = self.0.iter().map(|check| {
            json!({
                "name": check.name,
                "status": check.status.word(),
                "finding": check.finding,
                "remedy": check.remedy,
            })
        });
        let mut document = json!({ "checks": checks.collect::<Vec<_>>() });
        for status in Status::ALL {
            document[status.word()] = self.count(status).into();
        }
        format!("{document:#}\n")
    }

    /// Returns a line per finding with its remedy below, and a summary line. On a
    /// terminal long lines are broken.
    pub(crate) fn text(&self, has_colour: bool, is_terminal: bool) -> String {
        let mut text = String::new();
        let width = self.0.iter().map(|check| check.name.len()).max();
        let width = width.unwrap_or(0);
        for check in &self.0 {
            let word = format!("{:7}", check.status.word());
            let (colour, symbol) = check.status.sign();
            let status = if has_colour {
                format!("\x1b[{colour}m{symbol} {word}\x1b[0m")
            } else {
                word
            };
            let indent = if has_colour { 2 } else { 0 } + 9 + width + 2;
            let lines = |text: &str| {
                if is_terminal {
                    wrapped(text, indent, indent)
                } else {
                    text.to_owned()
                }
            };
            let finding = lines(&check.finding);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{status}  {:width$}  {finding}", check.name);
            if let Some(remedy) = &check.remedy {
                let _ = writeln!(text, "{:indent$}{}", "", lines(remedy));
            }
        }
        let counts: Vec<_> = Status::ALL
            .iter()
            .map(|status| (self.count(*status), status.word()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let _ = writeln!(text, "\n{}", counts.join(", "));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Checks {
        let mut checks = Checks::default();
        checks.push(ok("config", "read"));
        checks.push(failed("key", "gone \x1b[2J", "look"));
        checks
    }

    #[test]
    fn a_check_is_a_line_with_its_remedy_below() {
        assert_eq!(
            checks().text(false, false),
            "ok       config  read\nfailed   key     gone \\u{1b}[2J\n                 look\n\n1 ok, 1 failed\n"
        );
    }

    #[test]
    fn a_terminal_gets_symbols_and_colour_and_the_same_words() {
        assert!(checks().text(true, true).starts_with(
            "\x1b[32m✓ ok     \x1b[0m  config  read\n\x1b[31m✗ failed \x1b[0m  key     gone \\u{1b}[2J\n"
        ));
    }

    #[test]
    fn json_has_names_that_stay() {
        let json: serde_json::Value = serde_json::from_str(&checks().json()).expect("JSON");
        assert_eq!(
            json,
            json!({
                "checks": [
                    {"name": "config", "status": "ok", "finding": "read", "remedy": null},
                    {"name": "key", "status": "failed", "finding": "gone \\u{1b}[2J", "remedy": "look"},
                ],
                "ok": 1, "warning": 0, "failed": 1, "skipped": 0,
            })
        );
    }
}
