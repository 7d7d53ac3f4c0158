//! The arguments of `key`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use crate::cli::options::{EVERY, ListOutput, Options};
use crate::text::span::span;

#[derive(Args, Debug)]
pub(crate) struct Keys {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) action: KeyAction,
}

/// List, add, rotate or remove the service user's own keys
#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// List the service user's keys at ZITADEL
    #[command(after_help = "\
Examples:
  zitadel-credential key list
  zitadel-credential key list --output json | jq -r '.[].expires_at'")]
    List(KeyList),
    /// Add a key: create a pair here, upload the public key, write the key file
    #[command(after_help = "\
Example:
  zitadel-credential key add --output new-key.json
The private key never leaves this machine. The file has mode 0600, and is
written only after the key got a token.")]
    Add(KeyAdd),
    /// Replace the profile's key with a new one, and remove the old one
    #[command(after_help = "\
Examples:
  zitadel-credential key rotate
  zitadel-credential key rotate --if-expires-within 14d
If it is interrupted, the key file still has a working key, and the next call
finishes the rotation.")]
    Rotate(KeyRotate),
    /// Remove a key at ZITADEL
    #[command(after_help = "\
Example:
  zitadel-credential key remove 317240000000000002")]
    Remove(KeyRemove),
}

impl KeyAction {
    /// Returns the options after the command.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::List(list) => &mut list.options,
            Self::Add(add) => &mut add.options,
            Self::Rotate(rotate) => &mut rotate.options,
            Self::Remove(remove) => &mut remove.options,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct KeyList {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub(crate) output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyAdd {
    /// File for the new key, which must not exist
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// Lifetime of the new key: a number with s, m, h, d or w
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    pub(crate) lifetime: Duration,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRotate {
    /// Do nothing unless the key expires within this time
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) if_expires_within: Option<Duration>,
    /// Lifetime of the new key: a number with s, m, h, d or w
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    pub(crate) lifetime: Duration,
    /// Leave the old key at ZITADEL
    #[arg(long)]
    pub(crate) keep_old: bool,
    /// File for the new key, which must not exist, in place of the profile's
    /// key file; the old key stays in use
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRemove {
    /// The key's ID, as key list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}
