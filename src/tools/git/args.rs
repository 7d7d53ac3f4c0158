//! The arguments of `git` and `setup git`.

use std::ffi::OsString;

use clap::Args;

use crate::cli::options::{EVERY, Options};
use crate::edit::plan::Mode;

#[derive(Args, Debug)]
pub struct Git {
    /// get, store, erase or capability; any other word is passed over, as
    /// git asks of a helper
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupGit {
    /// Hosts, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// The username to show [default: the user ID]
    #[arg(long, value_name = "NAME")]
    pub username: Option<OsString>,
    #[command(flatten)]
    pub(super) mode: Mode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
