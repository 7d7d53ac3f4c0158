//! The helpers' arguments, and the names that the program is called by for them.

use std::ffi::{OsStr, OsString};

use clap::{Args, ValueEnum};

use super::Command;
use super::args::EVERY;
use super::options::{Options, read};

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
    pub url: Option<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Terraform {
    /// get, store or forget
    pub operation: OsString,
    /// Whose token, with the port if there is one
    #[arg(value_name = "HOST")]
    pub host_asked: String,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Keyring {
    /// get or del; set is refused
    pub operation: OsString,
    /// The index's URL
    pub service: String,
    /// The username; get can do without in --mode creds
    pub username: Option<String>,
    /// What get prints: the token, or the username and the token
    #[arg(long, value_enum, default_value_t = KeyringMode::Password, hide_possible_values = true,
          value_name = "password|creds")]
    pub mode: KeyringMode,
    /// As lines, or as JSON
    #[arg(long, value_enum, default_value_t = KeyringOutput::Plain, hide_possible_values = true,
          value_name = "plain|json")]
    pub output: KeyringOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

/// What `keyring get` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyringMode {
    /// The token
    Password,
    /// The username and the token
    Creds,
}

/// How `keyring get` prints it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KeyringOutput {
    /// Lines
    Plain,
    /// An object
    Json,
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
        ("terraform", _) => read(args).ok().map(Command::Terraform),
        ("kubelet", _) => read(args).ok().map(Command::Kubelet),
        ("gcp", _) => read(args).ok().map(Command::Gcp),
        ("keyring", _) => read(args).ok().map(Command::Keyring),
        _ => None,
    }
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
