//! `--metrics-file`: the agent's state for Prometheus, through the textfile collector of
//! `node_exporter`.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::cell::Cell;
use std::fmt::{Display, Write};
use std::path::PathBuf;

use super::keeper::{Round, in_a_line};
use super::kubernetes::{Applied, SecretName};
use crate::cache::shared::Use;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::sys::signals;
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::text::quote::holds_secret;
use crate::token::Token;
use crate::token_file;

/// The reason of a failure, by its remedy: the values of a label.
#[derive(Clone, Copy)]
enum Reason {
    Configuration,
    File,
    Permanent,
    Refused,
    Secret,
    Temporary,
}

impl Reason {
    const ALL: [Self; 6] = [
        Self::Configuration,
        Self::File,
        Self::Permanent,
        Self::Refused,
        Self::Secret,
        Self::Temporary,
    ];

    /// Returns the reason why there is no new token.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Usage => Self::Configuration,
            Kind::Final => Self::Permanent,
            Kind::Refused => Self::Refused,
            Kind::Passing => Self::Temporary,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::File => "file",
            Self::Permanent => "permanent",
            Self::Refused => "refused",
            Self::Secret => "secret",
            Self::Temporary => "temporary",
        }
    }
}

/// The agent's counters, and the file for them.
pub(super) struct Metrics {
    path: PathBuf,
    /// The name that identifies this agent among those of a machine: its first file, or
    /// else its first Secret.
    file: String,
    token_expiry: Option<UnixTime>,
    key_expiry: Option<UnixTime>,
    last_success: Option<UnixTime>,
    renewals: u64,
    failures: [u64; Reason::ALL.len()],
    /// Hits, misses and failures of the shared cache; absent without one.
    shared: Cell<Option<[u64; 3]>>,
    /// True if the path is not one of our files, by the last configuration.
    is_allowed: Cell<bool>,
    /// True if the last write failed.
    is_failing: bool,
}

impl Metrics {
    /// Creates the metrics of an agent that keeps these files and Secrets.
    pub(super) fn new(path: PathBuf, files: &[PathBuf], secrets: &[SecretName]) -> Self {
        let shown = |file: &PathBuf| {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let text = file.to_string_lossy();
            // The text format has only the escapes of `escaped`.
            if holds_secret(&text) {
                quote::path(&file)
            } else {
                text.into_owned()
            }
        };
        Self {
            path,
            file: match (files, secrets) {
                ([file, ..], _) => shown(file),
                ([], [secret, ..]) => secret.to_string(),
                ([], []) => String::new(),
            },
            token_expiry: None,
            key_expiry: None,
            last_success: None,
            renewals: 0,
            failures: [0; Reason::ALL.len()],
            shared: Cell::default(),
            is_allowed: Cell::new(false),
            is_failing: false,
        }
    }

    /// Allows writing the file, unless it is one of our files.
    ///
    /// # Errors
    /// As [`token_file::refuse_ours`].
    pub(super) fn allow(&self, config: &Config<'_>) -> Result<(), Error> {
        let allowed = token_file::refuse_ours(&self.path, config, "the metrics")
            .and_then(|()| token_file::refuse_noted(&self.path, "the metrics"));
        self.is_allowed.set(allowed.is_ok());
        allowed
    }

    /// Counts a round.
    pub(super) fn count(
        &mut self,
        round: &Round,
        applied: &Applied,
        token: Option<&Token>,
        key_expiry: Option<UnixTime>,
        now: UnixTime,
    ) {
        self.key_expiry = key_expiry;
        self.token_expiry = token
            .and_then(Token::lifespan)
            .map(|lifespan| lifespan.expires_at);
        self.renewals += u64::from(round.has_new_token);
        let off = round.failed_renewal.as_ref().map(|failed| failed.kind);
        if let Some(kind) = off.or(round.not_fetched) {
            self.add(Reason::of(kind));
        }
        for _ in 0..round.unwritten {
            self.add(Reason::File);
        }
        self.failures[Reason::Secret as usize] = applied.failures;
        if round.is_well && applied.is_complete {
            self.last_success = Some(now);
        }
    }

