//! Wiring of git: the hosts whose helper is this program, and the other helpers that
//! get the token too.

use std::path::Path;
use std::process::{Command, Stdio};

use super::helpers::{HELPER, Helper, LINK, LIST, Listed};
use super::helpers::{helpers, helpers_for, is_absolute, is_helper, listed, program, shown};
use super::logins;
use super::logins::{Login, NETRC};
use super::scope::Scope;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, NetrcReader, Wiring};
use crate::findings::{Check, Checks, failed, failed_with, ok, warning};
use crate::host::Auth;
use crate::source::command::without_secrets;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::{Origin, Scheme};

#[derive(Default)]
struct GitWiring {
    helpers: Vec<Helper>,
    /// All helpers in git's configuration, in git's order.
    listed: Vec<Listed>,
    /// The logins that git sends without asking a helper.
    logins: Vec<Login>,
    error: Option<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(machine.environment, &machine.deadline))
}

fn read_files(environment: &Environment, deadline: &Deadline) -> GitWiring {
    // Only an absolute path: a relative entry of PATH could resolve to a git in a clone.
    let Some(git) = process::find("git", environment) else {
        return GitWiring::default();
    };
    let mut command = Command::new(&git);
    without_secrets(&mut command)
        .args(LIST)
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
        // Exit code 1 means that there is no such entry.
        Ok(ended) if matches!(ended.status.code(), Some(0 | 1)) => {
            let listed = listed(&String::from_utf8_lossy(&ended.stdout));
            GitWiring {
                helpers: helpers(&listed),
                listed,
                logins: read_logins(&git, deadline),
                error: None,
            }
        }
        Ok(ended) => unread(ended.status.to_string()),
        Err(error) => unread(error.to_string()),
    }
}

fn read_logins(git: &Path, deadline: &Deadline) -> Vec<Login> {
    let mut command = Command::new(git);
    logins::list(&mut command);
    without_secrets(&mut command)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let ended = process::run(&mut command, deadline);
    ended.map_or_else(
        |_| Vec::new(),
        |ended| logins::parse(&String::from_utf8_lossy(&ended.stdout)),
    )
}

impl GitWiring {
    /// Returns the helpers that use this config file.
    fn by_this(&self, context: &Context<'_>) -> impl Iterator<Item = &Helper> {
        let by_this = |helper: &&Helper| context.is_by_this(&helper.options());
        self.helpers.iter().filter(by_this)
    }

    /// True if git runs this program for a host.
    fn reaches(&self, origin: &Origin) -> bool {
        self.helpers.iter().any(|helper| helper.reaches(origin))
    }

    /// Warns about logins that git sends without asking this program.
    fn check_logins(&self, checks: &mut Checks, context: &Context<'_>) {
        let has_rule = |login: &Login| {
            context.config.rules().iter().any(|rule| {
                let mut scope = Scope::of_rule(&rule.pattern);
                if rule.allow_http {
                    scope = scope.over_any_scheme();
                }
                let is_ours = |helper: &Helper| helper.scope().overlaps(&scope);
                login.is_for(&scope) && self.helpers.iter().any(is_ours)
            })
        };
        for login in self.logins.iter().filter(|login| has_rule(login)) {
            checks.push(warning("git", login.line(), login.remedy()));
        }
    }

    /// Warns about rules that allow plain http, for which git asks this program only over
    /// https.
    fn check_http(&self, checks: &mut Checks, config: &Config<'_>) {
        for rule in config.rules().iter().filter(|rule| rule.allow_http) {
            let any = rule.pattern.to_string().replace("*.", "any-label.");
            let reaches = |scheme| {
                let origin = Origin::new(scheme, &any);
                origin.is_some_and(|origin| self.reaches(&origin))
            };
            if reaches(Scheme::Https) && !reaches(Scheme::Http) {
                let pattern = &rule.pattern;
                checks.push(warning(
                    "git",
                    format!("host rule {pattern} allows plain http, but git asks this program only for https://{pattern}"),
                    format!("zitadel-credential setup git {}", quote::word(&pattern.to_string())),
                ));
            }
        }
    }

    /// Warns about other helpers for the same hosts. git passes the token to all of
    /// them, and its helper `store` writes it to a file in clear text.
    fn check_others(&self, checks: &mut Checks, context: &Context<'_>) {
        let mut others: Vec<(&Listed, Vec<String>, &str)> = Vec::new();
        let is_ours = |one: &&Listed| is_helper(&one.helper.value);
        for Listed { helper: scope, .. } in self.listed.iter().filter(is_ours) {
            let of_scope = |one: &&Listed| one.helper.url == scope.url;
            let mut own = self.listed.iter().filter(of_scope);
            let has_end = own.any(|one| one.helper.value.is_empty());
            let own = context.config_of(&scope.options());
            let own = own.and_then(Result::ok);
            for requests in with_token(scope, own.as_ref().unwrap_or(context.config)) {
                let helpers = helpers_for(&self.listed, &requests);
                let Some(ours) = helpers.iter().position(&is_ours) else {
                    continue;
                };
                for (at, one) in helpers.into_iter().enumerate() {
                    if is_ours(&one) {
                        continue;
                    }
                    let remedy = match (at < ours, has_end) {
                        (true, _) => {
                            "remove it there; or add a line helper = before this program's helper of this host"
                        }
                        (false, true) => {
                            "remove it there, or move it before an empty helper of this host"
                        }
                        (false, false) => {
                            "remove it there; or move it before this program's helper, and add a line helper = between them"
                        }
                    };
                    let place = scope.place();
                    match others
                        .iter_mut()
                        .find(|(other, ..)| std::ptr::eq(*other, one))
                    {
                        Some((_, places, _)) if places.contains(&place) => {}
                        Some((_, places, _)) => places.push(place),
                        None => others.push((one, vec![place], remedy)),
                    }
                }
            }
        }
        for (one, places, remedy) in others {
            checks.push(warning(
                "git",
                format!(
                    "{}: git also passes the token to the helper {}, which may store it; configured in {}",
                    places.join(", "),
                    shown(&one.helper.value),
                    quote::path(&one.place),
                ),
                remedy,
            ));
        }
    }
}

