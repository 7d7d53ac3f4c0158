//! What each command takes besides.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::options::Options;

/// How the options that are not a command's own are headed in its help.
pub(super) const EVERY: &str = "Options of every command";

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Token {
    /// As it is, as a header for curl -H @-, or as JSON with the expiry
    #[arg(long, value_enum, default_value_t = TokenOutput::Raw, hide_possible_values = true,
          value_name = "raw|header|json")]
    pub output: TokenOutput,
    /// Write it to a file instead, of mode 0600 and replaced in one step
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Exec {
    /// The environment variable [default: ZITADEL_ACCESS_TOKEN, or none with
    /// --write-web-identity]
    #[arg(long, value_name = "NAME")]
    pub env: Option<OsString>,
    /// For AWS: write the token to a file in the cache, of mode 0600, and name it
    /// in AWS_WEB_IDENTITY_TOKEN_FILE; it must be a JWT
    #[arg(long)]
    pub write_web_identity: bool,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD",
          value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Agent {
    /// A file to keep fresh, of mode 0600 and replaced in one step; may be
    /// repeated
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Vec<PathBuf>,
    /// A process that gets SIGHUP after each replacement, so that it reads anew
    #[arg(long, value_name = "PID",
          value_parser = clap::value_parser!(i32).range(1..))]
    pub signal: Option<i32>,
    /// Write the files once, and end
    #[arg(long)]
    pub once: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Assertion {
    /// Its audience [default: the issuer]
    #[arg(long, value_name = "URL")]
    pub audience: Option<String>,
    /// How long it lasts from now
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub lifetime: u32,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Cache {
    /// What is done with it.
    #[command(subcommand)]
    pub action: CacheAction,
}

/// Show or remove the tokens in the cache
#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Show the entries, without their tokens; --key-id shows one key's
    #[command(after_help = "\
Examples:
  zitadel-credential cache list
  zitadel-credential cache list --output json | jq '.[].expires_at'")]
    List(CacheList),
    /// Remove the entries; --key-id removes one key's
    #[command(after_help = "\
Examples:
  zitadel-credential cache clear --expired
  zitadel-credential cache clear --key-id 317240000000000002")]
    Clear(CacheClear),
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct CacheList {
    /// How they are shown
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct CacheClear {
    /// Only those that have expired
    #[arg(long)]
    pub expired: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Doctor {
    /// A host or URL: whether it gets a token, and why not; its profile is the
    /// one that is checked
    #[arg(value_name = "HOST")]
    pub host_asked: Option<String>,
    /// How the findings are shown
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum, hide_possible_values = true)]
    pub shell: Completion,
    /// The words before the cursor, for the scripts
    #[arg(last = true, hide = true)]
    pub words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

/// What `completions` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "shells are known by name")]
pub enum Completion {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// What could stand after the words: the scripts ask for it
    #[value(hide = true)]
    At,
}

/// How `cache list` and `doctor` print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ListOutput {
    /// A table
    Text,
    /// An array of objects
    Json,
}

/// How `token` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenOutput {
    /// The token
    Raw,
    /// Authorization: Bearer …, for curl -H @<(…)
    Header,
    /// JSON with the expiry
    Json,
}
