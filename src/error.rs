//! What went wrong, what was found out about it, and what to do.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::text::quote::printable;

/// Every failure, cut by what the caller does next.
#[derive(Debug, Error)]
pub enum Error {
    /// The command line, the environment or the config file must change first.
    #[error("{0}")]
    Usage(Report),
    /// It failed and will fail again: refused, a bad key, a bad answer.
    #[error("{0}")]
    Final(Report),
    /// It failed for now; the same call may succeed later, and a token that is
    /// still good may be used meanwhile.
    #[error("{0}")]
    Passing(Report),
}

impl Error {
    /// The process's exit code (DESIGN part 2; 75 is `EX_TEMPFAIL` of sysexits).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Final(_) => 1,
            Self::Passing(_) => 75,
        }
    }

    /// The report inside.
    pub const fn report(&self) -> &Report {
        match self {
            Self::Usage(report) | Self::Final(report) | Self::Passing(report) => report,
        }
    }

    /// The same error with its report changed.
    pub fn map(self, change: impl FnOnce(Report) -> Report) -> Self {
        match self {
            Self::Usage(report) => Self::Usage(change(report)),
            Self::Final(report) => Self::Final(change(report)),
            Self::Passing(report) => Self::Passing(change(report)),
        }
    }
}

/// An error as a person reads it: what failed, with what, what was found out,
/// what to do.
#[derive(Debug)]
pub struct Report {
    what: String,
    with: Option<String>,
    facts: Vec<String>,
    hint: Option<String>,
    /// Lines to copy by hand.
    lines: Vec<String>,
    /// Seconds.
    wait: Option<u32>,
}

impl Report {
    /// What failed, in lower case and without a trailing dot.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            with: None,
            facts: Vec::new(),
            hint: None,
            lines: Vec::new(),
            wait: None,
        }
    }

    /// Says with what it failed: the key, the user, the issuer.
    pub fn with(mut self, with: impl Into<String>) -> Self {
        self.with = Some(with.into());
        self
    }

    /// Adds a fact that was found out on this side.
    pub fn found(mut self, fact: impl Into<String>) -> Self {
        self.facts.push(fact.into());
        self
    }

    /// Says what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds lines to copy by hand, below the hint.
    pub fn lines(mut self, text: &str) -> Self {
        self.lines.extend(text.lines().map(ToOwned::to_owned));
        self
    }

    /// Says how long not to try again, as the issuer asked.
    pub fn wait(mut self, wait: Option<Duration>) -> Self {
        let secs = |wait: Duration| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
        self.wait = wait.map(secs);
        self
    }

    /// Puts the thing that it is about before what failed.
    pub fn about(mut self, thing: &impl fmt::Display) -> Self {
        self.what = format!("{thing}: {}", self.what);
        self
    }

    /// What failed, on one line and fit for a terminal.
    pub fn headline(&self) -> String {
        printable(&self.what)
    }

    /// What was found out, each on one line and fit for a terminal.
    pub fn facts(&self) -> impl Iterator<Item = String> {
        self.facts.iter().map(|fact| printable(fact))
    }

    /// All but the headline, as a person reads it: each on one line and fit for
    /// a terminal.
    pub fn details(&self) -> impl Iterator<Item = String> {
        let with = self.with.iter().map(|with| ("with", with));
        let facts = self.facts.iter().map(|fact| ("found", fact));
        let hint = self.hint.iter().map(|hint| ("hint", hint));
        with.chain(facts)
            .chain(hint)
            .map(|(word, text)| format!("{word}: {}", printable(text)))
            .chain(
                self.lines
                    .iter()
                    .map(|line| format!("  {}", printable(line))),
            )
    }

    /// How long not to try again, where the issuer asked for that.
    pub fn asked_wait(&self) -> Option<Duration> {
        self.wait.map(|secs| Duration::from_secs(secs.into()))
    }

    /// What to do, on one line and fit for a terminal.
    pub fn advice(&self) -> Option<String> {
        self.hint.as_deref().map(printable)
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
    fn a_report_reads_as_what_then_facts_then_hint() {
        let report = Report::new("it broke")
            .hint("mend it")
            .found("one")
            .found("two")
            .with("a key")
            .lines("[a]\nb = 1\n");
        assert_eq!(
            report.to_string(),
            "it broke\n  with: a key\n  found: one\n  found: two\n  hint: mend it\n    [a]\n    b = 1"
        );
    }

    #[test]
    fn nothing_quoted_can_leave_its_line_or_steer_a_terminal() {
        let report = Report::new("host \u{1b}[31m\u{7}").found("a\nb\r\u{9b}\u{2028}");
        let text = report.to_string();
        assert_eq!(
            text,
            "host \\u{1b}[31m\\u{7}\n  found: a\\nb\\r\\u{9b}\\u{2028}"
        );
    }
}
