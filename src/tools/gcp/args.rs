//! The arguments of `gcp`.

use clap::Args;

use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Gcp {
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
