//! The helpers' arguments, and the names that the program is called by for them.

use std::ffi::{OsStr, OsString};

use clap::Args;

use super::args::EVERY;
use super::options::{Options, read};
use super::{Command, Keyring};
use crate::error::Report;
use crate::quote::quoted;

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Git {
    /// get, store, erase or capability; any other word is passed over, as
    /// git asks of a helper
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Docker {
    /// get, store, erase, list or version
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Bazel {
    /// get
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Cargo {
    /// As cargo calls; all else stands in its questions
    #[arg(long)]
    pub cargo_plugin: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Go {
    /// What Go got a 4xx from; without it, all hosts are answered that rules
    /// name
    // Always a whole https URL, which no option looks like.
    pub url: Option<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Terraform {
    /// get, store or forget; then whose token: the host, with the port if there
    /// is one. No option is read after the operation
    // The host stands in a module that anybody may have written.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, allow_hyphen_values = true,
          value_names = ["OPERATION", "HOST"])]
    pub words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

impl Terraform {
    /// The operation and the host.
    ///
    /// # Errors
    /// Too few words, or too many.
    pub fn call(&self) -> Result<[&OsString; 2], Report> {
        let (operation, words) = operation_of("terraform", &self.words)?;
        let [host] = words else {
            let report = Report::new("terraform: one host is wanted after the operation");
            return Err(report.hint("Terraform calls this itself: get HOST"));
        };
        Ok([operation, host])
    }
}

/// The operation, and the words after it.
///
/// # Errors
/// An option that there is not stands in its place.
pub(super) fn operation_of<'w>(
    command: &str,
    words: &'w [OsString],
) -> Result<(&'w OsString, &'w [OsString]), Report> {
    let first = words.split_first();
    match first {
        Some((first, words)) if !is_option(first) => Ok((first, words)),
        _ => {
            let first = first.map(|(first, _)| quoted(&first.to_string_lossy()));
            let what = format!(
                "{command}: unexpected argument {}",
                first.unwrap_or_default()
            );
            let hint =
                format!("options stand before the operation: zitadel-credential {command} --help");
            Err(Report::new(what).hint(hint))
        }
    }
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// A helper's call, read by clap with the arguments of that one command: to
/// describe all the others first would be a quarter of the cached path.
///
/// None where anything stands before the command, and where clap refuses or has
/// help to show: the whole command line tells that better.
pub(super) fn alone(args: &[OsString]) -> Option<Command> {
    let args = args.get(1..)?;
    let (command, rest) = args.split_first()?;
    let options = Options::default();
    match (command.to_str()?, rest) {
        // As tools call: there is nothing to read.
        ("kubectl", []) => Some(Command::Kubectl(options)),
        ("gcp", []) => Some(Command::Gcp(options)),
        ("git", [word]) if is_plain(word) => Some(Command::Git(Git {
            operation: word.clone(),
            options,
        })),
        ("docker", [word]) if is_plain(word) => Some(Command::Docker(Docker {
            operation: word.clone(),
            options,
        })),
        ("kubectl", _) => read(args).ok().map(Command::Kubectl),
        ("git", _) => read(args).ok().map(Command::Git),
        ("docker", _) => read(args).ok().map(Command::Docker),
        ("bazel", _) => read(args).ok().map(Command::Bazel),
        ("cargo", _) => read(args).ok().map(Command::Cargo),
        ("go", _) => read(args).ok().map(Command::Go),
        ("terraform", _) => {
            words_of(read(args).ok()?, |asked: &Terraform| &asked.words).map(Command::Terraform)
        }
        ("kubelet", _) => read(args).ok().map(Command::Kubelet),
        ("gcp", _) => read(args).ok().map(Command::Gcp),
        ("keyring", _) => {
            words_of(read(args).ok()?, |asked: &Keyring| &asked.words).map(Command::Keyring)
        }
        _ => None,
    }
}

/// What was read, unless an option that is none, or one for help, was taken for
/// the operation.
fn words_of<T>(asked: T, words: fn(&T) -> &Vec<OsString>) -> Option<T> {
    let first = words(&asked).first()?;
    (!is_option(first)).then_some(asked)
}

/// Whether a word can be nothing but an operation.
fn is_plain(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.first().is_some_and(u8::is_ascii_lowercase)
}

/// The names that stand for a command.
pub const NAMES: [(&str, &str); 6] = [
    ("git-credential-zitadel", "git"),
    ("docker-credential-zitadel", "docker"),
    ("bazel-credential-zitadel", "bazel"),
    ("cargo-credential-zitadel", "cargo"),
    ("terraform-credentials-zitadel", "terraform"),
    // Where pip and uv look; no package installs it.
    ("keyring", "keyring"),
];

/// The arguments as `zitadel-credential` would have got them: a name that the
/// program is called by stands for its command.
pub(super) fn by_name(mut args: Vec<OsString>) -> Vec<OsString> {
    let name = args
        .first()
        .and_then(|arg| std::path::Path::new(arg).file_name())
        .and_then(|name| NAMES.iter().find(|(alias, _)| name == *alias));
    // The help shows the first: what it stands for, and nothing that a caller
    // chose.
    let command = name.map(|(_, command)| *command);
    let first = args.len().min(1);
    let known = std::iter::once("zitadel-credential").chain(command);
    args.splice(..first, known.map(OsString::from));
    args
}
