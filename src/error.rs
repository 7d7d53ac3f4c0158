//! Errors: the failure, the local facts, and the remedies.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::text::quote::printable;
use crate::text::wrap::wrapped;

/// All failures, classified by the caller's next step.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line, the environment or the config file must change first.
    #[error("{0}")]
    Usage(Report),
    /// A retry fails as well, for example after a refusal, for a bad key or a bad
    /// response.
    #[error("{0}")]
    Final(Report),
    /// The issuer refused the key or its user permanently: a retry fails as well, and
    /// their tokens may be invalid.
    #[error("{0}")]
    Refused(Report),
    /// A retry may succeed; until then a token that is still valid may be used.
    #[error("{0}")]
    Passing(Report),
}

/// An [`enum@Error`]'s variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Error::Usage`].
    Usage,
    /// [`Error::Final`].
    Final,
    /// [`Error::Refused`].
    Refused,
    /// [`Error::Passing`].
    Passing,
}

impl Error {
    /// Returns the variant.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Usage(_) => Kind::Usage,
            Self::Final(_) => Kind::Final,
            Self::Refused(_) => Kind::Refused,
            Self::Passing(_) => Kind::Passing,
        }
    }

    /// Returns the process's exit code; 75 is `EX_TEMPFAIL` of sysexits.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Final(_) | Self::Refused(_) => 1,
            Self::Passing(_) => 75,
        }
    }

    /// Returns the error's report.
    pub const fn report(&self) -> &Report {
        match self {
            Self::Usage(report)
            | Self::Final(report)
            | Self::Refused(report)
            | Self::Passing(report) => report,
        }
    }

    /// Returns only the report.
    pub fn into_report(self) -> Report {
        match self {
            Self::Usage(report)
            | Self::Final(report)
            | Self::Refused(report)
            | Self::Passing(report) => report,
        }
    }

    /// Returns the same error with a changed report.
    pub fn map(self, change: impl FnOnce(Report) -> Report) -> Self {
        match self {
            Self::Usage(report) => Self::Usage(change(report)),
            Self::Final(report) => Self::Final(change(report)),
            Self::Refused(report) => Self::Refused(change(report)),
            Self::Passing(report) => Self::Passing(change(report)),
        }
    }
}

/// An error for display to the user: the failure, the key and issuer, the facts, the
/// hints.
#[derive(Debug)]
pub struct Report {
    // Boxed, because every `Result` of the program has the size of its error.
    failure: Box<str>,
    with: Option<Box<str>>,
    facts: Vec<String>,
    hints: Vec<String>,
    /// Lines to copy by hand.
    lines: Box<[String]>,
    wait: Wait,
}

/// The issuer's limit for further requests.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    secs: u32,
    /// True if the issuer requested this time.
    is_asked: bool,
    /// True if there were too many requests.
    is_limited: bool,
}

impl Report {
    /// Creates a report of this failure, written in lower case and without a
    /// trailing dot.
    pub fn new(failure: impl Into<String>) -> Self {
        Self {
            failure: failure.into().into_boxed_str(),
            with: None,
            facts: Vec::new(),
            hints: Vec::new(),
            lines: Box::default(),
            wait: Wait::default(),
        }
    }

    /// Adds the key, the user and the issuer of the failed request.
    pub fn with(mut self, with: impl Into<String>) -> Self {
        self.with = Some(with.into().into_boxed_str());
        self
    }

    /// Adds a fact that was found locally.
    pub fn found(mut self, fact: impl Into<String>) -> Self {
        self.facts.push(fact.into());
        self
    }

    /// Adds a remedy, in the imperative. The most likely one comes first, and each is
    /// shown on a separate line.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds lines to copy by hand, below the hint.
    pub fn lines(mut self, text: &str) -> Self {
        self.lines = text.lines().map(ToOwned::to_owned).collect();
        self
    }

    /// Sets the issuer's requested pause before a retry.
    pub fn wait(mut self, wait: Option<Duration>) -> Self {
        let secs = |wait: Duration| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
        self.wait.is_asked = wait.is_some();
        self.wait.secs = wait.map_or(0, secs);
        self
    }

    /// Records that the issuer got too many requests from here.
    pub fn limited(mut self) -> Self {
        self.wait.is_limited = true;
        self
    }

    /// True if the issuer got too many requests from here.
    pub const fn is_limited(&self) -> bool {
        self.wait.is_limited
    }

    /// Prefixes the failure with its subject.
    pub fn about(mut self, thing: &impl fmt::Display) -> Self {
        self.failure = format!("{thing}: {}", self.failure).into_boxed_str();
        self
    }

