//! Wiring of git: the hosts whose helper is this program, and the other helpers that
//! get the token too.

use std::process::{Command, Stdio};

use crate::config::Config;
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, Wiring, check_rule, is_ours};
use crate::findings::{Check, Checks, failed, failed_with, ok, warning};
use crate::host::Ask;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

/// The name by which the tool finds this program on `PATH`.
const GIT_NAME: &str = "git-credential-zitadel";

const KEY: &str = "credential.";

#[derive(Default)]
struct GitWiring {
    helpers: Vec<Helper>,
    /// All helpers in git's configuration, in git's order.
    listed: Vec<Listed>,
    error: Option<Error>,
}

/// A line of git's configuration that names a helper.
struct Listed {
    /// The file, as git prints it.
    place: String,
    helper: Helper,
}

#[derive(Clone)]
struct Helper {
    /// The URL between `credential.` and `.helper`; `None` for all hosts.
    url: Option<String>,
    value: String,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(machine.environment, &machine.deadline))
}

fn read_files(environment: &Environment, deadline: &Deadline) -> GitWiring {
    // By an absolute path: a relative entry of PATH could lead to a git in a clone.
    let Some(git) = process::find("git", environment) else {
        return GitWiring::default();
    };
    let mut command = Command::new(git);
    command
        .args([
            "config",
            "--null",
            "--show-origin",
            "--get-regexp",
            r"^credential\.(.*\.)?helper$",
        ])
        .env_remove("ZITADEL_CREDENTIAL_KEY")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let unread = |what: String| GitWiring {
        error: Some(Error::Final(
            Report::new(format!("git config: {what}"))
                .hint("run git config --get-regexp credential to see the error"),
        )),
        ..GitWiring::default()
    };
    match process::run(&mut command, deadline) {
        // Exit code 1: no such entry.
        Ok(ended) if matches!(ended.status.code(), Some(0 | 1)) => {
            let listed = listed(&String::from_utf8_lossy(&ended.stdout));
            GitWiring {
                helpers: helpers(&listed),
                listed,
                error: None,
            }
        }
        Ok(ended) => unread(ended.status.to_string()),
        Err(error) => unread(error.to_string()),
    }
}

/// Parses `place NUL key LF value NUL`.
fn listed(text: &str) -> Vec<Listed> {
    let mut items = text.split('\0');
    let mut listed = Vec::new();
    while let (Some(place), Some(item)) = (items.next(), items.next()) {
        let (key, value) = item.split_once('\n').unwrap_or((item, ""));
        let url = key
            .strip_prefix(KEY)
            .and_then(|rest| rest.strip_suffix(".helper"));
        listed.push(Listed {
            place: place.strip_prefix("file:").unwrap_or(place).to_owned(),
            helper: Helper {
                url: url.map(ToOwned::to_owned),
                value: value.to_owned(),
            },
        });
    }
    listed
}

/// Returns the helpers that run this program. An empty value removes those before it.
fn helpers(listed: &[Listed]) -> Vec<Helper> {
    let mut found: Vec<Helper> = Vec::new();
    for Listed { helper, .. } in listed {
        if helper.value.is_empty() {
            // For all hosts, an empty value removes every helper before it; for one
            // host, only the helpers of that host.
            found.retain(|known| helper.url.is_some() && known.url != helper.url);
        } else if is_helper(&helper.value) {
            found.push(helper.clone());
        }
    }
    found
}

/// Returns the helpers that git runs for a scope, in git's order. Helpers for all
/// hosts are among them.
fn helpers_for<'l>(listed: &'l [Listed], scope: &Helper) -> Vec<&'l Listed> {
    let origin = scope.ask().map(|ask| ask.origin);
    let mut helpers = Vec::new();
    for one in listed {
        let url = &one.helper.url;
        let is_same = || one.helper.ask().map(|ask| ask.origin) == origin;
        if url.is_some() && *url != scope.url && (origin.is_none() || !is_same()) {
            continue;
        }
        if one.helper.value.is_empty() {
            helpers.clear();
        } else {
            helpers.push(one);
        }
    }
    helpers
}

/// True if a helper's value runs this program: a short name, a path or a shell command.
fn is_helper(value: &str) -> bool {
    if let Some(line) = value.strip_prefix('!') {
        return is_ours(&program(line));
    }
    let program = program(value);
    program == "zitadel" || (value.starts_with('/') && is_ours(&program))
}

/// Returns the first word of a shell command, as the shell reads it.
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

impl GitWiring {
    /// Warns about other helpers for the same host. git passes the token to all of
    /// them, and its helper `store` writes it to a file in clear text.
    fn check_others(&self, checks: &mut Checks, config: &Config<'_>) {
        let mut reported: Vec<*const Listed> = Vec::new();
        for Listed { helper: scope, .. } in &self.listed {
            let has_token = match (&scope.url, scope.ask()) {
                (None, _) => config.rules().iter().next().is_some(),
                (Some(_), Some(ask)) => config.rules().find(&ask.origin, None).is_ok(),
                (Some(_), None) => false,
            };
            let helpers = helpers_for(&self.listed, scope);
            if !has_token || !helpers.iter().any(|one| is_helper(&one.helper.value)) {
                continue;
            }
            for one in helpers {
                if is_helper(&one.helper.value) || reported.contains(&std::ptr::from_ref(one)) {
                    continue;
                }
                reported.push(one);
                // Shows only the first word: a shell command may contain a password.
                let mut words = one
                    .helper
                    .value
                    .split(|c: char| c.is_whitespace() || c == '=');
                checks.push(warning(
                    "git",
                    format!(
                        "{}: git also passes the token to the helper {}, which may store it; configured in {}",
                        scope.place(),
                        quoted(words.next().unwrap_or_default()),
                        quote::path(&one.place),
                    ),
                    "remove it there, or move it before an empty helper of this host",
                ));
            }
        }
    }
}

