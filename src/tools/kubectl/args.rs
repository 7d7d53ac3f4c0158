//! The arguments of `kubectl` and `setup kubectl`.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::protocol::Version;
use crate::cli::options::{EVERY, Options};

#[derive(Args, Debug)]
pub struct Kubectl {
    /// Version of the answer for clients that set no KUBERNETES_EXEC_INFO
    /// [default: v1]
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        verbatim_doc_comment,
        value_name = "v1|v1beta1"
    )]
    pub(super) api_version: Option<Version>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub struct SetupKubectl {
    /// Name of the user in the kubeconfig
    #[arg(long, value_name = "NAME", default_value = "zitadel")]
    pub user: OsString,
    /// Context that will use this user
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<OsString>,
    /// Kubeconfig to edit [default: KUBECONFIG, or ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
}
