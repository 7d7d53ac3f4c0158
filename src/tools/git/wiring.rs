//! git's configuration: helpers that are ours, for which host, and who else is
//! handed what they answer.

use std::process::{Command, Stdio};

use crate::config::Config;
use crate::error::{Error, Report};
use crate::findings::wiring::{Look, Machine, Wiring, hit, is_ours, unread};
use crate::findings::{Check, Checks, failed, ok, warning};
use crate::host::Ask;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

/// The name by which the tool looks for us on `PATH`.
const GIT_NAME: &str = "git-credential-zitadel";

const KEY: &str = "credential.";

#[derive(Default)]
struct Found {
    helpers: Vec<Helper>,
    /// All that git is set up to ask, in its order.
    listed: Vec<Listed>,
    error: Option<Error>,
}

/// A line of git's configuration that names a helper.
struct Listed {
    /// Where it stands, as git tells it.
    place: String,
    helper: Helper,
}

#[derive(Clone)]
struct Helper {
    /// The URL between `credential.` and `.helper`; none for all hosts.
    url: Option<String>,
    value: String,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(look(machine.environment, &machine.deadline))
}

fn look(environment: &Environment, deadline: &Deadline) -> Found {
    // Not by its name alone: PATH may lead to a clone's own git.
    let Some(git) = process::find("git", environment) else {
        return Found::default();
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
    let unread = |what: String| Found {
        error: Some(Error::Final(
            Report::new(format!("git config: {what}"))
                .hint("run git config --get-regexp credential by hand: it must end"),
        )),
        ..Found::default()
    };
    match process::run(&mut command, deadline) {
        // 1: there is none.
        Ok(ended) if matches!(ended.status.code(), Some(0 | 1)) => {
            let listed = listed(&String::from_utf8_lossy(&ended.stdout));
            Found {
                helpers: helpers(&listed),
                listed,
                error: None,
            }
        }
        Ok(ended) => unread(format!("it ended with {}", ended.status)),
        Err(error) => unread(error.to_string()),
    }
}

/// Reads `place NUL key LF value NUL`.
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

/// Those that are ours; an empty value takes out those before it.
fn helpers(listed: &[Listed]) -> Vec<Helper> {
    let mut found: Vec<Helper> = Vec::new();
    for Listed { helper, .. } in listed {
        if helper.value.is_empty() {
            // An empty one for all hosts comes before what follows it, whatever
            // the host; one for a host, before that host's.
            found.retain(|known| helper.url.is_some() && known.url != helper.url);
        } else if is_helper(&helper.value) {
            found.push(helper.clone());
        }
    }
    found
}

/// Whom git asks for what a helper is for, in its order: those for every host
/// count there too.
fn asked<'l>(listed: &'l [Listed], scope: &Helper) -> Vec<&'l Listed> {
    let origin = scope.ask().map(|ask| ask.origin);
    let mut asked = Vec::new();
    for one in listed {
        let url = &one.helper.url;
        let is_same = || one.helper.ask().map(|ask| ask.origin) == origin;
        if url.is_some() && *url != scope.url && (origin.is_none() || !is_same()) {
            continue;
        }
        if one.helper.value.is_empty() {
            asked.clear();
        } else {
            asked.push(one);
        }
    }
    asked
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
    /// git hands what one helper answers to all that it asks for the host (its
    /// `store` writes it down in clear text).
    fn check_others(&self, checks: &mut Checks, config: &Config<'_>) {
        let mut told: Vec<*const Listed> = Vec::new();
        for Listed { helper: scope, .. } in &self.listed {
            let has_token = match (&scope.url, scope.ask()) {
                (None, _) => config.rules().iter().next().is_some(),
                (Some(_), Some(ask)) => config.rules().find(&ask.origin, None).is_ok(),
                (Some(_), None) => false,
            };
            let asked = asked(&self.listed, scope);
            if !has_token || !asked.iter().any(|one| is_helper(&one.helper.value)) {
                continue;
            }
            for one in asked {
                if is_helper(&one.helper.value) || told.contains(&std::ptr::from_ref(one)) {
                    continue;
                }
                told.push(one);
                // What follows may be a password that a shell's line echoes.
                let mut words = one
                    .helper
                    .value
                    .split(|c: char| c.is_whitespace() || c == '=');
                checks.push(warning(
                    "git",
                    format!(
                        "{}: git hands the token to the helper {} too, which may keep it; {} names it",
                        scope.place(),
                        quoted(words.next().unwrap_or_default()),
                        quote::path(&one.place),
                    ),
                    "take it out there, or move it above an empty helper of this host's",
                ));
            }
        }
    }
}

impl Wiring for Found {
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

    fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        if let Some(error) = &self.error {
            checks.push(unread("git", error));
        }
        for helper in &self.helpers {
            checks.push(helper.check(look.config, look.is_read, look.environment));
        }
        if look.is_read {
            self.check_others(checks, look.config);
        }
    }
}

impl Helper {
    fn place(&self) -> String {
        match &self.url {
            Some(url) => quoted(url),
            None => "every host".to_owned(),
        }
    }

    fn ask(&self) -> Option<crate::host::Ask> {
        // git's * is one label of a host.
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

    /// `key LF value`, as git lists each of a file's.
    fn of(lines: &[&str]) -> Vec<Listed> {
        let items = lines.iter().map(|line| format!("file:/f\0{line}\0"));
        listed(&items.collect::<String>())
    }

    #[test]
    fn an_empty_value_takes_out_those_before_it() {
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
    fn who_is_asked_for_a_host_is_what_no_empty_value_took_out() {
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
            let found: Vec<_> = asked(&listed, &scope)
                .iter()
                .map(|one| one.helper.value.as_str())
                .collect();
            assert_eq!(found.join(" "), expected, "{lines:?}");
        }
    }
}
