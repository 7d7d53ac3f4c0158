//! The arguments of `token`, `exec` and `assertion`.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::options::{EVERY, Options};
use crate::token_file::access::AccessArgs;

#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// Only the token, a header for curl -H @-, or JSON with the expiry
    #[arg(long, value_enum, default_value_t = TokenOutput::Raw, hide_possible_values = true,
          value_name = "raw|header|json")]
    pub output: TokenOutput,
    /// Write to a file instead, and replace it atomically
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub access: AccessArgs,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// The output formats of `token`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TokenOutput {
    /// The token
    Raw,
    /// Authorization: Bearer …, for curl -H @<(…)
    Header,
    /// JSON with the expiry
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct ExecArgs {
    /// Environment variable for the token [default: ZITADEL_ACCESS_TOKEN, or
    /// none with --write-web-identity]
    #[arg(long, value_name = "NAME")]
    pub env: Option<OsString>,
    /// For AWS: write the token, which must be a JWT, to a file in the cache
    /// (mode 0600) and set AWS_WEB_IDENTITY_TOKEN_FILE to its path
    #[arg(long)]
    pub write_web_identity: bool,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD",
          value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct AssertionArgs {
    /// Audience of the assertion [default: the issuer]
    #[arg(long, value_name = "URL")]
    pub audience: Option<String>,
    /// Lifetime from now on
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub lifetime: u32,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}
