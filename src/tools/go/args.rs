//! The arguments of `go`.

use std::ffi::OsString;

use clap::Args;

use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Go {
    /// What Go got a 4xx from; without it, all hosts are answered that rules
    /// name
    // Always a whole https URL, which no option looks like.
    pub url: Option<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
