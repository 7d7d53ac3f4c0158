//! The arguments of `git` and `setup git`.

use std::ffi::OsString;

use clap::Args;

use crate::cli::options::{EVERY, Options};
use crate::edit::hosts::LoginArgs;

#[derive(Args, Debug)]
pub struct Git {
    /// get, store, erase or capability; other words are ignored, as git
    /// requires
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupGit {
    #[command(flatten)]
    pub args: LoginArgs,
}
