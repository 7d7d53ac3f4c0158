//! The arguments of `cargo` and `setup cargo`.

use clap::{Args, ValueHint};

use crate::cli::options::{EVERY, Options};
use crate::edit::hosts::HostsArgs;

#[derive(Args, Debug)]
pub struct Cargo {
    /// The option that cargo passes; everything else is in its requests
    #[arg(long)]
    pub cargo_plugin: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupCargo {
    #[command(flatten)]
    pub args: HostsArgs,
    /// Name of the registry in cargo's configuration
    /// [default: all registries with an index at HOST]
    #[arg(long, value_name = "NAME", verbatim_doc_comment)]
    pub registry: Option<String>,
    /// Index of a registry that is new in cargo's configuration
    #[arg(long, value_name = "URL", requires = "registry", value_hint = ValueHint::Url)]
    pub index: Option<String>,
}
