//! Candidates that the engine cannot know: profiles, programs, and files in the form that
//! a shell accepts.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use super::shell::{Shell, is_plain};
use crate::call::World;
use crate::cli::options::Options;
use crate::config::Profiles;
use crate::sys::paths;
use crate::sys::process::is_program;
use crate::text::clock::Deadline;

/// The directory in which relative paths start.
pub(super) const HERE: &str = ".";

/// Read timeout for a config file: the user waits, and the file may be a pipe.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The sources of candidates.
pub(super) struct Sources {
    shell: Shell,
    profiles: Arc<Profiles>,
    /// `PATH`
    path: OsString,
    program: Program,
}

/// The part of the command of `exec` that the cursor is at.
#[derive(Clone, Copy)]
enum Program {
    /// None: the line has no `--`.
    No,
    Name,
    Argument,
}

impl Sources {
    pub(super) fn of(world: &World<'_>, shell: Shell, words: &[OsString]) -> Self {
        let options = Options {
            config: config(words),
            ..Options::default()
        };
        let profiles = Profiles::of(&options, world.environment, &world.directories);
        Self {
            shell,
            profiles: Arc::new(profiles),
            path: (world.environment)("PATH").unwrap_or_default(),
            program: program(words),
        }
    }

    /// Adds the candidates to the arguments of all commands that need them.
    pub(super) fn add_to(&self, mut command: Command) -> Command {
        // Runs the deferred initialization of the commands.
        command.build();
        self.add_below(command)
    }

    fn add_below(&self, command: Command) -> Command {
        command
            .mut_args(|arg| self.add_to_arg(arg))
            .mut_subcommands(|inner| self.add_below(inner))
    }

    fn add_to_arg(&self, arg: Arg) -> Arg {
        let arg = match arg.get_help() {
            Some(help) => {
                let help = description(&help.to_string());
                arg.help(help)
            }
            None => arg,
        };
        match (arg.get_value_hint(), self.program) {
            (ValueHint::FilePath, _) => arg.add(self.paths(PathCompleter::file())),
            (ValueHint::DirPath, _) => arg.add(self.paths(PathCompleter::dir())),
            // Arguments with this hint are names of profiles.
            (ValueHint::Username, _) => {
                let profiles = Arc::clone(&self.profiles);
                arg.add(ArgValueCandidates::new(move || names(&profiles)))
            }
            (ValueHint::CommandWithArguments, Program::Name) => arg.add(self.programs()),
            (ValueHint::CommandWithArguments, Program::Argument) => {
                arg.add(self.paths(PathCompleter::any()))
            }
            _ => arg,
        }
    }

    fn paths(&self, completer: PathCompleter) -> ArgValueCompleter {
        let shell = self.shell;
        let completer = completer.current_dir(HERE);
        ArgValueCompleter::new(move |typed: &OsStr| {
            let found = completer.complete(typed).into_iter();
            let escaped = found.filter_map(|path| {
                let escaped = shell.escape(path.get_value().to_str()?)?;
                Some(CompletionCandidate::new(escaped).hide(path.is_hide_set()))
            });
            escaped.collect()
        })
    }

    fn programs(&self) -> ArgValueCompleter {
        let shell = self.shell;
        let path = self.path.clone();
        let files = self.paths(PathCompleter::any());
        ArgValueCompleter::new(move |typed: &OsStr| match typed.to_str() {
            Some(typed) if !paths::is_path(typed) => {
                let mut names: Vec<_> = std::env::split_paths(&path)
                    .flat_map(|dir| executables(&dir, typed))
                    .filter_map(|name| shell.escape(&name))
                    .collect();
                names.sort();
                names.dedup();
                names.into_iter().map(CompletionCandidate::new).collect()
            }
            _ => files.complete(typed),
        })
    }
}

/// Returns the config file that the line names.
fn config(words: &[OsString]) -> Option<OsString> {
    let mut config = None;
    let mut words = words.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config" {
            config = words.next().cloned();
        } else if let Some(file) = word.to_str().and_then(|w| w.strip_prefix("--config=")) {
            config = Some(file.into());
        }
    }
    config
}