    /// Counts how a renewal used the shared cache.
    pub(super) fn count_shared(&self, had: Option<Use>) {
        let mut counts = self.shared.get().unwrap_or_default();
        match had {
            Some(Use::Hit) => counts[0] += 1,
            Some(Use::Miss) => counts[1] += 1,
            Some(Use::Failure) => counts[2] += 1,
            None => {}
        }
        self.shared.set(Some(counts));
    }

    fn add(&mut self, reason: Reason) {
        self.failures[reason as usize] += 1;
    }

    /// Writes the file if allowed. Warns of a failure once, until a write succeeds.
    pub(super) fn write(&mut self, now: UnixTime) {
        if !self.is_allowed.get() {
            return;
        }
        let written = signals::whole(|| token_file::write_public(&self.path, &self.text(), now));
        match &written {
            Err(error) if !self.is_failing => log::warn!("{}", in_a_line(error)),
            Ok(()) if self.is_failing => {
                log::warn!("{}: the metrics are written again", quote::path(&self.path));
            }
            _ => {}
        }
        self.is_failing = written.is_err();
    }

    fn text(&self) -> String {
        let mut page = Page {
            text: String::new(),
            file: escaped(&self.file),
        };
        page.gauge(
            "build_info",
            "The version of zitadel-credential; the value is 1.",
            &format!(",version=\"{}\"", escaped(env!("CARGO_PKG_VERSION"))),
            Some(1),
        );
        let time = |time: Option<UnixTime>| time.map(UnixTime::as_secs);
        page.gauge(
            "token_expiry_timestamp_seconds",
            "When the current token expires; absent if the issuer sent no lifetime.",
            "",
            time(self.token_expiry),
        );
        page.gauge(
            "key_expiry_timestamp_seconds",
            "When the key expires; absent if the key file has no expiry.",
            "",
            time(self.key_expiry),
        );
        page.gauge(
            "last_success_timestamp_seconds",
            "When all files and Secrets last had a fresh token; absent before the first time.",
            "",
            time(self.last_success),
        );
        page.family(
            "renewals_total",
            "counter",
            "New tokens since the agent started, the first one included.",
        );
        page.sample("renewals_total", "", self.renewals);
        page.family(
            "failures_total",
            "counter",
            "Failed renewals and writes since the agent started.",
        );
        for reason in Reason::ALL {
            let label = format!(",reason=\"{}\"", reason.name());
            page.sample("failures_total", &label, self.failures[reason as usize]);
        }
        let shared = [
            (
                "shared_cache_hits_total",
                "Tokens that another machine had published in the shared cache.",
            ),
            (
                "shared_cache_misses_total",
                "Tokens that this agent requested and published there.",
            ),
            (
                "shared_cache_failures_total",
                "Renewals for which the shared cache was not available.",
            ),
        ];
        for ((name, help), count) in shared
            .into_iter()
            .zip(self.shared.get().into_iter().flatten())
        {
            page.family(name, "counter", help);
            page.sample(name, "", count);
        }
        page.text
    }
}

/// The text of the file.
struct Page {
    text: String,
    /// The label of each sample.
    file: String,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, labels: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.family(name, "gauge", help);
            self.sample(name, labels, value);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP zitadel_credential_{name} {help}"));
        self.line(format_args!("# TYPE zitadel_credential_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let file = std::mem::take(&mut self.file);
        self.line(format_args!(
            "zitadel_credential_{name}{{file=\"{file}\"{labels}}} {value}"
        ));
        self.file = file;
    }

    fn line(&mut self, line: impl Display) {
        // Infallible: it is a String.
        let _ = writeln!(self.text, "{line}");
    }
}

/// Escapes the value of a label.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
