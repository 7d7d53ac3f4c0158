//! The arguments of `kubelet`.

use clap::Args;

use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Kubelet {
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}
