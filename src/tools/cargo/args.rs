//! The arguments of `cargo` and `setup cargo`.

use std::ffi::OsString;

use clap::{Args, ValueHint};

use crate::cli::options::{EVERY, Options};
use crate::edit::plan::Mode;

#[derive(Args, Debug)]
pub struct Cargo {
    /// As cargo calls; all else stands in its questions
    #[arg(long)]
    pub cargo_plugin: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupCargo {
    /// The hosts of indexes, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// The one registry that is meant, by its name in cargo's configuration
    /// [default: all whose index is at HOST]
    #[arg(long, value_name = "NAME", verbatim_doc_comment)]
    pub registry: Option<String>,
    /// The index of a registry that cargo does not know yet
    #[arg(long, value_name = "URL", requires = "registry", value_hint = ValueHint::Url)]
    pub index: Option<String>,
    #[command(flatten)]
    pub(super) mode: Mode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
