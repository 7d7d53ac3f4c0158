//! The arguments of `docker` and `setup docker`.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::options::{EVERY, Options};
use crate::edit::hosts::LoginArgs;

#[derive(Args, Debug)]
pub struct Docker {
    /// get, store, erase, list or version
    pub operation: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupDocker {
    #[command(flatten)]
    pub args: LoginArgs,
    /// Another file in docker's format, such as podman's auth.json
    /// [default: DOCKER_CONFIG/config.json, or ~/.docker/config.json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub authfile: Option<PathBuf>,
}