    /// Replaces the failure.
    pub fn renamed(mut self, failure: impl Into<String>) -> Self {
        self.failure = failure.into().into_boxed_str();
        self
    }

    /// Returns the failure as one line that is safe for a terminal.
    pub fn headline(&self) -> String {
        printable(&self.failure)
    }

    /// Returns the facts, each as one line that is safe for a terminal.
    pub fn facts(&self) -> impl Iterator<Item = String> {
        self.facts.iter().map(|fact| printable(fact))
    }

    /// Returns everything but the headline, each part as one line that is safe for
    /// a terminal.
    pub fn details(&self) -> impl Iterator<Item = String> {
        let line = |(word, text): (&str, &str)| format!("{word}: {}", printable(text));
        let with = self.with.iter().map(|with| ("with", &**with));
        let facts = self.facts.iter().map(|fact| ("found", fact.as_str()));
        let hints = self.hints.iter().map(|hint| ("hint", hint.as_str()));
        let to_copy = self
            .lines
            .iter()
            .map(|line| format!("  {}", printable(line)));
        with.chain(facts).chain(hints).map(line).chain(to_copy)
    }

    /// Returns everything but the headline as fields of a JSON object, without empty
    /// fields.
    pub fn fields(&self) -> Vec<(&'static str, Value)> {
        let list = |texts: &[String]| -> Option<Value> {
            let shown = texts.iter().map(|text| printable(text));
            (!texts.is_empty()).then(|| shown.collect())
        };
        let with = self.with.as_deref().map(|with| printable(with).into());
        let all = [
            ("with", with),
            ("found", list(&self.facts)),
            ("hints", list(&self.hints)),
            ("lines", list(&self.lines)),
        ];
        let present = |(name, value): (_, Option<Value>)| Some((name, value?));
        all.into_iter().filter_map(present).collect()
    }

    /// Returns the whole report for a terminal, after a prefix.
    pub fn for_terminal(&self, prefix: &str) -> String {
        let mut text = prefix.to_owned();
        text += &wrapped(&self.headline(), prefix.chars().count(), 4);
        for detail in self.details() {
            text += "\n  ";
            text += &match detail.split_once(": ") {
                Some((word, _)) if !word.starts_with(' ') => wrapped(&detail, 2, word.len() + 4),
                // A line to copy.
                _ => detail,
            };
        }
        text
    }

    /// Returns the issuer's requested pause before a retry, if there is one.
    pub fn retry_after(&self) -> Option<Duration> {
        let wait = self.wait;
        wait.is_asked.then(|| Duration::from_secs(wait.secs.into()))
    }

    /// Returns all hints as one line, joined by "or", that is safe for a terminal;
    /// `None` if there are none.
    pub fn advice(&self) -> Option<String> {
        (!self.hints.is_empty()).then(|| printable(&self.hints.join("; or ")))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.details()
            .try_for_each(|detail| write!(f, "\n  {detail}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_failure_then_facts_then_hints() {
        let report = Report::new("it broke")
            .hint("repair it")
            .hint("buy another")
            .found("one")
            .found("two")
            .with("a key")
            .lines("[a]\nb = 1\n");
        assert_eq!(
            report.to_string(),
            "it broke\n  with: a key\n  found: one\n  found: two\n  hint: repair it\n  hint: buy another\n    [a]\n    b = 1"
        );
        assert_eq!(
            report.advice().as_deref(),
            Some("repair it; or buy another")
        );
        assert_eq!(Report::new("it broke").advice(), None);
    }

    #[test]
    fn a_terminal_gets_lines_of_80_columns_and_lines_to_copy_as_they_are() {
        let long = ["words"; 20].join(" ");
        let report = Report::new(&*long).found(&*long).lines(&long);
        assert_eq!(
            report.for_terminal("error: "),
            "error: words words words words words words words words words words words words
    words words words words words words words words
  found: words words words words words words words words words words words words
         words words words words words words words words
    words words words words words words words words words words words words words words words words words words words words"
        );
    }

    #[test]
    fn quoted_text_cannot_break_its_line_or_control_a_terminal() {
        let report = Report::new("host \u{1b}[31m\u{7}").found("a\nb\r\u{9b}\u{2028}");
        let text = report.to_string();
        assert_eq!(
            text,
            "host \\u{1b}[31m\\u{7}\n  found: a\\nb\\r\\u{9b}\\u{2028}"
        );
    }
}