impl Wiring for GitWiring {
    fn needs_link(&self) -> bool {
        self.helpers
            .iter()
            .any(|helper| !helper.value.starts_with(['/', '!']))
    }

    fn is_for_all(&self) -> bool {
        self.helpers.iter().any(|helper| helper.url.is_none())
    }

    fn origins(&self, _config: &Config<'_>) -> Vec<Origin> {
        self.helpers
            .iter()
            .filter_map(|helper| Some(helper.ask()?.origin))
            .collect()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        if let Some(error) = &self.error {
            checks.push(failed_with("git", error));
        }
        for helper in &self.helpers {
            checks.push(helper.check(context.config, context.is_read, context.environment));
        }
        if context.is_read {
            self.check_others(checks, context.config);
        }
    }
}

impl Helper {
    fn place(&self) -> String {
        match &self.url {
            Some(url) => quoted(url),
            None => "all hosts".to_owned(),
        }
    }

    fn ask(&self) -> Option<crate::host::Ask> {
        // In git, `*` matches one label of a host.
        Ask::typed(&self.url.as_ref()?.replace("://*.", "://any-label."))
    }

    fn check(&self, config: &Config<'_>, is_read: bool, environment: &Environment) -> Check {
        let program = program(self.value.trim_start_matches('!'));
        let is_there = match program.as_str() {
            "zitadel" => process::find(GIT_NAME, environment).is_some(),
            path if path.starts_with('/') => process::is_program(path.as_ref()),
            name => process::find(name, environment).is_some(),
        };
        let place = self.place();
        if !is_there {
            let name = match program.as_str() {
                "zitadel" => GIT_NAME.to_owned(),
                other => quoted(other),
            };
            let host = self.ask().map(|ask| ask.origin.authority());
            let host = host.unwrap_or_else(|| "HOST".to_owned());
            return failed(
                "git",
                format!("{place}: helper {name} not found"),
                format!("run zitadel-credential setup git {host}, or see the check program"),
            );
        }
        match (&self.url, self.ask()) {
            (None, _) => ok("git", "all hosts: those with a host rule get a token"),
            (Some(_), Some(ask)) => check_rule(
                "git",
                &place,
                &ask.origin,
                ask.username.as_deref(),
                config,
                is_read,
            ),
            (Some(_), None) => failed(
                "git",
                format!("{place}: invalid URL"),
                "write https://HOST; git config --global --get-regexp credential shows the entry",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_helpers_are_distinguished_from_others() {
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

    /// Parses lines of `key LF value`.
    fn of(lines: &[&str]) -> Vec<Listed> {
        let items = lines.iter().map(|line| format!("file:/f\0{line}\0"));
        listed(&items.collect::<String>())
    }

    #[test]
    fn an_empty_value_removes_the_helpers_before_it() {
        let urls = |lines: &[&str]| {
            let found = helpers(&of(lines)).into_iter().map(|helper| helper.url);
            found.collect::<Vec<_>>()
        };
        let a = Some("https://a".to_owned());
        let (all, host) = (
            "credential.helper\nzitadel",
            "credential.https://a.helper\nzitadel",
        );
        assert_eq!(urls(&[all, host]), [None, a.clone()]);
        assert_eq!(
            urls(&[host, "credential.https://a.helper\n"]),
            [] as [Option<String>; 0]
        );
        assert_eq!(urls(&[all, "credential.helper\n", host]), [a]);
    }

    #[test]
    fn an_empty_value_removes_the_helpers_before_it_for_a_host() {
        let (all, host) = ("credential.helper\n", "credential.https://a.helper\n");
        let line = |key: &str, value: &str| format!("{key}{value}");
        for (lines, expected) in [
            ([line(all, "store"), line(host, "us")], "store us"),
            ([line(host, "us"), line(all, "store")], "us store"),
            ([line(all, "store"), line(host, "")], ""),
            ([line(host, "us"), line(all, "")], ""),
            (
                [
                    line(host, "us"),
                    line("credential.https://A:443/b.helper\n", "store"),
                ],
                "us store",
            ),
            (
                [
                    line(host, "us"),
                    line("credential.https://b.helper\n", "store"),
                ],
                "us",
            ),
        ] {
            let listed = of(&lines.each_ref().map(String::as_str));
            let scope = Helper {
                url: Some("https://a".to_owned()),
                value: String::new(),
            };
            let found: Vec<_> = helpers_for(&listed, &scope)
                .iter()
                .map(|one| one.helper.value.as_str())
                .collect();
            assert_eq!(found.join(" "), expected, "{lines:?}");
        }
    }
}
