//! The arguments of `go`.

use std::ffi::OsString;

use clap::Args;

use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Go {
    /// URL that answered with 4xx [default: all hosts with a host rule]
    // Always a complete https URL, so it never looks like an option.
    pub url: Option<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