fn program(words: &[OsString]) -> Program {
    match words.iter().position(|word| word == "--") {
        Some(at) if at + 2 >= words.len() => Program::Name,
        Some(_) => Program::Argument,
        None => Program::No,
    }
}

/// Returns the names of the profiles that no shell needs to quote.
fn names(profiles: &Profiles) -> Vec<CompletionCandidate> {
    let names = profiles.names(&Deadline::after(TIMEOUT)).into_iter();
    let plain = names.filter(|name| name.chars().all(is_plain));
    plain
        .map(|name| CompletionCandidate::new(name).help(Some("profile".into())))
        .collect()
}

/// Returns the names of the programs in a directory that start with `typed`.
fn executables(dir: &Path, typed: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.starts_with(typed).then_some(())?;
        is_program(&entry.path()).then_some(name)
    });
    names.collect()
}

/// Returns an option's help on one line, without its variable and default, which are on
/// separate lines.
fn description(help: &str) -> String {
    let lines = help.lines().take_while(|line| !line.starts_with('['));
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap_complete::engine::complete;

    use super::*;
    use crate::cli::Cli;

    /// Returns the candidates for a line's last word, each with its description.
    fn at(line: &str) -> Vec<(String, String)> {
        let words: Vec<_> = format!("zitadel-credential {line}")
            .split(' ')
            .map(OsString::from)
            .collect();
        let sources = Sources {
            shell: Shell::Fish,
            profiles: Arc::default(),
            path: OsString::new(),
            program: program(&words),
        };
        let last = words.len() - 1;
        let mut command = sources.add_to(Cli::command());
        let found = complete(&mut command, words, last, None).unwrap();
        let text = |candidate: &CompletionCandidate| {
            let value = candidate.get_value().to_str().unwrap().to_owned();
            let about = candidate.get_help().map(ToString::to_string);
            (value, about.unwrap_or_default())
        };
        found.iter().map(text).collect()
    }

    #[test]
    fn commands_options_and_values_complete_where_they_fit() {
        for (line, expected) in [
            ("tok", ["token"].as_slice()),
            ("cache li", &["list"]),
            ("--profile prod cache cl", &["clear"]),
            ("setup gi", &["git"]),
            ("setup git a.dev --usern", &["--username"]),
            ("token --wri", &["--write"]),
            ("token --output ", &["raw", "header", "json"]),
            ("token --output=h", &["--output=header"]),
            ("setup profile prod pr", &[]),
            ("exec --env X -- ls -", &[]),
            ("completions z", &["zsh"]),
            ("completions at", &[]),
            ("nonsense to", &["token"]),
            ("git g", &[]),
            ("cache list --output=", &["--output=text", "--output=json"]),
        ] {
            let found = at(line);
            let found: Vec<_> = found.iter().map(|(value, _)| value.as_str()).collect();
            assert_eq!(found, expected, "{line}");
        }
        let has = |line, word: &str| at(line).iter().any(|(value, _)| value == word);
        assert!(has("token ", "--write"));
        assert!(has("", "kubectl"));
        assert!(has("setup ", "profile"));
    }

    #[test]
    fn every_command_and_option_has_a_description() {
        for line in ["-", "", "setup ", "setup bazel a.dev -", "cache "] {
            let found = at(line);
            assert!(found.len() > 2, "{line}: {found:?}");
            let says = |(_, about): &(String, String)| {
                !about.is_empty() && !about.starts_with("The arguments of")
            };
            assert!(found.iter().all(says), "{line}: {found:?}");
        }
        let key_file = at("--key-f");
        let about = "Key file as downloaded, or a bare PEM with --key-id and --user-id";
        assert_eq!(key_file, [("--key-file".to_owned(), about.to_owned())]);
    }

    #[test]
    fn the_config_file_is_the_one_that_the_line_names() {
        let config = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            config(&words)
        };
        assert_eq!(config(&["--config", "x", "token"]), Some("x".into()));
        assert_eq!(config(&["--config=y"]), Some("y".into()));
        assert_eq!(config(&["token", "--config"]), None);
        assert_eq!(config(&["exec", "--", "kubectl", "--config", "x"]), None);
    }
}
