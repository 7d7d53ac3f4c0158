//! git's configuration: helpers that are ours, and for which host.

use std::process::{Command, Stdio};

use super::{Check, GIT_NAME, hit, is_ours, unread};
use crate::clock::Deadline;
use crate::config::Config;
use crate::doctor::check::{Checks, failed, ok};
use crate::doctor::host;
use crate::error::{Error, Report};
use crate::issuer::Environment;
use crate::process;
use crate::quote::quoted;
use crate::url::Origin;

const KEY: &str = "credential.";

#[derive(Default)]
pub(in crate::doctor) struct Found {
    helpers: Vec<Helper>,
    error: Option<Error>,
}

struct Helper {
    /// The URL between `credential.` and `.helper`; none for all hosts.
    url: Option<String>,
    value: String,
}

pub(super) fn read(environment: &Environment, deadline: &Deadline) -> Found {
    // Not by its name alone: PATH may lead to a clone's own git.
    let Some(git) = process::find("git", environment) else {
        return Found::default();
    };
    let mut command = Command::new(git);
    command
        .args([
            "config",
            "--null",
            "--get-regexp",
            r"^credential\.(.*\.)?helper$",
        ])
        .env_remove("ZITADEL_CREDENTIAL_KEY")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let unread = |what: String| Found {
        helpers: Vec::new(),
        error: Some(Error::Final(
            Report::new(format!("git config: {what}"))
                .hint("run git config --get-regexp credential by hand: it must end"),
        )),
    };
    match process::run(&mut command, deadline) {
        // 1: there is none.
        Ok(ended) if matches!(ended.status.code(), Some(0 | 1)) => Found {
            helpers: helpers(&String::from_utf8_lossy(&ended.stdout)),
            error: None,
        },
        Ok(ended) => unread(format!("it ended with {}", ended.status)),
        Err(error) => unread(error.to_string()),
    }
}

/// Reads `key LF value NUL`; an empty value takes out those before it.
fn helpers(listed: &str) -> Vec<Helper> {
    let mut found: Vec<Helper> = Vec::new();
    for item in listed.split('\0').filter(|item| !item.is_empty()) {
        let (key, value) = item.split_once('\n').unwrap_or((item, ""));
        let url = key
            .strip_prefix(KEY)
            .and_then(|rest| rest.strip_suffix(".helper"));
        if value.is_empty() {
            // An empty one for all hosts comes before what follows it, whatever
            // the host; one for a host, before that host's.
            found.retain(|helper| url.is_some() && helper.url.as_deref() != url);
        } else if is_helper(value) {
            found.push(Helper {
                url: url.map(ToOwned::to_owned),
                value: value.to_owned(),
            });
        }
    }
    found
}

/// Whether a helper's value runs us: a short name, a path, or a shell's line.
fn is_helper(value: &str) -> bool {
    if let Some(line) = value.strip_prefix('!') {
        return is_ours(&program(line));
    }
    let program = program(value);
    program == "zitadel" || (value.starts_with('/') && is_ours(&program))
}

/// The first word of a line, as the shell that git hands it to reads it.
fn program(line: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut rest = line.trim_ascii_start().chars();
    while let Some(c) = rest.next() {
        match quote {
            None if c.is_ascii_whitespace() => break,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None | Some('"') if c == '\\' => word.extend(rest.next()),
            Some(open) if c == open => quote = None,
            _ => word.push(c),
        }
    }
    word
}

impl Found {
    /// Whether a helper is looked for by its short name.
    pub(super) fn needs_link(&self) -> bool {
        self.helpers
            .iter()
            .any(|helper| !helper.value.starts_with(['/', '!']))
    }

    /// Whether git asks us for every host.
    pub(super) fn is_for_all(&self) -> bool {
        self.helpers.iter().any(|helper| helper.url.is_none())
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = Origin> {
        self.helpers
            .iter()
            .filter_map(|helper| Some(helper.ask()?.origin))
    }

    pub(super) fn check(
        &self,
        checks: &mut Checks,
        config: &Config<'_>,
        is_read: bool,
        environment: &Environment,
    ) {
        if let Some(error) = &self.error {
            checks.push(unread("git", error));
        }
        for helper in &self.helpers {
            checks.push(helper.check(config, is_read, environment));
        }
    }
}

impl Helper {
    fn ask(&self) -> Option<crate::helper::Ask> {
        // git's * is one label of a host.
        host::read(&self.url.as_ref()?.replace("://*.", "://any-label."))
    }

    fn check(&self, config: &Config<'_>, is_read: bool, environment: &Environment) -> Check {
        let program = program(self.value.trim_start_matches('!'));
        let is_there = match program.as_str() {
            "zitadel" => process::find(GIT_NAME, environment).is_some(),
            path if path.starts_with('/') => process::is_program(path.as_ref()),
            name => process::find(name, environment).is_some(),
        };
        let place = match &self.url {
            Some(url) => quoted(url),
            None => "every host".to_owned(),
        };
        if !is_there {
            let name = match program.as_str() {
                "zitadel" => GIT_NAME.to_owned(),
                other => quoted(other),
            };
            let host = self.ask().map(|ask| ask.origin.authority());
            let host = host.unwrap_or_else(|| "HOST".to_owned());
            return failed(
                "git",
                format!("{place}: its helper {name} is not there"),
                format!("see the check program, or zitadel-credential setup git {host}"),
            );
        }
        match (&self.url, self.ask()) {
            (None, _) => ok("git", "every host: those that a rule names are answered"),
            (Some(_), Some(ask)) => hit(
                "git",
                &place,
                &ask.origin,
                ask.username.as_deref(),
                config,
                is_read,
            ),
            (Some(_), None) => failed(
                "git",
                format!("{place}: it is no URL of a host that could have a rule"),
                "git config --global --get-regexp credential shows it: name https://HOST",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_helpers_are_told_from_others() {
        for ours in [
            "zitadel",
            "zitadel --profile ci",
            "/usr/bin/git-credential-zitadel",
            "!zitadel-credential git",
            "!/opt/zitadel-credential --profile ci git",
            "!'/opt/my tools/zitadel-credential' git --config '/a b'",
            r"!'/opt/it'\''s/zitadel-credential' git",
            "! \"/opt/my tools/zitadel-credential\" git",
            r"!/opt/my\ tools/zitadel-credential git",
        ] {
            assert!(is_helper(ours), "{ours}");
        }
        for other in [
            "",
            "store",
            "zitadel2",
            "!echo zitadel",
            "!'echo' zitadel-credential",
            "/usr/bin/zitadel",
        ] {
            assert!(!is_helper(other), "{other}");
        }
    }

    #[test]
    fn an_empty_value_takes_out_those_before_it() {
        let urls = |listed: &str| {
            let found = helpers(listed).into_iter().map(|helper| helper.url);
            found.collect::<Vec<_>>()
        };
        let a = Some("https://a".to_owned());
        assert_eq!(
            urls("credential.helper\nzitadel\0credential.https://a.helper\nzitadel\0"),
            [None, a.clone()]
        );
        assert_eq!(
            urls("credential.https://a.helper\nzitadel\0credential.https://a.helper\n\0"),
            [] as [Option<String>; 0]
        );
        assert_eq!(
            urls(
                "credential.helper\nzitadel\0credential.helper\n\0credential.https://a.helper\nzitadel\0"
            ),
            [a]
        );
    }
}
