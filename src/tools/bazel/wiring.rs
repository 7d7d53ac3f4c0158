//! Wiring of Bazel: the hosts whose helper in `.bazelrc` is this program. Reads the
//! files of the system and the user, not those of workspaces, which may be anywhere.

use std::path::PathBuf;

use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, Wiring, check_rule, is_missing, is_ours, text};
use crate::findings::{Check, Checks, failed, failed_with, ok};
use crate::host::{Ask, HostPattern, Miss};
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;
use crate::url::Origin;

/// The name by which Bazel finds this program on `PATH`.
pub(super) const LINK: &str = "bazel-credential-zitadel";

/// The system's file (Bazel's "Write bazelrc configuration files").
const SYSTEM: &str = "/etc/bazel.bazelrc";

const FLAG: &str = "--credential_helper";

#[derive(Default)]
struct BazelWiring {
    helpers: Vec<Helper>,
    errors: Vec<Error>,
}

struct Helper {
    file: PathBuf,
    /// `None` for all hosts.
    scope: Option<String>,
    program: String,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(machine.directories, &machine.deadline))
}

fn read_files(directories: &Directories, deadline: &Deadline) -> BazelWiring {
    let mut found = BazelWiring::default();
    let own = directories.home.as_ref().map(|home| home.join(".bazelrc"));
    for file in [PathBuf::from(SYSTEM)].into_iter().chain(own) {
        match text(&file, deadline) {
            Ok(text) => {
                let helpers = helpers(text.as_deref().unwrap_or_default());
                found.helpers.extend(helpers.map(|(scope, program)| Helper {
                    file: file.clone(),
                    scope,
                    program,
                }));
            }
            Err(what) => {
                let report = Report::new(format!("{}: {what}", quote::path(&file)));
                let report = report.hint("check its owner and mode");
                found.errors.push(Error::Final(report));
            }
        }
    }
    found
}

/// Returns scope and program of each helper that runs this program.
fn helpers(text: &str) -> impl Iterator<Item = (Option<String>, String)> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(line));
    let words = lines.flat_map(str::split_whitespace);
    let mut words = words.map(|word| word.replace(['"', '\''], ""));
    let values = std::iter::from_fn(move || {
        let word = words.find(|word| word.starts_with(FLAG))?;
        // Bazel accepts the value with or without `=`.
        Some(match &word[FLAG.len()..] {
            "" => words.next()?,
            value => value.strip_prefix('=').unwrap_or_default().to_owned(),
        })
    });
    values.filter_map(|value| {
        let (scope, program) = match value.split_once('=') {
            Some((scope, program)) => (Some(scope.to_owned()), program),
            None => (None, value.as_str()),
        };
        is_ours(program).then(|| (scope, program.to_owned()))
    })
}

impl Wiring for BazelWiring {
    fn needs_link(&self) -> bool {
        self.helpers.iter().any(|helper| helper.program == LINK)
    }

    fn by_hand(&self) -> Option<&'static str> {
        Some(
            "/etc/bazel.bazelrc and ~/.bazelrc do not name this program (doctor does not read the .bazelrc of a workspace)",
        )
    }

    fn is_for_all(&self, _context: &Context<'_>) -> bool {
        self.helpers.iter().any(|helper| helper.scope.is_none())
    }

    fn origins(&self, context: &Context<'_>) -> Vec<Origin> {
        let config = context.config;
        let scopes = self
            .helpers
            .iter()
            .filter_map(|helper| helper.scope.as_deref());
        scopes.filter_map(|scope| origin(scope, config)).collect()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        for error in &self.errors {
            checks.push(failed_with("bazel", error));
        }
        for helper in &self.helpers {
            checks.push(helper.check(context.config, context.is_read, context.environment));
        }
    }
}

impl Helper {
    fn check(&self, config: &Config<'_>, is_read: bool, environment: &Environment) -> Check {
        let file = quote::path(&self.file);
        let program = quoted(&self.program);
        let place = match &self.scope {
            Some(scope) => format!("{file}: {}", quoted(scope)),
            None => format!("{file}: all hosts"),
        };
        let remedy = format!("set the helper to {LINK}");
        if !self.program.ends_with(LINK) {
            let what = format!("{place}: Bazel runs {program} without the command bazel");
            return failed("bazel", what, remedy);
        }
        let in_home = || {
            let rest = self.program.strip_prefix("~/")?;
            Some(PathBuf::from(environment("HOME")?).join(rest))
        };
        let is_missing = match in_home() {
            Some(program) => !process::is_program(&program),
            None => is_missing(&self.program, environment),
        };
        if is_missing {
            let what = format!("{place}: helper {program} not found");
            return failed("bazel", what, remedy);
        }
        let Some(scope) = &self.scope else {
            return ok(
                "bazel",
                format!("{place}: those with a host rule get a token"),
            );
        };
        let origin = origin(scope, config);
        if let (Some(origin), Some(_)) = (&origin, scope.strip_prefix("*."))
            && is_read
            && matches!(config.rules().find(origin, None), Err(Miss::Unknown))
        {
            let what = format!("{place}: no host rule for any of these hosts");
            let scope = quote::word(scope);
            return failed(
                "bazel",
                what,
                format!("zitadel-credential setup bazel {scope}"),
            );
        }
        match origin {
            Some(origin) => check_rule("bazel", &place, &origin, None, config, is_read),
            None => failed(
                "bazel",
                format!("{place}: invalid host"),
                "write a host like acme.dev or *.acme.dev",
            ),
        }
    }
}

/// Returns a host that the scope matches, if possible one with a host rule. Bazel's
/// scopes have no port, so a rule for any port counts, and a rule for a host below a
/// wildcard counts too.
fn origin(scope: &str, config: &Config<'_>) -> Option<Origin> {
    // In Bazel, `*` matches any number of whole labels.
    let origin = Ask::of(&scope.replace("*.", "any-label."))?.origin;
    if config.rules().find(&origin, None).is_ok() {
        return Some(origin);
    }
    let scope = HostPattern::parse(scope)?;
    let mut patterns = config.rules().iter().map(|rule| &rule.pattern);
    let candidate = patterns.find_map(|pattern| {
        let host = pattern.single_host().and_then(|host| Ask::of(&host));
        match host {
            Some(ask) => scope.matches_host(&ask.origin).then_some(ask.origin),
            None => pattern.matches_host(&origin).then(|| Origin {
                port: pattern.port().unwrap_or(origin.port),
                ..origin.clone()
            }),
        }
    });
    Some(candidate.unwrap_or(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_helpers_are_found_in_all_lines_but_comments() {
        let text = "# common --credential_helper=a.dev=bazel-credential-zitadel\n\
            common --x --credential_helper=*.b.dev=bazel-credential-zitadel # why\n\
            build '--credential_helper=/opt/bazel-credential-zitadel'\n\
            build --credential_helper=c.dev=other --credential_helper=zitadel\n\
            build --credential_helper d.dev=bazel-credential-zitadel --credential_helpers=x\n";
        let found: Vec<_> = helpers(text).collect();
        assert_eq!(
            found,
            [
                (
                    Some("*.b.dev".to_owned()),
                    "bazel-credential-zitadel".to_owned()
                ),
                (None, "/opt/bazel-credential-zitadel".to_owned()),
                (
                    Some("d.dev".to_owned()),
                    "bazel-credential-zitadel".to_owned()
                ),
            ]
        );
    }
}
