//! `completions`: a short script for each shell, which asks the program itself
//! what could stand at the cursor.
//!
//! The answer is a candidate a line, with a tab and what it is for after it; or a
//! word of the shell's own work: `:files`, `:directories`, or `:command N` for
//! another program's words, from the N-th on. Nothing is asked of the network,
//! and no key or cache is looked at.

use std::ffi::OsString;

use clap::{Arg, Args, Command, ValueEnum, ValueHint};

use crate::call::{Answer as Answered, World};
use crate::cli::options::{EVERY, Options};
use crate::config::Config;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum, hide_possible_values = true)]
    pub shell: Completion,
    /// The words before the cursor, for the scripts
    #[arg(last = true, hide = true)]
    pub words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// What `completions` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Completion {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// What could stand after the words: the scripts ask for it
    #[value(hide = true)]
    At,
}

/// `completions`: a shell's script, or what could stand at its cursor; a config file that is
/// not there, or broken, has no profiles to offer.
pub(crate) fn completions(world: &World<'_>, asked: &Completions, root: clap::Command) -> Answered {
    let profiles = || {
        let options = options(&asked.words);
        let config = Config::load(&options, world.environment, &world.directories);
        let names = |config: Config<'_>| -> Vec<_> {
            let names = config.profile_names().filter(|name| is_plain(name));
            names.map(ToOwned::to_owned).collect()
        };
        config.map(names).unwrap_or_default()
    };
    match script(asked.shell) {
        Some(script) => Answered::new(script),
        None => Answered::new(candidates(root, &asked.words, &profiles)),
    }
}

/// The script of a shell; none is for [`Completion::At`].
pub(crate) const fn script(wanted: Completion) -> Option<&'static str> {
    Some(match wanted {
        Completion::Bash => include_str!("completions/bash"),
        Completion::Elvish => include_str!("completions/elvish"),
        Completion::Fish => include_str!("completions/fish"),
        Completion::Powershell => include_str!("completions/powershell"),
        Completion::Zsh => include_str!("completions/zsh"),
        Completion::At => return None,
    })
}

/// The options that decide where profiles are looked for, as far as they stand
/// among the words.
pub(crate) fn options(words: &[OsString]) -> Options {
    let mut config = None;
    for (word, next) in words.iter().zip(words.iter().skip(1)) {
        if word == "--config" {
            config = Some(next.clone());
        }
    }
    for word in words.iter().filter_map(|word| word.to_str()) {
        if let Some(file) = word.strip_prefix("--config=") {
            config = Some(file.into());
        }
    }
    Options {
        config,
        // A person waits at the cursor; a pipe may be named.
        timeout: Some("1".into()),
        ..Options::default()
    }
}

/// What could stand in place of the last of these words, which follow the
/// program's name; `profiles` gives the names of the profiles.
fn candidates(mut root: Command, words: &[OsString], profiles: &dyn Fn() -> Vec<String>) -> String {
    root.build();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_ref(), before),
        None => ("", &words[..]),
    };
    let mut command = &root;
    let mut wanted: Option<&Arg> = None;
    let mut positionals = 0;
    for (n, word) in before.iter().enumerate() {
        let word = word.as_ref();
        if wanted.take().is_some() {
            continue;
        }
        if word == "--" {
            // The program's name counts as a word.
            return format!(":command {}\n", n + 2);
        }
        if let Some(name) = word.strip_prefix("--") {
            wanted = option(command, name).filter(|arg| takes_value(arg));
        } else if !word.starts_with('-') {
            match command.find_subcommand(word) {
                Some(inner) => command = inner,
                None => positionals += 1,
            }
        }
    }
    let mut answer = Answer {
        start: last,
        before: "",
        text: String::new(),
    };
    if let Some(arg) = wanted {
        answer.values(arg, profiles);
    } else if let Some((name, value)) = last.strip_prefix("--").and_then(|l| l.split_once('=')) {
        if let Some(arg) = option(command, name) {
            answer.before = &last[..last.len() - value.len()];
            answer.start = value;
            answer.values(arg, profiles);
        }
    } else if last.starts_with('-') {
        answer.options(command);
    } else {
        answer.commands(command);
        if let Some(arg) = positional(command, positionals) {
            answer.values(arg, profiles);
        }
        if last.is_empty() && answer.text.is_empty() {
            answer.options(command);
        }
    }
    answer.text
}

fn option<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
}

