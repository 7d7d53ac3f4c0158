//! Shows the stderr of a profile's command: escaped, limited, without secrets.

use std::io::{IsTerminal, Write};
use std::{io, mem};

use log::Level;

use crate::text::clock::UnixTime;
use crate::text::input;
use crate::text::logger::{is_json, json_line};
use crate::text::quote::printable;
use crate::text::redactor::Redactor;
use crate::text::stderr::Stderr;

/// Collects a command's stderr. A terminal shows it at once, because it may be a
/// question. Elsewhere it is shown at the end, if the command fails or with `-v`: some
/// callers read our stderr as a part of the response.
pub(super) struct Said {
    /// The command's key in the profile.
    setting: &'static str,
    is_live: bool,
    /// The bytes that are not shown yet.
    pending: Vec<u8>,
    redactor: Redactor,
    /// The number of bytes received.
    total: usize,
    /// True if the cursor is within a line.
    is_within_line: bool,
}

impl Said {
    pub(super) fn new(setting: &'static str) -> Self {
        Self {
            setting,
            is_live: io::stderr().is_terminal() && !is_json(),
            pending: Vec::new(),
            redactor: Redactor::default(),
            total: 0,
            is_within_line: false,
        }
    }

    /// Receives a part; an empty one means a moment without output. Drops everything
    /// after [`input::LIMIT`] bytes.
    pub(super) fn hear(&mut self, part: &[u8]) {
        let room = input::LIMIT.saturating_sub(self.total);
        self.total = self.total.saturating_add(part.len());
        self.pending
            .extend_from_slice(&part[..part.len().min(room)]);
        if !self.is_live {
            return;
        }
        // A question has no line end.
        let whole = match self.pending.iter().rposition(|byte| *byte == b'\n') {
            _ if part.is_empty() => self.pending.len(),
            Some(end) => end + 1,
            None => 0,
        };
        let rest = self.pending.split_off(whole);
        let text = mem::replace(&mut self.pending, rest);
        self.show(&text);
    }

    /// Shows the rest when the command has ended.
    pub(super) fn end(mut self, has_failed: bool) {
        if self.is_live || has_failed || log::log_enabled!(log::Level::Info) {
            let text = mem::take(&mut self.pending);
            self.show(&text);
            if self.is_within_line {
                self.write("\n");
            }
            if self.total > input::LIMIT {
                log::warn!("the rest of the {}'s stderr is not shown", self.setting);
            }
        }
    }

    fn show(&mut self, text: &[u8]) {
        let text = self.redactor.redact(&String::from_utf8_lossy(text));
        if is_json() {
            for line in text.lines() {
                let from = [("from", self.setting.into())];
                let line = json_line(UnixTime::now(), Level::Info, &printable(line), &from);
                self.write(&(line + "\n"));
            }
            return;
        }
        for line in text.split_inclusive('\n') {
            let (words, end) = match line.strip_suffix('\n') {
                Some(words) => (words.trim_end_matches('\r'), "\n"),
                None => (line, ""),
            };
            self.write(&format!("{}{end}", printable(words)));
            self.is_within_line = end.is_empty();
        }
    }

    #[expect(clippy::unused_self, reason = "only a command's words are written so")]
    fn write(&self, text: &str) {
        // A closed stderr cannot be reported anywhere.
        let _ = Stderr.write_all(text.as_bytes());
    }
}