/// Returns the requests that a helper answers with a token: those for its host, or for
/// the hosts of all rules.
fn with_token(helper: &Helper, config: &Config<'_>) -> Vec<Scope> {
    let Some(url) = &helper.url else {
        let rules = config.rules().iter();
        return rules.map(|rule| Scope::of_rule(&rule.pattern)).collect();
    };
    let ask = helper.ask();
    let ask = ask.filter(|ask| config.rules().find(&ask.origin, None).is_ok());
    let scope = ask.map(|ask| {
        if url.contains('*') {
            helper.scope()
        } else {
            // The origin decides what the section leaves open.
            Scope::of_origin(&ask.origin)
        }
    });
    scope.into_iter().collect()
}

impl Wiring for GitWiring {
    fn needs_link(&self) -> bool {
        self.helpers
            .iter()
            .any(|helper| !(helper.value.starts_with('!') || is_absolute(&helper.value)))
    }

    fn is_for_all(&self, context: &Context<'_>) -> bool {
        let is_for_all = |helper: &Helper| helper.url.is_none();
        self.by_this(context).any(is_for_all)
    }

    fn origins(&self, context: &Context<'_>) -> Vec<Origin> {
        self.by_this(context)
            .filter_map(|helper| Some(helper.ask()?.origin))
            .collect()
    }

    fn netrc(
        &self,
        origin: Option<&Origin>,
        _context: &Context<'_>,
    ) -> Option<&'static NetrcReader> {
        // A login in `.netrc` has no port and no scheme.
        let reaches = |helper: &Helper| match (origin, helper.ask()) {
            (Some(origin), Some(ask)) => helper.reaches(&Origin {
                host: origin.host.clone(),
                ..ask.origin
            }),
            (_, _) => true,
        };
        self.helpers.iter().any(reaches).then_some(&NETRC)
    }

    fn form(&self, auth: Auth) -> Option<&'static str> {
        Some(match auth {
            Auth::Auto => "basic, or Bearer if the server offers no basic",
            Auth::Basic => "basic",
            Auth::Bearer => "Bearer if git can send it, otherwise basic",
        })
    }

    fn misses(&self, origin: &Origin) -> Option<String> {
        let helper = self.helpers.iter().find(|helper| helper.misses(origin))?;
        (!self.reaches(origin)).then(|| {
            format!(
                "git does not ask this program for {origin}: the * of {} matches one label only",
                helper.place()
            )
        })
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        if let Some(error) = &self.error {
            checks.push(failed_with("git", error));
        }
        for helper in &self.helpers {
            checks.push(helper.check(context));
        }
        if context.is_read {
            self.check_others(checks, context);
            self.check_logins(checks, context);
            self.check_http(checks, context.config);
        }
    }
}

impl Helper {
    fn check(&self, context: &Context<'_>) -> Check {
        let environment = context.environment;
        let program = program(self.value.trim_start_matches('!'));
        let is_there = match program.as_str() {
            HELPER => process::find(LINK, environment).is_some(),
            path if is_absolute(path) => process::is_program(path.as_ref()),
            name => process::find(name, environment).is_some(),
        };
        let place = self.place();
        if !is_there {
            let name = match program.as_str() {
                HELPER => LINK.to_owned(),
                other => quoted(other),
            };
            let host = self.ask().map(|ask| ask.origin.authority());
            let host = host.unwrap_or_else(|| "HOST".to_owned());
            return failed(
                "git",
                format!("{place}: helper {name} not found"),
                format!("run zitadel-credential setup git {host}, or see the row \"program\""),
            );
        }
        let Some(options) = self.call() else {
            return failed(
                "git",
                format!("{place}: this program refuses the options of its helper"),
                "zitadel-credential git --help lists them; git config --get-regexp credential shows the line",
            );
        };
        match (&self.url, self.ask()) {
            (None, _) => context
                .fault_of("git", &place, &options)
                .unwrap_or_else(|| ok("git", "all hosts: those with a host rule get a token")),
            (Some(_), Some(ask)) => context.check_rule(
                "git",
                &place,
                &ask.origin,
                ask.username.as_deref(),
                &options,
            ),
            (Some(_), None) => failed(
                "git",
                format!("{place}: invalid URL"),
                "write https://HOST; git config --global --get-regexp credential shows the entry",
            ),
        }
    }
}