/// The n-th; the last of them may be there many times.
fn positional(command: &Command, n: usize) -> Option<&Arg> {
    let all = || command.get_positionals().filter(|arg| !arg.is_last_set());
    all().nth(n).or_else(|| all().find(|arg| is_many(arg)))
}

fn is_many(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.max_values() > 1)
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

struct Answer<'w> {
    /// What has been typed of it.
    start: &'w str,
    /// What stands before it in the same word: `--profile=`.
    before: &'w str,
    text: String,
}

impl Answer<'_> {
    fn add(&mut self, candidate: &str, about: &str) {
        if candidate.starts_with(self.start) {
            self.text += self.before;
            self.text += candidate;
            self.text += "\t";
            // Without the variable and the default, which stand in lines of their own.
            let lines = about.lines().take_while(|line| !line.starts_with('['));
            self.text += &lines.collect::<Vec<_>>().join(" ");
            self.text += "\n";
        }
    }

    fn commands(&mut self, command: &Command) {
        for inner in command
            .get_subcommands()
            .filter(|inner| !inner.is_hide_set())
        {
            let about = inner.get_about().map(ToString::to_string);
            self.add(inner.get_name(), &about.unwrap_or_default());
        }
    }

    fn options(&mut self, command: &Command) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
            if let Some(long) = arg.get_long() {
                self.add(&format!("--{long}"), &about);
            }
        }
    }

    fn values(&mut self, arg: &Arg, profiles: &dyn Fn() -> Vec<String>) {
        for value in arg.get_possible_values() {
            if !value.is_hide_set() {
                let about = value.get_help().map(ToString::to_string);
                self.add(value.get_name(), &about.unwrap_or_default());
            }
        }
        match arg.get_value_hint() {
            ValueHint::FilePath | ValueHint::AnyPath => self.text += ":files\n",
            ValueHint::DirPath => self.text += ":directories\n",
            // So the names of profiles are marked.
            ValueHint::Username => {
                for name in profiles() {
                    self.add(&name, "profile");
                }
            }
            _ => {}
        }
    }
}

/// Whether every shell takes a name as it is: none runs or splits it.
pub(crate) fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn at(line: &str) -> Vec<String> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let profiles = || vec!["pilot".to_owned(), "prod".to_owned()];
        let text = candidates(Cli::command(), &words, &profiles);
        let lines = text.lines().map(|line| line.split('\t').next());
        lines
            .map(|word| word.unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn what_could_stand_at_the_cursor_is_told() {
        for (line, expected) in [
            ("tok", ["token"].as_slice()),
            ("cache li", &["list"]),
            ("--profile prod cache cl", &["clear"]),
            ("setup gi", &["git"]),
            ("setup git a.dev --usern", &["--username"]),
            ("token --wri", &["--write"]),
            ("token --output ", &["raw", "header", "json"]),
            ("token --output=h", &["--output=header"]),
            ("--profile p", &["pilot", "prod"]),
            ("token --profile=pr", &["--profile=prod"]),
            ("setup profile pr", &["prod"]),
            ("setup profile prod pr", &[]),
            ("--key-file k", &[":files"]),
            ("--cache-dir ", &[":directories"]),
            ("exec --env X -- ls -", &[":command 5"]),
            ("completions z", &["zsh"]),
            ("completions at", &[]),
            ("nonsense to", &["token"]),
            ("git g", &[]),
            ("cache list --output=", &["--output=text", "--output=json"]),
        ] {
            assert_eq!(at(line), expected, "{line}");
        }
        assert!(at("token ").contains(&"--write".to_owned()));
        assert!(at("").contains(&"kubectl".to_owned()));
        assert!(at("setup ").contains(&"profile".to_owned()));
    }

    #[test]
    fn every_candidate_says_what_it_is_for() {
        let text = candidates(Cli::command(), &["-".into()], &Vec::new);
        assert!(text.lines().count() > 10, "{text}");
        assert!(text.lines().all(|line| !line.ends_with('\t')), "{text}");
        let whole =
            "--key-file\tKey file as downloaded, or a bare PEM with --key-id and --user-id\n";
        assert!(text.contains(whole), "{text}");
    }

    #[test]
    fn a_config_file_is_the_one_that_the_line_names() {
        let config = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            options(&words).config
        };
        assert_eq!(config(&["--config", "x", "token"]), Some("x".into()));
        assert_eq!(config(&["--config=y"]), Some("y".into()));
        assert_eq!(config(&["token", "--config"]), None);
    }
}
