//! Wiring of Terraform: its CLI configuration, and its link to this program.

use std::path::PathBuf;

use super::files;
use super::files::{BLOCK, HELPER};
use super::logins;
use super::logins::Login;
use crate::config::Directories;
use crate::findings::wiring::{Context, Machine, Wiring, text};
use crate::findings::{Checks, failed, ok, warning};
use crate::sys::Environment;
use crate::sys::paths::{canonicalize, is_same_program, relink_command};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::word;

#[derive(Default)]
struct TerraformWiring {
    /// The file that names this program.
    file: Option<PathBuf>,
    /// The other helpers, each with its file.
    others: Vec<(String, PathBuf)>,
    /// The files that the parser refused.
    unread: Vec<Unread>,
    plugin: Option<PathBuf>,
    /// Terraform's own tokens.
    logins: Vec<Login>,
}

struct Unread {
    file: PathBuf,
    why: String,
    /// True if the file may name this program.
    may_name_us: bool,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn read_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> TerraformWiring {
    let mut found = TerraformWiring {
        plugin: files::plugin(directories),
        logins: logins::in_files(environment, directories, deadline),
        ..TerraformWiring::default()
    };
    let beside = files::beside(environment, directories);
    let files = files::file(environment, directories).into_iter();
    for file in files.chain(beside) {
        let text = text(&file, deadline).map(Option::unwrap_or_default);
        let names = match &text {
            Ok(text) => files::helpers(text).map_err(ToOwned::to_owned),
            Err(why) => Err(why.clone()),
        };
        match names {
            Ok(names) => {
                for name in names {
                    if name == HELPER {
                        found.file.get_or_insert(file.clone());
                    } else {
                        found.others.push((name, file.clone()));
                    }
                }
            }
            Err(why) => {
                let holds = |word| text.as_ref().is_ok_and(|text| text.contains(word));
                // `terraform login` stores its tokens in such a file.
                let is_json = file.extension().is_some_and(|end| end == "json");
                if !is_json || text.is_err() || holds(BLOCK) {
                    found.unread.push(Unread {
                        may_name_us: text.is_err() || holds(HELPER),
                        file,
                        why,
                    });
                }
            }
        }
    }
    found
}

impl Wiring for TerraformWiring {
    fn by_hand(&self) -> Option<&'static str> {
        Some("Terraform's CLI configuration does not name this program")
    }

    fn is_for_all(&self, _context: &Context<'_>) -> bool {
        self.file.is_some()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        // Reports a file only if it may name this program, or a second helper next to
        // this program.
        let is_relevant = |unread: &&Unread| unread.may_name_us || self.file.is_some();
        for Unread { file, why, .. } in self.unread.iter().filter(is_relevant) {
            checks.push(warning(
                "terraform",
                format!("{}: not parsed: {why}", quote::path(file)),
                "check which credentials helper it names: Terraform accepts only one",
            ));
        }
        let (Some(file), Some(plugin)) = (&self.file, &self.plugin) else {
            return;
        };
        for (name, theirs) in &self.others {
            checks.push(failed(
                "terraform",
                format!(
                    "{}: names the credentials helper {}, but {} names this program, and Terraform accepts only one",
                    quote::path(theirs),
                    quote::path(name),
                    quote::path(file)
                ),
                "remove one of the two blocks",
            ));
        }
        if !self.others.is_empty() {
            return;
        }
        let file = quote::path(file);
        let link = quote::path(plugin);
        let own = (context.program)()
            .and_then(|path| canonicalize(&path))
            .unwrap_or_else(|_| "zitadel-credential".into());
        checks.push(match canonicalize(plugin) {
            Err(_) => failed(
                "terraform",
                format!("{file}: names this program, but {link}, where Terraform looks for it, does not exist"),
                "zitadel-credential setup terraform HOST",
            ),
            Ok(_) if !is_same_program(plugin, &own) => warning(
                "terraform",
                format!("{file}: names this program, but {link} is another program"),
                relink_command(&word(&own), &word(plugin)),
            ),
            Ok(_) => ok(
                "terraform",
                format!("{file}: all hosts: those with a host rule get a token, through {link}"),
            ),
        });
        self.check_logins(checks, context);
    }
}

impl TerraformWiring {
    /// Warns about tokens that Terraform uses before it asks this program.
    fn check_logins(&self, checks: &mut Checks, context: &Context<'_>) {
        let has_rule = |login: &&Login| context.has_rule(&login.ask.origin);
        let rules = context.config.rules().iter();
        let in_variables: Vec<_> = rules
            .filter_map(|rule| logins::in_variable(&rule.pattern, context.environment))
            .collect();
        let logins = self.logins.iter().filter(has_rule).chain(&in_variables);
        for login in logins {
            checks.push(warning("terraform", login.line(), login.remedy()));
        }
    }
}
