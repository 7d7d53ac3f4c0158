//! The messages of a plan to the user.

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

    /// Adds a line for the user.
    pub(crate) fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds a line about an edit that was changed or removed since.
    pub(crate) fn say_drift(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.drift.push(line.clone());
        self.say(line);
    }

    /// Adds lines for the user.
    pub(crate) fn say_all(&mut self, lines: impl IntoIterator<Item = String>) {
        self.lines.extend(lines);
    }

    /// Adds a line after all others: the command to type next.
    pub(crate) fn say_next(&mut self, line: impl Into<String>) {
        self.next.push(line.into());
    }

    /// Adds a line after all others on using the hosts; not for a service that takes no
    /// ZITADEL tokens, whose rule was forced.
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
