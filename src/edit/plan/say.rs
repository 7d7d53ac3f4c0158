//! What a plan says to the person.

use super::Plan;
use crate::edit::verbs::Verbs;
use crate::host::HostPattern;

impl Plan<'_> {
    /// Returns the verbs for the lines of this undo.
    pub(crate) const fn verbs(&self) -> Verbs {
        if self.mode.dry_run {
            Verbs::PLANNED
        } else {
            Verbs::DONE
        }
    }

    /// Adds a line for the person.
    pub(crate) fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds a line that says that something of a setup no longer stands.
    pub(crate) fn say_drift(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.drift.push(line.clone());
        self.say(line);
    }

    /// Adds lines for the person.
    pub(crate) fn say_all(&mut self, lines: impl IntoIterator<Item = String>) {
        self.lines.extend(lines);
    }

    /// Adds a line after all others: what to type next.
    pub(crate) fn say_next(&mut self, line: impl Into<String>) {
        self.next.push(line.into());
    }

    /// Adds a line after all others that tells to use hosts; not of a service that takes
    /// no tokens of ZITADEL, which somebody has forced.
    pub(crate) fn say_next_at(&mut self, hosts: &HostPattern, line: impl Into<String>) {
        if hosts.service().is_none() {
            self.say_next(line);
        }
    }

    /// Adds lines before all others.
    pub(crate) fn say_first(&mut self, lines: Vec<String>) {
        self.lines.splice(0..0, lines);
    }
}
