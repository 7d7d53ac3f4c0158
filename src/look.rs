//! `profile list`, `config show` and `config check`: show the configuration, without a
//! request, and without keys or tokens in the answer.

mod check;
mod profiles;
mod settings;

use clap::{Args, Subcommand};

pub(crate) use self::check::check;
pub(crate) use self::profiles::profiles;
pub(crate) use self::settings::settings;
use crate::cli::options::{EVERY, ListOutput, Options};

#[derive(Args, Debug)]
pub(crate) struct Profile {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) action: ProfileAction,
}

/// List the profiles
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileAction {
    /// List the profiles with issuer, key and hosts
    #[command(after_help = "\
Examples:
  zitadel-credential profile list
  zitadel-credential profile list --output json | jq -r '.[].name'")]
    List(Look),
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

/// Show or check the configuration
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Show each setting of the profile and where it comes from
    #[command(after_help = "\
Examples:
  zitadel-credential config show
  zitadel-credential config show --profile prod --output json
It shows no secret, and makes no request.")]
    Show(Look),
    /// Check the config file, the key files and the host rules, without network
    #[command(after_help = "\
Examples:
  zitadel-credential config check
  zitadel-credential config check --config new.toml
It reports every error with its line. Exit code 2 if the configuration is
wrong, 1 if a key is.")]
    Check(Look),
}

#[derive(Args, Debug)]
pub(crate) struct Look {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub(crate) output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}
