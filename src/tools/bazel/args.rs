//! The arguments of `bazel`.

use std::ffi::OsString;

use clap::Args;

use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Bazel {
    /// get, the only operation
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
